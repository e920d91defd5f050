/** The consumer on a real broker: what it is told of a partition that it cannot read on. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, inject, it } from 'vitest';
import { kafkaSource } from '../../processors/adapters/kafka/consumer.ts';
import { beginning } from '../../processors/runtime/ports.ts';
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
