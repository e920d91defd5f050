/** ClickHouse is killed after it has noted a block and before it has it, as its own log of blocks then says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openClickHouse } from '../../processors/adapters/clickhouse-client.ts';
import { migrate } from '../../processors/adapters/clickhouse-migrate.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse-store.ts';
import { fixedLog } from './fixed-log.ts';
import { loadAll } from './loading.ts';

const records = 40;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stockline-lost-part-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function inEngine<T>(
  work: (store: ReturnType<typeof clickHouseStore>) => Promise<T>,
): Promise<T> {
  const engine = { kind: 'embedded', path: `${folder}/clickhouse` } as const;
  const clickHouse = await openClickHouse({ database: 'stockline', engine });
  await migrate(clickHouse);
  try {
    return await work(clickHouseStore(clickHouse));
  } finally {
    await clickHouse.close();
  }
}

it.each(['movements', 'sale_lines', 'ledger'])(
  'E2: a block that a crash has kept out of %s is there once it is repeated',
  async (table) => {
    const log = fixedLog(records);
    const count = `SELECT toString(count()) FROM ${table} FINAL`;
    const [before, parts] = await inEngine(async (store) => {
      await loadAll(log, store, ['web']);
      const paths = `SELECT path FROM system.parts WHERE active AND database = 'stockline' AND table = '${table}'`;
      return [await store.select(count), await store.select(paths)];
    });
    expect(parts.length).toBeGreaterThan(0);
    for (const [path] of parts) rmSync(String(path), { recursive: true });
    const after = await inEngine(async (store) => {
      expect(await store.select(count)).toEqual([['0']]);
      await loadAll(log, store, ['web']);
      return await store.select(count);
    });
    expect(after).toEqual(before);
  },
);
