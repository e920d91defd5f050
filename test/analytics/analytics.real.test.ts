/** Records of a real broker, written in transactions, into a real embedded ClickHouse. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { registerSchemas } from '../../processors/adapters/avro/registry.ts';
import { analyticsRuntime } from '../../processors/adapters/clickhouse/runtime.ts';
import { applyTopics, topicSettings } from '../../processors/adapters/kafka/admin.ts';
import { kafkaRuntime } from '../../processors/adapters/kafka/runtime.ts';
import { runAnalytics } from '../../processors/analytics/run.ts';
import { loadedTopics } from '../../processors/analytics/tables.ts';
import { readTotals } from '../../processors/analytics/totals.ts';
import { askAnalytics } from '../../processors/cli/sql.ts';
import type { Telemetry } from '../../processors/runtime/ports.ts';
import {
  channelStock,
  deadLetters,
  ledger,
  movements,
  stockLevels,
} from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import { channelFigure, deadLetter, effect, entry, level, movement } from './samples.ts';

const web = channelStock('analytics-test');
const topics = loadedTopics(['analytics-test']);
const quiet: Telemetry = {
  log: () => undefined,
  committed: () => undefined,
  aborted: () => undefined,
  restored: () => undefined,
  lag: () => undefined,
  rebalanced: () => undefined,
};
const loadingDeadlineMs = 60_000;

it('E2: what a broker holds is what the views show, over restarts and aborted transactions', async () => {
  const { kafkaBrokers: brokers, registryUrl } = inject('stack');
  const folder = mkdtempSync(join(tmpdir(), 'stockline-analytics-real-'));
  await applyTopics(brokers, topics.map(topicSettings));
  await registerSchemas(registryUrl, topics);
  const write = await writer(brokers, registryUrl, `${folder}/writer`);
  const load = (until: (rows: string) => boolean) => loadUntil(folder, brokers, registryUrl, until);

  await write.transaction(1, 40);
  await write.aborted(900, 910);
  await load((rows) => Number(rows) >= 40);
  await write.transaction(41, 55);
  const { totals, rows } = await load((found) => Number(found) >= 55);

  expect(rows).toBe('55');
  expect(totals.cells.size).toBe(55);
  expect(totals.cells.get('real-55|S01')?.onHand).toBe(55_500);
  expect(totals.sellable.get('analytics-test|real-7')).toBe(7_500);
  expect([...totals.cells.keys()].filter((cell) => cell.startsWith('real-9'))).toEqual([
    'real-9|S01',
  ]);
  await write.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One process' life: opens, loads until the movements are there, closes. */
async function loadUntil(
  folder: string,
  brokers: string,
  registryUrl: string,
  until: (rows: string) => boolean,
) {
  const runDirectory = `${folder}/run`;
  const runtime = await analyticsRuntime({
    brokers,
    registryUrl,
    topics,
    stateDirectory: `${folder}/state`,
    runDirectory,
    telemetry: quiet,
  });
  const end = new AbortController();
  const reports: string[] = [];
  const analytics = runAnalytics({
    ...runtime,
    channels: ['analytics-test'],
    signal: end.signal,
    report: (sentence) => reports.push(sentence),
  });
  const ask = async (query: string) => {
    const text = await askAnalytics(runDirectory, query, 'JSONCompactEachRow');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as readonly unknown[]);
  };
  const count = "SELECT toString(count()) FROM movements_of_sku WHERE sku LIKE 'real-%'";
  const giveUpAtMs = Date.now() + loadingDeadlineMs;
  let rows = '';
  while (!until(rows) && Date.now() < giveUpAtMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    rows = String((await ask(count))[0]?.[0]);
  }
  // One more block, so that the other tables have the same records.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const totals = await readTotals((query) => ask(`${query} WHERE sku LIKE 'real-%'`));
  end.abort();
  await analytics.done;
  await runtime.close();
  expect(reports).toEqual([]);
  return { rows, totals };
}

/** Writes every kind of record for `real-<n>`, each range in one transaction over all topics. */
async function writer(brokers: string, registryUrl: string, stateDirectory: string) {
  const runtime = kafkaRuntime({ brokers, registryUrl, stateDirectory, telemetry: quiet });
  const source = await runtime.createSource('analytics-test-writer');
  const producer = await runtime.createProducer('analytics-test-writer', source);
  await runtime.codecs.prepare(topics);
  await producer.init();

  const produce = (topic: unknown, partition: number, key: unknown, value: unknown): void => {
    const known = topic as Topic<never, never>;
    producer.produce({
      topic: known.name,
      partition,
      timestampMs: Date.now(),
      key: runtime.codecs.encodeKey(known, key),
      value: runtime.codecs.encodeValue(known, value),
      headers: [],
    });
  };
  const produceRange = (from: number, to: number): void => {
    for (let n = from; n <= to; n += 1) {
      const sku = `real-${n}`;
      const units = n * 1000 + 500;
      produce(movements, n % 4, sku, movement(sku, [effect({ quantity: units })], `m${n}`));
      produce(ledger, n % 4, sku, { ...entry(sku, 1, units) });
      produce(stockLevels, n % 4, { sku, location: 'S01' }, level(sku, 'S01', 1, units));
      produce(web, n % 4, sku, channelFigure('analytics-test', sku, 1, units));
    }
    produce(deadLetters, 0, 'x', deadLetter);
  };
  return {
    transaction: async (from: number, to: number) => {
      await producer.begin();
      produceRange(from, to);
      await producer.commit();
    },
    aborted: async (from: number, to: number) => {
      await producer.begin();
      produceRange(from, to);
      // The records shall be in the log before it is known that they do not count.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await producer.abort();
    },
    close: async () => {
      await producer.close();
      await source.close();
    },
  };
}
