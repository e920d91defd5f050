/** The same processor without transactions: records are flushed, then offsets are committed. What exactly once costs. */
import rdkafka from 'node-rdkafka';
import {
  connect,
  disconnect,
  type KafkaConsumerClient,
} from '../../processors/adapters/kafka/client.ts';
import { kafkaSource } from '../../processors/adapters/kafka/consumer.ts';
import { kafkaError } from '../../processors/adapters/kafka/errors.ts';
import { recordSender } from '../../processors/adapters/kafka/producer.ts';
import type {
  PartitionOffset,
  RecordSource,
  TransactionalProducer,
} from '../../processors/runtime/ports.ts';
import type { RuntimeAdapters } from '../../processors/runtime/run.ts';

const flushMs = 30_000;

export function atLeastOnce(
  world: RuntimeAdapters,
  options: { readonly brokers: string },
): RuntimeAdapters {
  const clients = new WeakMap<RecordSource, KafkaConsumerClient>();
  return {
    ...world,
    createSource: async (group) => {
      const source = await kafkaSource({ ...options, group, telemetry: world.telemetry });
      clients.set(source, source.client);
      return source;
    },
    createProducer: async (_, source) => {
      const consumer = clients.get(source);
      if (consumer === undefined) throw new Error('a source of another runtime');
      return plainProducer(options.brokers, consumer);
    },
  };
}

async function plainProducer(
  brokers: string,
  consumer: KafkaConsumerClient,
): Promise<TransactionalProducer> {
  const client = new rdkafka.Producer(
    {
      'bootstrap.servers': brokers,
      'enable.idempotence': true,
      'linger.ms': 5,
      'batch.num.messages': 10_000,
      'queue.buffering.max.messages': 200_000,
      'queue.buffering.max.kbytes': 262_144,
    } as rdkafka.ProducerGlobalConfig,
    {},
  );
  await connect(client);
  let places: readonly PartitionOffset[] = [];
  return {
    init: async () => {},
    begin: async () => {},
    produce: recordSender(client),
    drain: async () => {
      client.poll();
      await new Promise((resolve) => setTimeout(resolve, 1));
    },
    sendOffsets: async (offsets) => {
      places = offsets;
    },
    commit: async () => {
      await new Promise<void>((resolve, reject) =>
        client.flush(flushMs, (error) =>
          error ? reject(kafkaError(error, 'flushing')) : resolve(),
        ),
      );
      if (places.length === 0) return;
      consumer.commitSync(
        places.map(({ topic, partition, offset }) => ({
          topic,
          partition,
          offset: Number(offset),
        })),
      );
    },
    abort: async () => {},
    disturbed: () => false,
    close: () => disconnect(client),
  };
}
