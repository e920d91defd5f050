/** Asks a source's connector for something while it runs, by Debezium's signal topic. kafkajs, off the hot path. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { foreignSettings, type TopicSettings } from './kafka/admin.ts';

/** One for all connectors, as their configurations name it: each takes what has its own name for a key. */
export const signalTopic: TopicSettings = foreignSettings({ name: 'stockline.signal' });

/**
 * Has tables read again at one moment, schema and name each, while their changes wait. Resolves when the signal is
 * written; the rows come when the connector has seen it.
 */
export async function signalBlockingSnapshot(
  brokers: string,
  request: { readonly connector: string; readonly tables: readonly string[] },
): Promise<void> {
  const kafka = new Kafka({
    clientId: 'stockline-signal',
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const signal = {
    id: randomUUID(),
    type: 'execute-snapshot',
    // Names are patterns to Debezium.
    data: {
      'data-collections': request.tables.map((table) => table.replaceAll('.', '\\.')),
      type: 'BLOCKING',
    },
  };
  await producer.connect();
  try {
    await producer.send({
      topic: signalTopic.name,
      acks: -1,
      messages: [{ key: request.connector, value: JSON.stringify(signal) }],
    });
  } finally {
    await producer.disconnect();
  }
}
