import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyTopics } from '../../processors/adapters/kafka/admin.ts';
import { kafkaSource } from '../../processors/adapters/kafka/consumer.ts';
import { kafkaProducer } from '../../processors/adapters/kafka/producer.ts';
import { systemClock } from '../../processors/adapters/kafka/runtime.ts';
import { PipelineError } from '../../processors/runtime/errors.ts';
import { limits } from '../../processors/runtime/limits.ts';
import type { OutputRecord, TransactionalProducer } from '../../processors/runtime/ports.ts';
import { createTransactions } from '../../processors/runtime/transaction.ts';
import { type ChaosKafka, startChaosKafka } from './chaos-kafka.ts';
import { runChaos } from './chaos-run.ts';
import { silent } from './committed-reader.ts';
import { endTransaction } from './kafka-proxy.ts';
import { readWhole } from './whole-log.ts';

let kafka: ChaosKafka;
beforeAll(async () => {
  kafka = await startChaosKafka(() => {});
});
afterAll(() => kafka.close());

describe('chaos on a real broker', () => {
  it('E1: nothing is lost or doubled in a run whose faults took effect', async () => {
    for (const seed of [1_000_010, 1_000_020, 1_000_030, 1_000_040]) {
      const result = await runChaos(kafka, seed, { report: () => {} });
      expect(result.violations).toEqual([]);
      // A fault that met nobody proves nothing: another run takes its place.
      if (result.faults.every(({ ineffective }) => ineffective === undefined)) return;
    }
    expect.fail('in four runs not every fault took effect');
  });

  it('E1: a delayed end of one transaction does not commit the next one, which was aborted', async () => {
    expect(await leakedByDelayedEnd({ givesUpSlowProducers: true })).toBe(0);
  });

  it('E1: the same delayed end commits it when a slow producer is used again', async () => {
    expect(await leakedByDelayedEnd({ givesUpSlowProducers: false })).toBe(aborted);
  });
});

const aborted = 10;

/** How many records of an aborted transaction a reader sees, when the end of the one before arrives late. */
async function leakedByDelayedEnd(defence: { readonly givesUpSlowProducers: boolean }) {
  const topic = `torn-${defence.givesUpSlowProducers}-${Date.now().toString(36)}`;
  await applyTopics(kafka.direct, [{ name: topic, partitions: 1, config: {} }]);
  const source = await kafkaSource({ brokers: kafka.proxied, group: topic, telemetry: silent });
  let late: Promise<unknown> | undefined;
  let failing = false;
  const createProducer = async (): Promise<TransactionalProducer> => {
    const producer = await kafkaProducer({
      brokers: kafka.proxied,
      transactionalId: topic,
      source,
      telemetry: silent,
    });
    return {
      ...producer,
      ...(defence.givesUpSlowProducers ? {} : { disturbed: () => false }),
      sendOffsets: async () => {
        if (!failing) return;
        await late;
        throw new PipelineError('TEST', 'abort', 'to be aborted');
      },
    };
  };
  const standing = { ...systemClock, nowMs: () => 0 };
  const clock = defence.givesUpSlowProducers ? systemClock : standing;
  const transactions = createTransactions({ createProducer, clock, telemetry: silent });
  await transactions.open();
  late = kafka.proxy.hold(endTransaction, limits.socketTimeoutMs + 3_000);
  expect(await transactions.run(recordsOf(topic, 'committed'), [])).toBe('committed');
  if (!transactions.usable()) await transactions.open();
  failing = true;
  // The late end makes an undefended producer fail in ways of its own.
  await transactions.run(recordsOf(topic, 'aborted'), []).catch(() => {});
  await transactions.close();
  await source.close();
  const { seen } = await readWhole(kafka.direct, [topic]);
  const values = (seen.get(`${topic}-0`) ?? []).map(({ value }) => String(value));
  expect(values.filter((value) => value === 'committed')).toHaveLength(aborted);
  return values.filter((value) => value === 'aborted').length;
}

function recordsOf(topic: string, value: string): readonly OutputRecord[] {
  return Array.from({ length: aborted }, () => ({
    topic,
    partition: 0,
    timestampMs: Date.now(),
    key: undefined,
    value: Buffer.from(value),
    headers: [],
  }));
}
