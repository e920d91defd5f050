/** Migrations, tables and views on a real embedded ClickHouse. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate, readMigrations } from '../../processors/adapters/clickhouse/migrate.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import type { AnalyticsStore } from '../../processors/analytics/ports.ts';
import type { SinkLimits } from '../../processors/analytics/sink.ts';
import { feedsOf } from '../../processors/analytics/tables.ts';
import { readTotals } from '../../processors/analytics/totals.ts';
import {
  alerts,
  channelStock,
  deadLetters,
  ledger,
  movements,
  stockLevels,
} from '../../processors/topics.ts';
import { type Engine, startEngine } from './engine.ts';
import { loadAll } from './loading.ts';
import { MemoryLog } from './memory-log.ts';
import {
  alert,
  channelFigure,
  deadLetter,
  effect,
  entry,
  level,
  movement,
  nine,
  quantities,
} from './samples.ts';

const feeds = feedsOf(['web']);
const topics = [...feeds.keys()];
const web = channelStock('web').name;
const migrationNames = ['tables', 'views', 'requests-and-insights', 'model', 'compact-parts'];
let engine: Engine;

beforeAll(() => {
  engine = startEngine();
});
afterAll(() => engine.close());

const load = (log: MemoryLog, store: AnalyticsStore, limits: Partial<SinkLimits> = {}) =>
  loadAll(log, store, ['web'], limits);

async function view(store: AnalyticsStore, query: string): Promise<unknown> {
  return await store.select(query);
}

function everyTopic(): MemoryLog {
  const log = new MemoryLog(topics);
  for (let n = 0; n < 8; n += 1) {
    const sku = `SKU-${n % 3}`;
    const effects = [
      effect({ reference: `receipt ${n}` }),
      effect({ quantity: 250, reason: 'return' }),
    ];
    log.append(movements.name, n % 2, sku, movement(sku, effects, `m-${n}`));
    log.append(ledger.name, n % 2, sku, entry(sku, n + 1, 1000 * n));
    log.append(
      stockLevels.name,
      n % 2,
      { sku, location: 'S01' },
      level(sku, 'S01', n + 1, 1000 * n),
    );
    log.append(web, n % 2, sku, channelFigure('web', sku, n + 1, 500 * n));
  }
  log.append(alerts.name, 0, 'A', alert('one'));
  log.append(alerts.name, 0, 'A', alert('one', { raisedAt: nine + 1000, open: false }));
  log.append(deadLetters.name, 1, 'x', deadLetter);
  return log;
}

const questions = [
  'SELECT sku, location, on_hand, available, toString(sequence) FROM stock_now ORDER BY ALL',
  'SELECT channel, sku, sellable, status, toString(sequence) FROM channel_now ORDER BY ALL',
  'SELECT count(), sum(quantity), uniqExact(effect_id) FROM movements_of_sku',
  'SELECT hour, location, sku, units_sold, units_returned, toString(receipts) FROM sales_hourly ORDER BY ALL',
  'SELECT sku, toString(sequence), on_hand, changes FROM ledger_entries ORDER BY ALL',
  'SELECT sku, toString(sequence), change, applied, effect_id FROM ledger_entry_changes ORDER BY ALL',
  'SELECT id, open, toString(times), raised_at, last_raised_at FROM alerts_now ORDER BY ALL',
  'SELECT code, reason, key_base64, value_base64 FROM dead_letters_seen ORDER BY ALL',
];

async function seen(store: AnalyticsStore): Promise<readonly unknown[]> {
  const answers: unknown[] = [];
  for (const question of questions) answers.push(await view(store, question));
  return answers;
}

describe('migrations', () => {
  it('are applied once, in order', async () => {
    const clickHouse = await engine.open('migrations_once');
    expect(await migrate(clickHouse)).toEqual(migrationNames);
    expect(await migrate(clickHouse)).toEqual([]);
  });

  it('go on after an interruption, statement by statement', async () => {
    const clickHouse = await engine.open('migrations_interrupted');
    const [tables] = readMigrations();
    for (const query of tables?.statements.slice(0, 3) ?? [])
      await clickHouse.writer.command({ query });
    expect(await migrate(clickHouse)).toEqual(migrationNames);
  });

  it('consist of statements that may be repeated', () => {
    const repeatable =
      /^(CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS|CREATE OR REPLACE VIEW|ALTER TABLE \S+ (ADD COLUMN IF NOT EXISTS|MODIFY SETTING)|INSERT INTO sale_lines )/;
    const statements = readMigrations().flatMap((migration) => migration.statements);
    expect(statements.length).toBeGreaterThan(10);
    expect(statements.filter((statement) => !repeatable.test(statement))).toEqual([]);
  });

  it('refuse a changed file and a newer folder with a sentence', async () => {
    const clickHouse = await engine.open('migrations_foreign');
    const [tables, views] = readMigrations();
    if (tables === undefined || views === undefined)
      throw new Error('two migrations were expected');
    await migrate(clickHouse);
    await expect(migrate(clickHouse, [tables])).rejects.toThrow(/newer Stockline/);
    await expect(migrate(clickHouse, [tables, { ...views, checksum: 'x' }])).rejects.toThrow(
      /was changed after it had been applied/,
    );
  });

  it('describe every column that analysts see', async () => {
    const store = clickHouseStore(await engine.database());
    const silent = await view(
      store,
      "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = '' " +
        "AND table NOT IN ('migrations', 'sale_lines_from_movements')",
    );
    expect(silent).toEqual([]);
  });
});

describe('tables and views', () => {
  it('show what is in the topics', async () => {
    const store = clickHouseStore(await engine.database());
    await load(everyTopic(), store);
    const [stock, channel, moved, , entries, changes, alertRows, letters] = await seen(store);
    expect(stock).toEqual([
      ['SKU-0', 'S01', 6, 6, '7'],
      ['SKU-1', 'S01', 7, 7, '8'],
      ['SKU-2', 'S01', 5, 5, '6'],
    ]);
    expect(channel).toEqual([
      ['web', 'SKU-0', 3, 'inStock', '7'],
      ['web', 'SKU-1', 3.5, 'inStock', '8'],
      ['web', 'SKU-2', 2.5, 'inStock', '6'],
    ]);
    expect(moved).toEqual([[16, -6, 1]]);
    expect(entries).toHaveLength(8);
    expect(changes).toHaveLength(16);
    expect(alertRows).toEqual([
      ['one', false, '2', '2026-03-02 09:00:00.000', '2026-03-02 09:00:01.000'],
    ]);
    expect(letters).toEqual([['UNKNOWN_SKU', deadLetter.reason, '', 'AP8KXCc=']]);
  });

  it('forget a cell and a channel figure whose key was removed', async () => {
    const store = clickHouseStore(await engine.database());
    const log = everyTopic();
    log.append(stockLevels.name, 0, { sku: 'SKU-0', location: 'S01' }, undefined);
    log.append(stockLevels.name, 1, { sku: 'SKU-1', location: 'S01' }, undefined);
    log.append(web, 1, 'SKU-1', undefined);
    await load(log, store);
    expect(await view(store, "SELECT sku FROM stock_now WHERE sku = 'SKU-1'")).toEqual([]);
    expect(await view(store, 'SELECT sku FROM channel_now ORDER BY sku')).toEqual([
      ['SKU-0'],
      ['SKU-2'],
    ]);
  });

  it('net voids, corrections and returns in the sales of the hour', async () => {
    const store = clickHouseStore(await engine.database());
    const log = new MemoryLog(topics);
    const say = (...effects: ReturnType<typeof effect>[]) =>
      log.append(movements.name, 0, 'A', movement('A', effects));
    const tenth = nine + 3_600_000;
    say(effect({ reference: 'r1', quantity: -2000 }));
    say(effect({ reference: 'r2', quantity: -1500 }));
    say(effect({ reference: 'r3', quantity: -1000, occurredAt: tenth }));
    say(effect({ reference: 'r4', quantity: 500, reason: 'return', occurredAt: tenth }));
    // r1 is voided, r2 corrected to 3 units.
    say(effect({ reference: 'r1', quantity: 2000, asserted: false }));
    say(
      effect({ reference: 'r2', quantity: 1500, asserted: false }),
      effect({ reference: 'r2', quantity: -3000 }),
    );
    // The ERP posts r2 at night, and receives goods: neither is a sale of the till.
    const posting = {
      key: 'r2',
      role: 'posting',
      rule: 'supersede',
      complete: true,
      contained: false,
      netted: false,
    } as const;
    say(effect({ reference: 'r2', quantity: -3000, echo: posting }));
    say(effect({ reference: 'po', quantity: 9000, reason: 'receipt', echo: null }));
    await load(log, store);
    expect(
      await view(
        store,
        'SELECT hour, units_sold, units_returned, toString(receipts) FROM sales_hourly ORDER BY hour',
      ),
    ).toEqual([
      ['2026-03-02 09:00:00', 3, 0, '1'],
      ['2026-03-02 10:00:00', 1, 0.5, '2'],
    ]);
  });

  it('keep decimals exact to the last thousandth', async () => {
    const store = clickHouseStore(await engine.database());
    const log = new MemoryLog(topics);
    const extremes = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1, -1, 0, 999, -1001];
    extremes.forEach((figure, index) => {
      const sku = `X${index}`;
      const value = { ...level(sku, 'S01', 1, 0), quantities: quantities({ onHand: figure }) };
      log.append(stockLevels.name, 0, { sku, location: 'S01' }, value);
    });
    await load(log, store);
    expect(
      await view(store, 'SELECT toString(reinterpretAsInt64(on_hand)) FROM stock_now ORDER BY sku'),
    ).toEqual(extremes.map((figure) => [String(figure)]));
    const totals = await readTotals(store.select);
    expect(extremes.map((_, index) => totals.cells.get(`X${index}|S01`)?.onHand)).toEqual(extremes);
  });
});

describe('each record once', () => {
  it('E2: repeating a block changes nothing in the views', async () => {
    const store = clickHouseStore(await engine.database());
    const blocks: Parameters<AnalyticsStore['insert']>[0][] = [];
    const log = everyTopic();
    await load(log, { ...store, insert: (rows) => store.insert(blocks.push(rows) ? rows : rows) });
    const before = await seen(store);
    for (const block of [...blocks, ...blocks]) await store.insert(block);
    expect(await seen(store)).toEqual(before);
  });

  it('E2: a restart goes on where ClickHouse is, and repeats nothing but the last block', async () => {
    const store = clickHouseStore(await engine.database());
    const log = everyTopic();
    await load(log, store);
    const before = await seen(store);
    await load(log, store);
    expect(await seen(store)).toEqual(before);
    log.append(
      stockLevels.name,
      0,
      { sku: 'SKU-9', location: 'S01' },
      level('SKU-9', 'S01', 1, 4000),
    );
    await load(log, store);
    expect(await view(store, "SELECT on_hand FROM stock_now WHERE sku = 'SKU-9'")).toEqual([[4]]);
  });

  it('E2: rewound offsets, here by losing what was known of them, change nothing in the views', async () => {
    const clickHouse = await engine.database();
    const store = clickHouseStore(clickHouse);
    const log = everyTopic();
    await load(log, store);
    const before = await seen(store);
    const lineages = await view(store, 'SELECT * FROM current_lineages ORDER BY ALL');
    const fromTheBeginning: AnalyticsStore = { ...store, select: async () => [] };
    // Cut otherwise than the first time.
    await load(log, fromTheBeginning, { pollRecordsMax: 3, blockRecordsMax: 3 });
    expect(await view(store, 'SELECT * FROM current_lineages ORDER BY ALL')).toEqual(lineages);
    expect(await seen(store)).toEqual(before);
  });

  it('E2: a crash at any write loses nothing and doubles nothing', async () => {
    const whole = clickHouseStore(await engine.database());
    await load(everyTopic(), whole);
    const expected = await seen(whole);
    // The ranges, and then the tables: the crash comes before or after each of these writes.
    for (const [at, isAfter] of [0, 1, 3, 6].flatMap(
      (n) =>
        [
          [n, false],
          [n, true],
        ] as const,
    )) {
      const store = clickHouseStore(await engine.database());
      const log = everyTopic();
      await expect(load(log, crashing(store, at, isAfter))).rejects.toThrow('killed');
      await load(log, store);
      expect(await seen(store)).toEqual(expected);
      await load(log, store);
      expect(await seen(store)).toEqual(expected);
    }
  });

  it('E2: an unfinished block of a compacted topic is repeated with what is left of it', async () => {
    const store = clickHouseStore(await engine.database());
    const log = everyTopic();
    await expect(load(log, crashing(store, 0, true))).rejects.toThrow('killed');
    log.compact(stockLevels.name, (record) => record.offset > 2n);
    await load(log, store);
    expect(await view(store, 'SELECT sku, on_hand FROM stock_now ORDER BY sku')).toEqual([
      ['SKU-0', 6],
      ['SKU-1', 7],
      ['SKU-2', 5],
    ]);
  });

  it('D3: records that the topic dropped before they were loaded are told', async () => {
    const store = clickHouseStore(await engine.database());
    const log = everyTopic();
    await load(log, store);
    for (let n = 8; n < 20; n += 1) log.append(alerts.name, 0, 'A', alert('two'));
    log.compact(alerts.name, (record) => record.offset > 7n);
    const reports = await load(log, store);
    expect(reports).toEqual([
      expect.stringMatching(/^records 2 to \d+ of inventory\.alert\.v1-0 are/),
    ]);
    expect(await load(log, store)).toEqual([]);
  });

  it('E2: a recreated topic is seen by its offsets or its records, and loaded anew', async () => {
    for (const records of [1, 8]) {
      const store = clickHouseStore(await engine.database());
      const log = everyTopic();
      await load(log, store);
      log.recreate(movements.name);
      for (let n = 0; n < records; n += 1) {
        for (const partition of [0, 1]) {
          log.append(
            movements.name,
            partition,
            'NEW',
            movement('NEW', [effect({ quantity: -5000 })]),
          );
        }
      }
      const reports = await load(log, store);
      expect(reports.join()).toMatch(/topic inventory\.movement\.v1 was recreated/);
      expect(
        await view(store, 'SELECT sku, sum(quantity) FROM movements_of_sku GROUP BY sku'),
      ).toEqual([['NEW', -5 * 2 * records]]);
      expect(await load(log, store)).toEqual([]);
    }
  });
});

/** A store that dies at the n-th insert, before or after it is done. */
function crashing(store: AnalyticsStore, at: number, isAfter: boolean): AnalyticsStore {
  let inserts = 0;
  return {
    ...store,
    insert: async (rows) => {
      if (inserts > at) throw new Error('killed');
      inserts += 1;
      if (inserts > at && !isAfter) throw new Error('killed');
      const count = await store.insert(rows);
      if (inserts > at) throw new Error('killed');
      return count;
    },
  };
}
