/** Reads our own topics from the beginning to the end there is now, or on until told to stop. Decoded, committed records only. */
import { readChangelog } from '../../runtime/changelog.ts';
import { decodeBatch } from '../../runtime/decode.ts';
import {
  beginning,
  type Codecs,
  type PartitionOffset,
  type Telemetry,
} from '../../runtime/ports.ts';
import type { Topic } from '../../topology/topic.ts';
import type { StreamRecord } from '../../topology/topology.ts';
import { avroCodecs } from '../avro/codec.ts';
import { registrySchemas } from '../avro/registry.ts';
import { kafkaSource } from './consumer.ts';

export type KafkaPlaces = {
  readonly brokers: string;
  readonly registryUrl: string;
  /** Of a process: what it has fetched serves its next start when the registry does not answer. A command has none. */
  readonly schemasDirectory?: string;
};

export const clientCodecs = ({ registryUrl, schemasDirectory }: KafkaPlaces): Codecs =>
  avroCodecs(registrySchemas(registryUrl, schemasDirectory));

const silent: Telemetry = {
  log: () => {},
  committed: () => {},
  aborted: () => {},
  restored: () => {},
  lag: () => {},
  rebalanced: () => {},
};

export async function readTopic(
  places: KafkaPlaces,
  topic: Topic<never, never>,
  options: {
    readonly onRecord: (record: StreamRecord) => void;
    /** Absent: all. */
    readonly partitions?: readonly number[];
    /** Present: goes on reading until then; absent: ends where the topic ends now. */
    readonly until?: AbortSignal;
  },
): Promise<void> {
  const group = `reader-${process.pid}-${topic.name}`;
  const source = await kafkaSource({ brokers: places.brokers, group, telemetry: silent });
  const codecs = clientCodecs(places);
  const all = Array.from({ length: topic.partitions }, (_, partition) => partition);
  const partitions = options.partitions ?? all;
  const positions = new Map<number, bigint>();
  const ends = new Map<number, bigint>();
  try {
    for (const partition of options.until === undefined ? partitions : []) {
      ends.set(partition, await source.end({ topic: topic.name, partition }));
    }
    source.assign(
      partitions.map((partition) => ({ topic: topic.name, partition, offset: beginning })),
    );
    const isDone = (): boolean =>
      options.until === undefined
        ? partitions.every((one) => (positions.get(one) ?? 0n) >= (ends.get(one) ?? 0n))
        : options.until.aborted;
    while (!isDone()) {
      const poll = await source.poll({ recordsMax: 5_000, waitMs: 50 });
      const decoded = await decodeBatch(poll.records, () => topic, codecs, codecs.learn);
      for (const { raw, input } of decoded) {
        if ('kind' in input) options.onRecord(input.record);
        positions.set(raw.partition, raw.offset + 1n);
      }
      // Markers of transactions lie between the last record and the end.
      for (const end of poll.ends as readonly PartitionOffset[]) {
        positions.set(end.partition, end.offset);
      }
    }
  } finally {
    await source.close();
  }
}

/** A topic keyed by text as it stands now: the last value of each key. */
export async function readTable<V>(
  places: KafkaPlaces,
  topic: Topic<string, V>,
): Promise<ReadonlyMap<string, V>> {
  const values = new Map<string, V>();
  await readTopic(places, topic as unknown as Topic<never, never>, {
    onRecord: ({ key, value }) => {
      if (value === undefined) values.delete(String(key));
      else values.set(String(key), value as V);
    },
  });
  return values;
}

/** A changelog as it stands now: the last value of each key, of one partition. */
export async function readChanges(
  places: Pick<KafkaPlaces, 'brokers'>,
  topic: string,
  partition = 0,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const group = `reader-${process.pid}-${topic}`;
  const source = await kafkaSource({ brokers: places.brokers, group, telemetry: silent });
  const values = new Map<string, Uint8Array>();
  try {
    const end = await source.end({ topic, partition });
    source.assign([{ topic, partition, offset: beginning }]);
    let position = 0n;
    while (position < end) {
      const poll = await source.poll({ recordsMax: 5_000, waitMs: 50 });
      for (const record of poll.records) {
        position = record.offset + 1n;
        const entry = readChangelog(record);
        if (entry.kind === 'checkpoint') continue;
        if (entry.bytes === undefined) values.delete(entry.key);
        else values.set(entry.key, entry.bytes);
      }
      for (const one of poll.ends as readonly PartitionOffset[]) position = one.offset;
    }
    return values;
  } finally {
    await source.close();
  }
}
