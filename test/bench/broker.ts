/** The broker as the bench sees it: topics made anew, offsets asked for, records poured in. */
import { Kafka, logLevel } from 'kafkajs';
import rdkafka from 'node-rdkafka';
import { applyTopics, type TopicSettings } from '../../processors/adapters/kafka/admin.ts';
import { connect, disconnect } from '../../processors/adapters/kafka/client.ts';
import { recoveryOf } from '../../processors/runtime/errors.ts';
import type { RawPair } from './debezium-load.ts';

export type PlacedPair = RawPair & { readonly partition: number };

export type BenchBroker = Awaited<ReturnType<typeof benchBroker>>;

const queueFull = -184;
const attemptsMax = 20;

export async function benchBroker(brokers: string) {
  const kafka = new Kafka({
    clientId: 'stockline-bench',
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();

  const remove = async (names: readonly string[]): Promise<void> => {
    const existing = new Set(await admin.listTopics());
    const known = names.filter((name) => existing.has(name));
    if (known.length > 0) await admin.deleteTopics({ topics: known });
    while ((await admin.listTopics()).some((name) => known.includes(name))) await pause(50);
  };
  const total = (offsets: readonly { readonly offset: string }[]): number =>
    offsets.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  return {
    brokers,
    /** Empty topics, whatever was there. */
    anew: async (topics: readonly TopicSettings[]): Promise<void> => {
      await remove(topics.map(({ name }) => name));
      await patiently(() => applyTopics(brokers, topics));
    },
    remove,
    removeBeginningWith: async (beginning: string): Promise<void> => {
      await remove((await admin.listTopics()).filter((name) => name.startsWith(beginning)));
    },
    removeGroup: async (group: string): Promise<void> => {
      await admin.deleteGroups([group]).catch(() => undefined);
    },
    /** How many records the topics hold, markers of transactions among them. */
    ends: async (topics: readonly string[]): Promise<number> => {
      const found = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
      return total(found.flat().map(({ high }) => ({ offset: high })));
    },
    /** How far a group has come, all partitions together. */
    committed: async (group: string, topics: readonly string[]): Promise<number> => {
      const found = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
      return total(found.flatMap(({ partitions }) => partitions));
    },
    pour: (pairs: Iterable<PlacedPair>) => pour(brokers, pairs),
    close: () => admin.disconnect(),
  };
}

/** Writes as fast as the broker takes it; returns how many. */
async function pour(brokers: string, pairs: Iterable<PlacedPair>): Promise<number> {
  const producer = new rdkafka.Producer(
    {
      'bootstrap.servers': brokers,
      'enable.idempotence': true,
      'linger.ms': 20,
      'queue.buffering.max.messages': 200_000,
    } as rdkafka.ProducerGlobalConfig,
    {},
  );
  await connect(producer);
  let count = 0;
  for (const { topic, partition, key, value, timestampMs } of pairs) {
    const headers = [{ traceparent: traceOf(count) }];
    await whenThereIsRoom(producer, () =>
      producer.produce(
        topic,
        partition,
        value as Buffer,
        key as Buffer,
        timestampMs,
        undefined,
        headers,
      ),
    );
    count += 1;
  }
  await new Promise<void>((resolve, reject) =>
    producer.flush(60_000, (error) => (error ? reject(error) : resolve())),
  );
  await disconnect(producer);
  return count;
}

/** Hands a record to a client, again and again while its queue is full. */
export async function whenThereIsRoom(
  producer: { readonly poll: () => unknown },
  produce: () => void,
): Promise<void> {
  for (;;) {
    try {
      produce();
      return;
    } catch (error) {
      if ((error as { readonly code?: number }).code !== queueFull) throw error;
      producer.poll();
      await pause(5);
    }
  }
}

function traceOf(count: number): string {
  const digits = (count + 1).toString(16);
  return `00-${digits.padStart(32, '0')}-${digits.padStart(16, '0')}-01`;
}

/** Right after a topic was removed the broker may not know yet that there is a new one. */
async function patiently(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = attemptsMax; ; left -= 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (left === 1 || recoveryOf(error) !== 'retry') throw error;
      await pause(200);
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
