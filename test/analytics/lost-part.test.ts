/** ClickHouse is killed after it has noted a block and before it has it, as its own log of blocks then says. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../processors/adapters/clickhouse/migrate.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import type { AnalyticsStore } from '../../processors/analytics/ports.ts';
import { type Engine, startEngine } from './engine.ts';
import { fixedLog } from './fixed-log.ts';
import { loadAll } from './loading.ts';

const records = 40;
let engine: Engine;
beforeEach(() => {
  engine = startEngine();
});
afterEach(() => engine.close());

async function openStore(): Promise<AnalyticsStore> {
  const clickHouse = await engine.open('stockline');
  await migrate(clickHouse);
  return clickHouseStore(clickHouse);
}

it.each(['movements', 'sale_lines', 'ledger'])(
  'E2: a block that a crash has kept out of %s is there once it is repeated',
  async (table) => {
    const log = fixedLog(records);
    const count = `SELECT toString(count()) FROM ${table} FINAL`;
    const store = await openStore();
    await loadAll(log, store, ['web']);
    const before = await store.select(count);
    const parts = await store.select(
      `SELECT path FROM system.parts WHERE active AND database = 'stockline' AND table = '${table}'`,
    );
    await engine.end();
    expect(parts.length).toBeGreaterThan(0);
    for (const [path] of parts) rmSync(String(path), { recursive: true });
    const again = await openStore();
    expect(await again.select(count)).toEqual([['0']]);
    await loadAll(log, again, ['web']);
    expect(await again.select(count)).toEqual(before);
  },
);
