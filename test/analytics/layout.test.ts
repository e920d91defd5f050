/** Clusters and retention: the statements are ones that ClickHouse reads, and retention does what it says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { historyTables, onCluster } from '../../processors/adapters/clickhouse/layout.ts';
import {
  applyRetention,
  migrate,
  readMigrations,
} from '../../processors/adapters/clickhouse/migrate.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import { boardChannels, boardData } from './board-data.ts';
import { type Engine, startEngine } from './engine.ts';
import { loadAll } from './loading.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine();
});
afterAll(() => engine.close());

describe('on a cluster', () => {
  const statements = readMigrations().flatMap(({ statements: own }) =>
    own.flatMap((statement) => onCluster(statement, 'shops')),
  );

  it('every statement is one that ClickHouse reads', async () => {
    const { writer } = await engine.database();
    expect(statements.length).toBeGreaterThan(50);
    await expect(writer.command({ query: 'EXPLAIN AST CREATE TABEL' })).rejects.toThrow();
    for (const statement of statements) {
      await writer.command({ query: `EXPLAIN AST ${statement}` });
    }
  });

  it('every table is replicated, and sharded so that rows which replace each other are together', () => {
    const tables = statements.filter((statement) => statement.startsWith('CREATE TABLE'));
    const local = tables.filter((statement) =>
      /_local ON CLUSTER/.test(statement.split('\n')[0] ?? ''),
    );
    expect(local.length * 2).toBe(tables.length);
    for (const statement of local)
      expect(statement).toMatch(/ENGINE = ReplicatedReplacingMergeTree\(/);
    for (const statement of tables.filter((one) => !local.includes(one))) {
      const shard = /cityHash64\((\w+)\)\)$/.exec(statement)?.[1] ?? '';
      const table = /AS (\w+) ENGINE/.exec(statement)?.[1] ?? '';
      const key =
        local.find((one) => one.includes(` ${table} `))?.match(/ORDER BY (.*)/)?.[1] ?? '';
      const isOfKey = key.includes(shard);
      // One record has one SKU per line, so its SKU follows from its place.
      expect(
        isOfKey || (shard === 'sku' && key.includes('_offset')),
        `${table} by ${shard}: ${key}`,
      ).toBe(true);
    }
  });

  it('settings are changed where rows are stored, and nowhere else', () => {
    const settings = statements.filter((statement) => statement.includes('MODIFY SETTING'));
    expect(settings.length).toBeGreaterThan(0);
    expect(settings.filter((statement) => !/^ALTER TABLE \w+_local /.test(statement))).toEqual([]);
  });

  it('views and changes reach every server', () => {
    const others = statements.filter((statement) => !statement.startsWith('INSERT'));
    expect(others.filter((statement) => !statement.includes("ON CLUSTER 'shops'"))).toEqual([]);
  });
});

describe('retention', () => {
  it('removes history, keeps what stands, and is safe to repeat and to take back', async () => {
    const clickHouse = await engine.database();
    const store = clickHouseStore(clickHouse);
    await loadAll(boardData(Date.now()).log, store, boardChannels);
    const count = async (table: string) =>
      Number((await store.select(`SELECT toString(count()) FROM ${table}`))[0]?.[0]);
    const [before, cells, figures] = [
      await count('movements'),
      await count('stock_now'),
      await count('channel_now'),
    ];
    expect(await applyRetention(clickHouse, { keepDays: 2 })).toHaveLength(historyTables.length);
    expect(await applyRetention(clickHouse, { keepDays: 2 })).toEqual([]);
    await clickHouse.writer.command({ query: 'OPTIMIZE TABLE movements FINAL' });
    const kept = await count('movements');
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(before);
    expect(await count('stock_now')).toBe(cells);
    expect(await count('channel_now')).toBe(figures);
    expect(await applyRetention(clickHouse, { keepDays: 30 })).toHaveLength(historyTables.length);
    expect(await applyRetention(clickHouse, {})).toHaveLength(historyTables.length);
    expect(await applyRetention(clickHouse, {})).toEqual([]);
    expect(await migrate(clickHouse)).toEqual([]);
  });
});
