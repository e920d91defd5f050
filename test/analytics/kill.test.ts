/** The analytics process is killed again and again while it loads. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import { readTotals } from '../../processors/analytics/totals.ts';
import { typescript } from '../../processors/processes/node-options.ts';
import { type Engine, startEngine } from './engine.ts';
import { expectedFigures } from './fixed-log.ts';

const records = 3_000;
const program = fileURLToPath(new URL('./loading-process.ts', import.meta.url));
let engine: Engine;

beforeAll(() => {
  engine = startEngine();
});
afterAll(() => engine.close());

function startLoading(): ChildProcess {
  const folder = `${engine.folder}/clickhouse`;
  return spawn(process.execPath, [...typescript, program, folder, String(records)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Resolves with how it ended. */
async function ended(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return await new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
}

async function endAfter(signal: NodeJS.Signals, waitMs: number) {
  const child = startLoading();
  const end = ended(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  child.kill(signal);
  return await end;
}

it('E2: kill -9 at any moment loses nothing and doubles nothing', async () => {
  for (const waitMs of [35, 90, 190, 310]) {
    expect(await endAfter('SIGKILL', waitMs)).toBe('SIGKILL');
  }
  expect(await endAfter('SIGTERM', 100)).toBe(0);
  expect(await ended(startLoading())).toBe(0);

  const store = clickHouseStore(await engine.open('stockline'));
  const { sum, last } = expectedFigures(records);
  expect(
    await store.select(
      'SELECT toString(count()), toString(uniqExact(effect_id)), toString(sum(quantity)) FROM movements_of_sku',
    ),
  ).toEqual([[String(records), String(records), String(sum / 1000)]]);
  expect(await store.select('SELECT toString(count()) FROM ledger_entries')).toEqual([
    [String(records)],
  ]);
  expect(await store.select('SELECT toString(count()) FROM ledger_entry_changes')).toEqual([
    [String(records * 2)],
  ]);
  const totals = await readTotals(store.select);
  expect(totals.cells.size).toBe(last.size);
  for (const [sku, quantity] of last) {
    expect(totals.cells.get(`${sku}|S01`)?.onHand).toBe(quantity);
    expect(totals.sellable.get(`web|${sku}`)).toBe(Math.max(0, quantity));
  }
});
