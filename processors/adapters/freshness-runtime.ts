/** Kafka as the freshness of a process needs it: the connectors' heartbeats, the topic itself, and where others end. */
import type { Freshness } from '../../schemas/types.ts';
import type { FreshnessPorts } from '../freshness/ports.ts';
import { decodeBatch } from '../runtime/decode.ts';
import type { RawRecord, Telemetry } from '../runtime/ports.ts';
import type { Topic } from '../topology/topic.ts';
import { connectorState, stateInWords } from './connect-rest.ts';
import { kafkaSource } from './kafka/consumer.ts';
import { recordWriter } from './kafka/record-writer.ts';
import { systemClock } from './kafka/runtime.ts';
import { clientCodecs, type KafkaPlaces } from './kafka/topic-reader.ts';

const recordsMax = 1_000;
const askTimeoutMs = 1_000;
/** Kafka Connect's answer holds for so long: each costs it some milliseconds of work. */
const askEveryMs = 500;
/** Words of all hops come at any moment; one fetch brings those of so long. */
const gatherMs = 100;

export async function freshnessRuntime(options: {
  readonly places: KafkaPlaces;
  readonly topic: Topic<string, Freshness>;
  /** By source: where its connector's heartbeats go. */
  readonly heartbeats: ReadonlyMap<string, string>;
  /** Kafka Connect's REST interface, where it can be asked; connectors are named as their sources are. */
  readonly connectUrl: string | undefined;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
}): Promise<{ readonly ports: FreshnessPorts; readonly close: () => Promise<void> }> {
  const { places, topic, connectUrl, telemetry, signal } = options;
  const untyped = topic as unknown as Topic<never, never>;
  const sourceOf = new Map([...options.heartbeats].map(([source, name]) => [name, source]));
  const client = await kafkaSource({
    brokers: places.brokers,
    group: `freshness-${process.pid}`,
    gatherMs,
    telemetry,
  });
  const writer = await recordWriter(places, topic);
  const codecs = clientCodecs(places);
  const followed = [
    ...[...sourceOf.keys()].map((name) => ({ topic: name, partition: 0 })),
    ...Array.from({ length: topic.partitions }, (_, partition) => ({
      topic: topic.name,
      partition,
    })),
  ];

  const follow: FreshnessPorts['follow'] = async ({ heartbeat, said }) => {
    // Only what is said from now on counts, and it is said again and again.
    const ends = await client.ends(followed);
    client.assign(followed.map((place, index) => ({ ...place, offset: ends[index] ?? 0n })));
    while (!signal.aborted) {
      const { records } = await client.poll({ recordsMax, waitMs: 100 });
      const own: RawRecord[] = [];
      for (const record of records) {
        const source = sourceOf.get(record.topic);
        // Its content does not matter: that the connector wrote it then does.
        if (source === undefined) own.push(record);
        else heartbeat(source, record.timestampMs);
      }
      for (const { raw, input } of await decodeBatch(own, () => untyped, codecs, codecs.learn)) {
        if (!('kind' in input) || input.record.value === undefined) continue;
        said(raw.partition, input.record.value as Freshness);
      }
    }
  };
  return {
    ports: {
      follow,
      ends: client.ends,
      troubleOf: connectUrl === undefined ? async () => '' : askingConnect(connectUrl),
      write: (partition, freshness) => writer.write(freshness.source, freshness, partition),
      sleep: systemClock.sleep,
      now: systemClock.nowMs,
      report: (error) => telemetry.log('warn', 'freshness is not told', { error: String(error) }),
    },
    close: async () => {
      await client.close();
      await writer.close();
    },
  };
}

/** What keeps the connector of a source from capturing, as Kafka Connect says; asked now and then. */
function askingConnect(connectUrl: string): FreshnessPorts['troubleOf'] {
  const ask = async (source: string): Promise<string> => {
    try {
      const told = await connectorState(connectUrl, source, askTimeoutMs);
      return told.state === 'RUNNING' ? '' : stateInWords(source, told);
    } catch {
      return 'Kafka Connect does not answer';
    }
  };
  const answers = new Map<string, { readonly atMs: number; readonly trouble: Promise<string> }>();
  return (source) => {
    const nowMs = systemClock.nowMs();
    const known = answers.get(source);
    if (known !== undefined && nowMs - known.atMs < askEveryMs) return known.trouble;
    const trouble = ask(source);
    answers.set(source, { atMs: nowMs, trouble });
    return trouble;
  };
}
