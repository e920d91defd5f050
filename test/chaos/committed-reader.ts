/**
 * Reads topics in read_committed from their beginning and keeps every record at its offset. With librdkafka: kafkajs
 * lets aborted records through when the transactions of several producers lie in one another on a partition.
 */
import { randomBytes } from 'node:crypto';
import { kafkaSource } from '../../processors/adapters/kafka/consumer.ts';
import { beginning, type Telemetry } from '../../processors/runtime/ports.ts';

export type Committed = {
  readonly offset: bigint;
  readonly key: Buffer;
  readonly value: Buffer | null;
};

export type CommittedReader = {
  /** By `topic-partition`, in the order in which they were seen. */
  readonly seen: ReadonlyMap<string, readonly Committed[]>;
  /** By `topic-partition`: the committed end, where it has been reached. */
  readonly reached: ReadonlyMap<string, bigint>;
  readonly stop: () => Promise<void>;
};

export async function readCommitted(
  brokers: string,
  places: readonly { readonly topic: string; readonly partition: number }[],
): Promise<CommittedReader> {
  const group = `reader-${randomBytes(6).toString('hex')}`;
  const source = await kafkaSource({ brokers, group, telemetry: silent });
  source.assign(places.map((place) => ({ ...place, offset: beginning })));
  const name = (place: (typeof places)[number]): string => `${place.topic}-${place.partition}`;
  const seen = new Map<string, Committed[]>(places.map((place) => [name(place), []]));
  const reached = new Map<string, bigint>();
  let stopped = false;
  const reading = (async () => {
    while (!stopped) {
      const polled = await source.poll({ recordsMax: 5_000, waitMs: 50 });
      for (const record of polled.records) {
        const { offset, key, value } = record;
        seen.get(name(record))?.push({
          offset,
          key: Buffer.from(key ?? []),
          value: value === undefined ? null : Buffer.from(value),
        });
      }
      for (const end of polled.ends) reached.set(name(end), end.offset);
    }
    await source.close();
  })();
  return {
    seen,
    reached,
    stop: () => {
      stopped = true;
      return reading;
    },
  };
}

export const silent: Telemetry = {
  log: () => {},
  committed: () => {},
  aborted: () => {},
  restored: () => {},
  lag: () => {},
  rebalanced: () => {},
};
