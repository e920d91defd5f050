/**
 * Reads topics with kafkajs and @kafkajs/confluent-schema-registry: on purpose another client and another decoder
 * than the processors use, for comparisons, for the live screen and for tests.
 */
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import { type EachBatchPayload, Kafka, logLevel } from 'kafkajs';
import { answeredInTime } from '../avro/registry.ts';

/** Avro decimal as a number of units; enough digits for a screen and, at scale 3, exact below 9 * 10^12. */
class DecimalType extends avro.types.LogicalType {
  protected override _fromValue(bytes: Buffer): number {
    let unscaled = 0n;
    for (const byte of bytes) unscaled = (unscaled << 8n) | BigInt(byte);
    const bits = BigInt(bytes.length * 8);
    if (bytes.length > 0 && (bytes[0] ?? 0) > 127) unscaled -= 1n << bits;
    return Number(unscaled) / 1000;
  }

  protected override _toValue(): never {
    throw new Error('this reader does not write');
  }
}

export type ReadRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestampMs: number;
  readonly key: unknown;
  /** Undefined for a tombstone. */
  readonly value: unknown;
};

export type IndependentReader = {
  /** Reads from the beginning, `read_committed`, until stopped. */
  readonly stop: () => Promise<void>;
  /** Offsets up to which each `topic-partition` was read. */
  readonly positions: ReadonlyMap<string, bigint>;
  /** True when everything that is committed now has been read. */
  readonly caughtUp: () => Promise<boolean>;
};

export async function readTopics(options: {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly group: string;
  readonly topics: readonly string[];
  readonly onRecord: (record: ReadRecord) => void;
}): Promise<IndependentReader> {
  const kafka = new Kafka({
    clientId: options.group,
    brokers: options.brokers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const registry = new SchemaRegistry(
    { host: options.registryUrl },
    { [SchemaType.AVRO]: { logicalTypes: { decimal: DecimalType } } },
  );
  const consumer = kafka.consumer({
    groupId: options.group,
    maxWaitTimeInMs: 100,
    minBytes: 1,
    readUncommitted: false,
  });
  const positions = new Map<string, bigint>();
  const admin = kafka.admin();
  await Promise.all([consumer.connect(), admin.connect()]);
  await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat }: EachBatchPayload) => {
      const place = `${batch.topic}-${batch.partition}`;
      const reached = (next: bigint): void => {
        if (next > (positions.get(place) ?? 0n)) positions.set(place, next);
      };
      for (const message of batch.messages) {
        const offset = BigInt(message.offset);
        // Whoever has joined its group again begins anew: what was told is not told twice.
        if (offset >= (positions.get(place) ?? 0n)) {
          options.onRecord({
            topic: batch.topic,
            partition: batch.partition,
            offset: message.offset,
            timestampMs: Number(message.timestamp),
            key: await decode(registry, message.key),
            value: await decode(registry, message.value),
          });
          reached(offset + 1n);
        }
        resolveOffset(message.offset);
      }
      reached(BigInt(batch.lastOffset()) + 1n);
      await heartbeat();
    },
  });
  const caughtUp = async (): Promise<boolean> => {
    const ends = await Promise.all(
      options.topics.map(async (topic) => ({ topic, parts: await admin.fetchTopicOffsets(topic) })),
    );
    return ends.every(({ topic, parts }) =>
      parts.every((part) => {
        const end = BigInt(part.high);
        return end === 0n || (positions.get(`${topic}-${part.partition}`) ?? 0n) >= end - 1n;
      }),
    );
  };
  const stop = async (): Promise<void> => {
    await Promise.all([consumer.disconnect(), admin.disconnect()]);
  };
  return { stop, positions, caughtUp };
}

type Schema = { fromBuffer(bytes: Buffer): unknown };

async function decode(registry: SchemaRegistry, bytes: Buffer | null): Promise<unknown> {
  if (bytes === null) return undefined;
  const schema = knownSchemas.get(bytes.readInt32BE(1)) ?? (await learn(registry, bytes));
  return schema.fromBuffer(bytes.subarray(5));
}

const knownSchemas = new Map<number, Schema>();

async function learn(registry: SchemaRegistry, bytes: Buffer): Promise<Schema> {
  const id = bytes.readInt32BE(1);
  const schema = (await answeredInTime(registry.getSchema(id))) as unknown as Schema;
  knownSchemas.set(id, schema);
  return schema;
}
