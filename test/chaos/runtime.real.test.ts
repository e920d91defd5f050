/** Chaos on a real broker: a sample of the seeded runs, and the two holes of a plain loop, each with its defence off. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyTopics } from '../../processors/adapters/kafka-admin.ts';
import { kafkaSource } from '../../processors/adapters/kafka-consumer.ts';
import { kafkaProducer } from '../../processors/adapters/kafka-producer.ts';
import { systemClock } from '../../processors/adapters/kafka-runtime.ts';
import { PipelineError } from '../../processors/runtime/errors.ts';
import { limits } from '../../processors/runtime/limits.ts';
import type { OutputRecord, TransactionalProducer } from '../../processors/runtime/ports.ts';
import { createTransactions } from '../../processors/runtime/transaction.ts';
import { changelogName } from '../../processors/topology/topology.ts';
import { type ChaosKafka, startChaosKafka } from './chaos-kafka.ts';
import { allTopics, arrived, placesOf, runChaos, tallySettings } from './chaos-run.ts';
import { readCommitted, silent } from './committed-reader.ts';
import { endTransaction } from './kafka-proxy.ts';
import { tallyTopics } from './tally.ts';
import { settled, startMember, within } from './tally-group.ts';
import { startLoad } from './tally-load.ts';
import { expectedOf, faultsOf } from './tally-verdict.ts';
import { readWhole } from './whole-log.ts';

let kafka: ChaosKafka;
beforeAll(async () => {
  kafka = await startChaosKafka(() => {});
});
afterAll(() => kafka.close());

describe('chaos on a real broker', () => {
  it.each([1_000_010, 1_000_030])('E1: nothing is lost or doubled in run %i', async (seed) => {
    const result = await runChaos(kafka, seed, { report: () => {} });
    expect(result.violations).toEqual([]);
    expect(result.faults.map(({ ineffective }) => ineffective)).toEqual([undefined, undefined]);
  });

  it('E1: a zombie that wakes up after its successor commits nothing', async () => {
    expect(await faultsOfZombie({ unfenced: false })).toEqual([]);
  });

  it('E1: the same zombie doubles records when transactional ids are not tied to partitions', async () => {
    const faults: string[] = [];
    // Sometimes the zombie's own client gives its transaction up before anybody has to.
    for (let attempt = 0; attempt < 5 && !faults.some(isDoubled); attempt++) {
      faults.push(...(await faultsOfZombie({ unfenced: true })));
    }
    expect(faults.filter(isDoubled)).not.toEqual([]);
  });

  it('E1: a delayed end of one transaction does not commit the next one, which was aborted', async () => {
    expect(await leakedByDelayedEnd({ givesUpSlowProducers: true })).toBe(0);
  });

  it('E1: the same delayed end commits it when a slow producer is used again', async () => {
    expect(await leakedByDelayedEnd({ givesUpSlowProducers: false })).toBe(aborted);
  });
});

function isDoubled(fault: string): boolean {
  return fault.includes('doubled');
}

/** Stopped between its records and their offsets, woken when another process has done its work. */
async function faultsOfZombie({ unfenced }: { readonly unfenced: boolean }) {
  const prefix = `zombie-${unfenced}-${Date.now().toString(36)}`;
  const topics = tallyTopics(prefix);
  const directory = mkdtempSync(join(tmpdir(), 'stockline-zombie-'));
  await applyTopics(kafka.direct, tallySettings(prefix, topics));
  const start = (name: string) =>
    startMember(name, {
      brokers: kafka.proxied,
      prefix,
      stateDirectory: join(directory, name),
      assignment: 'elastic',
      unfenced,
    });
  const reader = await readCommitted(kafka.direct, placesOf(topics));
  const zombie = start('zombie');
  const load = await startLoad({ brokers: kafka.direct, topics, seed: 1 });
  expect(await within(20_000, () => settled([zombie]))).toBe(true);
  zombie.arm({ point: 'produced', signal: 'SIGSTOP', after: 3 });
  expect(await within(10_000, zombie.stopped)).toBe(true);
  const successor = start('successor');
  const processes = [zombie, successor];
  expect(await within(14_000, () => settled([successor]))).toBe(true);
  await load.stop();
  await within(3_000, () => successor.status()?.lagRecords === 0);
  zombie.kill('SIGCONT');
  // It is fenced, or it has committed and gone on.
  await within(4_000, () => zombie.fences() > 0);
  await within(20_000, () => settled(processes) && arrived(topics, reader.seen));
  for (const one of processes) one.kill('SIGTERM');
  await within(12_000, () => processes.every(({ alive }) => !alive()));
  for (const one of processes) one.kill('SIGKILL');
  await reader.stop();
  const log = await readWhole(kafka.direct, [
    ...allTopics(topics),
    changelogName({ name: prefix }),
  ]);
  rmSync(directory, { recursive: true, force: true });
  if (!unfenced) expect(zombie.fences()).toBeGreaterThan(0);
  return [...log.hanging, ...faultsOf(topics, log.seen, expectedOf(topics, log.seen))];
}

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
      consumer: source.client,
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
