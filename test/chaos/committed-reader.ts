/** Reads topics in read_committed by kafkajs, from the beginning, and keeps every record at its offset. */
import { randomBytes } from 'node:crypto';
import { type Admin, Kafka, logLevel } from 'kafkajs';

export type Committed = {
  readonly offset: bigint;
  readonly key: Buffer;
  readonly value: Buffer | null;
};

export type CommittedReader = {
  /** By `topic-partition`, in the order in which they were seen. */
  readonly seen: ReadonlyMap<string, readonly Committed[]>;
  /** True when the last record before each end has been seen, or passed over as nobody's. */
  readonly caughtUp: () => Promise<boolean>;
  readonly stop: () => Promise<void>;
};

export async function readCommitted(
  brokers: string,
  topics: readonly string[],
): Promise<CommittedReader> {
  const kafka = new Kafka({
    clientId: 'tally-reader',
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 50, initialRetryTime: 50, maxRetryTime: 500 },
  });
  const consumer = kafka.consumer({
    groupId: `reader-${randomBytes(6).toString('hex')}`,
    maxWaitTimeInMs: 20,
    minBytes: 1,
    readUncommitted: false,
  });
  const admin = kafka.admin();
  await Promise.all([consumer.connect(), admin.connect()]);
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  const seen = new Map<string, Committed[]>();
  const positions = new Map<string, bigint>();
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      const place = `${batch.topic}-${batch.partition}`;
      const known = seen.get(place) ?? [];
      seen.set(place, known);
      const position = positions.get(place) ?? 0n;
      for (const message of batch.messages) {
        const offset = BigInt(message.offset);
        // A reader that was thrown out of its group begins again; what it saw it does not take twice.
        if (offset < position) continue;
        known.push({ offset, key: message.key as Buffer, value: message.value });
      }
      const end = BigInt(batch.lastOffset()) + 1n;
      if (end > position) positions.set(place, end);
    },
  });
  return {
    seen,
    caughtUp: async () => {
      const ends = await endsOf(admin, topics);
      return [...ends].every(([place, end]) => (positions.get(place) ?? 0n) >= end);
    },
    stop: async () => {
      await Promise.all([consumer.disconnect(), admin.disconnect()]);
    },
  };
}

/** The end of each `topic-partition`, whatever is still open before it. */
export async function endsOf(
  admin: Admin,
  topics: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  const ends = await Promise.all(
    topics.map(async (topic) => {
      const parts = await admin.fetchTopicOffsets(topic);
      return parts.map(({ partition, high }) => [`${topic}-${partition}`, BigInt(high)] as const);
    }),
  );
  return new Map(ends.flat());
}
