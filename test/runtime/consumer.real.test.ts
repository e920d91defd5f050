/** Readers on a real broker: what is told of a partition that cannot be read on, and of a registry that is away. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { registerSchemas } from '../../processors/adapters/avro/registry.ts';
import { kafkaSource } from '../../processors/adapters/kafka/consumer.ts';
import { readDeadLetters } from '../../processors/adapters/kafka/dead-letter-log.ts';
import { clientCodecs } from '../../processors/adapters/kafka/topic-reader.ts';
import { beginning } from '../../processors/runtime/ports.ts';
import { deadLetters } from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { DeadLetter } from '../../schemas/types.ts';
import { silent } from '../chaos/committed-reader.ts';

const tellWithinMs = 30_000;

it('D3: a place that is not kept any more stops the reader, and is not skipped; what another partition had is read', async () => {
  const brokers = inject('stack').kafkaBrokers;
  const topic = `consumer-${randomUUID()}`;
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
  await producer.send({ topic, messages: [{ partition: 0, value: 'there' }] });
  const source = await kafkaSource({ brokers, group: topic, telemetry: silent });
  try {
    source.assign([
      { topic, partition: 0, offset: beginning },
      { topic, partition: 1, offset: 999n },
    ]);
    const read: string[] = [];
    const readOn = async (): Promise<void> => {
      const giveUpAtMs = Date.now() + tellWithinMs;
      while (Date.now() < giveUpAtMs) {
        const { records } = await source.poll({ recordsMax: 100, waitMs: 100 });
        read.push(...records.map(({ value }) => String(value)));
      }
    };
    await expect(readOn()).rejects.toMatchObject({ code: 'OFFSET_GONE', recovery: 'stop' });
    expect(read).toEqual(['there']);
  } finally {
    await source.close();
    await admin.deleteTopics({ topics: [topic] });
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  }
});

const letter = (reason: string): DeadLetter => ({
  ...{ processor: 'intake-erp', code: 'LATE', reason },
  ...{ topic: 'erp.public.t', partition: 0, offset: 7, timestamp: 1_000 },
  ...{ key: null, value: Buffer.from('row'), headers: [], redrives: 0 },
});

describe('D3: dead letters', () => {
  const { kafkaBrokers: brokers, registryUrl } = inject('stack');
  const topic: Topic<string, DeadLetter> = {
    ...deadLetters,
    name: `letters-${randomUUID()}`,
    partitions: 1,
  };
  const untyped = topic as unknown as Topic<never, never>;
  const codecs = clientCodecs({ brokers, registryUrl });
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ transactionalId: topic.name, maxInFlightRequests: 1 });

  beforeAll(async () => {
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic: topic.name, numPartitions: 1 }] });
    await registerSchemas(registryUrl, [untyped]);
    await codecs.prepare([untyped]);
  });
  afterAll(async () => {
    await admin.deleteTopics({ topics: [topic.name] });
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  });

  const file = async (reason: string, end: 'commit' | 'abort'): Promise<void> => {
    const transaction = await producer.transaction();
    const key = Buffer.from(codecs.encodeKey(untyped, 'erp.stock'));
    const value = Buffer.from(codecs.encodeValue(untyped, letter(reason)));
    await transaction.send({ topic: topic.name, messages: [{ key, value }] });
    await transaction[end]();
  };

  it('are listed whole, whatever became of the last transaction on their topic', async () => {
    await file('first', 'commit');
    await file('taken back', 'abort');
    const filed = await readDeadLetters({ brokers, registryUrl }, topic);
    expect(filed.map(({ letter: { reason } }) => reason)).toEqual(['first']);
  });

  it('are not waited for in silence while the registry is away: it is said where it was looked for', async () => {
    const nowhere = 'http://127.0.0.1:9';
    const reading = readDeadLetters({ brokers, registryUrl: nowhere }, topic);
    await expect(reading).rejects.toThrow(`the schema registry at ${nowhere} does not answer`);
  });
});
