/** Reads all that is committed in topics, and tells where a transaction hangs. */
import { Kafka, logLevel } from 'kafkajs';
import { type Committed, readCommitted } from './committed-reader.ts';
import { within } from './tally-group.ts';

export type WholeLog = {
  readonly seen: ReadonlyMap<string, readonly Committed[]>;
  /** Places whose committed end is not their end, as sentences. */
  readonly hanging: readonly string[];
};

export async function readWhole(brokers: string, topics: readonly string[]): Promise<WholeLog> {
  const places = await endsOf(brokers, topics);
  const reader = await readCommitted(brokers, places);
  const open = () =>
    places.filter(
      ({ topic, partition, end }) => (reader.reached.get(`${topic}-${partition}`) ?? 0n) < end,
    );
  await within(20_000, () => open().length === 0);
  await reader.stop();
  const hanging = open().map(({ topic, partition, end }) => {
    const reached = reader.reached.get(`${topic}-${partition}`);
    return `a transaction hangs: ${topic}-${partition} is committed to ${reached}, its end is ${end}`;
  });
  return { seen: reader.seen, hanging };
}

/** The end of each partition, whatever is still open before it. */
async function endsOf(brokers: string, topics: readonly string[]) {
  const kafka = new Kafka({
    clientId: 'whole-log',
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await Promise.all(
    topics.map(async (topic) => {
      const parts = await admin.fetchTopicOffsets(topic);
      return parts.map(({ partition, high }) => ({ topic, partition, end: BigInt(high) }));
    }),
  );
  await admin.disconnect();
  return ends.flat();
}
