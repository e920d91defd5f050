/** Follows our own topics for a view in memory: committed records, decoded, and a proof of how current the view is. */
import { decodeBatch } from '../../runtime/decode.ts';
import { beginning, type PartitionOffset, type Telemetry } from '../../runtime/ports.ts';
import type { Topic } from '../../topology/topic.ts';
import type { StreamRecord } from '../../topology/topology.ts';
import type { Place } from './client.ts';
import { type KafkaSource, kafkaSource } from './consumer.ts';
import { clientCodecs, type KafkaPlaces } from './topic-reader.ts';

/** How a view is followed: by whom, and whether its records may come some milliseconds later and many at a time. */
export type Follower = { readonly name: string; readonly gatherMs?: number };

export type Followed = {
  readonly topic: Topic<never, never>;
  /** Present: only about so many of each partition's last records are read again at the start. */
  readonly last?: number;
};

export type FollowerEvents = {
  /** The first thing that is said of a partition: where reading begins. */
  readonly onOpen: (topic: string, partition: number, offset: number) => void;
  readonly onRecord: (record: StreamRecord) => void;
  /** Everything before `next` has been read. */
  readonly onPosition: (topic: string, partition: number, next: number) => void;
  /** Everything that was committed at `askedAtMs` has been read; said again and again, first when all is restored. */
  readonly onCurrent: (askedAtMs: number) => void;
  /** A fence is asked for now: what has been read before belongs to it. */
  readonly onAsk: () => void;
};

const askEveryMs = 200;
const recordsMax = 5_000;
const placeOf = (topic: string, partition: number): string => `${topic} ${partition}`;

/** Ends when `until` does. Throws what does not pass by itself. */
export async function followTopics(
  places: KafkaPlaces,
  { name, ...gathering }: Follower,
  followed: readonly Followed[],
  events: FollowerEvents,
  telemetry: Telemetry,
  until: AbortSignal,
): Promise<void> {
  const topicOf = topicsOf(followed);
  const group = `${name}-${process.pid}`;
  const source = await kafkaSource({ brokers: places.brokers, group, telemetry, ...gathering });
  const codecs = clientCodecs(places);
  const partitions = partitionsOf(followed);
  const positions = new Map<string, bigint>();
  let fence: { readonly askedAtMs: number; readonly ends: ReadonlyMap<string, bigint> } | undefined;

  const ends = async (): Promise<ReadonlyMap<string, bigint>> => {
    const found = await source.ends(partitions);
    return new Map(
      partitions.map((one, index) => [placeOf(one.topic, one.partition), found[index] ?? 0n]),
    );
  };
  const start = (): Promise<readonly PartitionOffset[]> =>
    Promise.all(
      partitions.map(async ({ topic, partition, last }) => {
        const offset = await startOf(source, { topic, partition }, last);
        events.onOpen(topic, partition, Math.max(0, Number(offset)));
        return { topic, partition, offset };
      }),
    );
  const move = (topic: string, partition: number, next: bigint): void => {
    positions.set(placeOf(topic, partition), next);
    events.onPosition(topic, partition, Number(next));
  };
  const passFence = (): void => {
    if (fence === undefined) return;
    for (const [place, end] of fence.ends) if ((positions.get(place) ?? 0n) < end) return;
    const { askedAtMs } = fence;
    fence = undefined;
    events.onCurrent(askedAtMs);
  };

  let isAsking = false;
  const ask = async (): Promise<void> => {
    if (isAsking || fence !== undefined) return;
    isAsking = true;
    const askedAtMs = Date.now();
    events.onAsk();
    try {
      fence = { askedAtMs, ends: await ends() };
    } catch (error) {
      telemetry.log('debug', 'the ends are not known', { error: String(error) });
    } finally {
      isAsking = false;
    }
  };
  let asking: NodeJS.Timeout | undefined;
  try {
    source.assign(await start());
    asking = setInterval(ask, askEveryMs);
    while (!until.aborted) {
      const poll = await source.poll({ recordsMax, waitMs: 20 });
      const decoded = await decodeBatch(poll.records, topicOf, codecs, codecs.learn);
      for (const { raw, input } of decoded) {
        if ('kind' in input) events.onRecord(input.record);
        else telemetry.log('warn', 'a record cannot be read', { topic: raw.topic, ...input });
        move(raw.topic, raw.partition, raw.offset + 1n);
      }
      // Markers of transactions lie between the last record and the end.
      for (const end of poll.ends) move(end.topic, end.partition, end.offset);
      passFence();
    }
  } finally {
    clearInterval(asking);
    await source.close();
  }
}

/** Where the last so many records begin, or as many of them as are kept. */
async function startOf(
  source: KafkaSource,
  place: Place,
  last: number | undefined,
): Promise<bigint> {
  if (last === undefined) return beginning;
  const { first, end } = await source.bounds(place);
  const from = end - BigInt(last);
  return from < first ? first : from;
}

function topicsOf(followed: readonly Followed[]): (name: string) => Topic<never, never> {
  const topics = new Map(followed.map(({ topic }) => [topic.name, topic]));
  return (name) => {
    const known = topics.get(name);
    if (known === undefined) throw new Error(`topic ${name} is not followed`);
    return known;
  };
}

function partitionsOf(followed: readonly Followed[]) {
  return followed.flatMap(({ topic, last }) =>
    Array.from({ length: topic.partitions }, (_, partition) => ({
      topic: topic.name,
      partition,
      last,
    })),
  );
}
