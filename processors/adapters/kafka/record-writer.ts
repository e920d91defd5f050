/** Writes records of our own topics as a client does: at least once, acknowledged by the broker. kafkajs. */
import { Kafka, logLevel } from 'kafkajs';
import { partitionOf } from '../../topology/partitioner.ts';
import type { Topic } from '../../topology/topic.ts';
import { gatheredSends } from './gathered-sends.ts';
import { clientCodecs, type KafkaPlaces } from './topic-reader.ts';

export type RecordWriter<K, V> = {
  /** Resolves when the broker has it; goes to the key's partition unless another is named. Records that are handed over together travel together. */
  readonly write: (key: K, value: V, partition?: number) => Promise<void>;
  /** Nothing is known of the key any more: a tombstone. */
  readonly end: (key: K) => Promise<void>;
  /** Waits for what is on its way. */
  readonly close: () => Promise<void>;
};

type Message = {
  readonly key: Buffer;
  readonly value: Buffer | null;
  readonly partition: number;
  readonly timestamp: string;
};

/** A send stays well below what a topic takes at once. */
const sendBytes = 262_144;

export async function recordWriter<K, V>(
  places: KafkaPlaces,
  topic: Topic<K, V>,
): Promise<RecordWriter<K, V>> {
  const untyped = topic as unknown as Topic<never, never>;
  const codecs = clientCodecs(places);
  await codecs.prepare([untyped]);
  const kafka = new Kafka({
    clientId: 'stockline-writer',
    brokers: places.brokers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const sends = gatheredSends<Message>(
    (messages) => producer.send({ topic: topic.name, messages, acks: -1 }),
    sendBytes,
  );
  const gather = (
    key: K,
    value: Uint8Array | null,
    partition = partitionOf(topic.partitionBy(key), topic.partitions),
  ): Promise<void> => {
    const message = {
      key: Buffer.from(codecs.encodeKey(untyped, key)),
      value: value === null ? null : Buffer.from(value),
      partition,
      timestamp: String(Date.now()),
    };
    return sends.send(message, message.key.length + (message.value?.length ?? 0));
  };
  return {
    write: async (key, value, partition) =>
      gather(key, codecs.encodeValue(untyped, value), partition),
    end: async (key) => gather(key, null),
    close: async () => {
      await sends.settled();
      await producer.disconnect();
    },
  };
}

/** One record, by a writer of its own. */
export async function writeRecord<K, V>(
  places: KafkaPlaces,
  topic: Topic<K, V>,
  key: K,
  value: V,
): Promise<void> {
  const writer = await recordWriter(places, topic);
  try {
    await writer.write(key, value);
  } finally {
    await writer.close();
  }
}

/** The same record to every partition: each that reads them decides for itself. */
export async function writeToEveryPartition<K, V>(
  places: KafkaPlaces,
  topic: Topic<K, V>,
  key: K,
  value: V,
): Promise<void> {
  const writer = await recordWriter(places, topic);
  try {
    const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
    await Promise.all(partitions.map((partition) => writer.write(key, value, partition)));
  } finally {
    await writer.close();
  }
}
