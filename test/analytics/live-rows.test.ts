/** Deletions and new rows in one block, and again after a rewind: exactly the live rows live. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import type { AnalyticsStore } from '../../processors/analytics/ports.ts';
import { feedsOf } from '../../processors/analytics/tables.ts';
import { channelStock, stockLevels } from '../../processors/topics.ts';
import { type Engine, startEngine } from './engine.ts';
import { loadAll } from './loading.ts';
import { MemoryLog } from './memory-log.ts';
import { channelFigure, level } from './samples.ts';

const web = channelStock('web').name;
let engine: Engine;
beforeAll(() => {
  engine = startEngine();
});
afterAll(() => engine.close());

class Stock {
  readonly log = new MemoryLog([...feedsOf(['web']).keys()]);
  private sequence = 0;

  put(sku: string, location: string, units: number): void {
    this.sequence += 1;
    const value = level(sku, location, this.sequence, units * 1000);
    this.log.append(stockLevels.name, 0, { sku, location }, value);
    this.log.append(web, 0, sku, channelFigure('web', sku, this.sequence, units * 1000));
  }

  remove(sku: string, location: string): void {
    this.log.append(stockLevels.name, 0, { sku, location }, undefined);
    this.log.append(web, 0, sku, undefined);
  }
}

const live = async (store: AnalyticsStore) => [
  await store.select('SELECT sku, location, on_hand FROM stock_now ORDER BY ALL'),
  await store.select('SELECT sku, sellable FROM channel_now ORDER BY ALL'),
];

/** As if nothing were known of what is loaded. */
const rewound = (store: AnalyticsStore): AnalyticsStore => ({ ...store, select: async () => [] });

it('E2: a row deleted and made again under another key, all in one block, lives once', async () => {
  const store = clickHouseStore(await engine.database());
  const stock = new Stock();
  stock.put('A', 'S01', 5);
  stock.put('B', 'S01', 7);
  stock.remove('A', 'S01');
  stock.put('A', 'S02', 5);
  await loadAll(stock.log, store, ['web']);
  const expected = [
    [
      ['A', 'S02', 5],
      ['B', 'S01', 7],
    ],
    [
      ['A', 5],
      ['B', 7],
    ],
  ];
  expect(await live(store)).toEqual(expected);
  await loadAll(stock.log, rewound(store), ['web'], { pollRecordsMax: 1, blockRecordsMax: 1 });
  expect(await live(store)).toEqual(expected);
});

it('E2: all deleted and all inserted again, then rewound to any place: what is live is live', async () => {
  const stock = new Stock();
  const skus = Array.from({ length: 30 }, (_, index) => `SKU-${100 + index}`);
  for (const sku of skus) stock.put(sku, 'S01', 1);
  for (let night = 2; night <= 4; night += 1) {
    for (const sku of skus) stock.remove(sku, 'S01');
    // One article is given up each night.
    for (const sku of skus.slice(night)) stock.put(sku, 'S01', night);
  }
  const expected = skus.slice(4);
  for (const blockRecordsMax of [45, 10_000]) {
    const store = clickHouseStore(await engine.database());
    const limits = { blockRecordsMax, pollRecordsMax: Math.min(blockRecordsMax, 50) };
    for (const use of [store, rewound(store)]) {
      await loadAll(stock.log, use, ['web'], limits);
      const [cells, figures] = await live(store);
      expect(cells).toEqual(expected.map((sku) => [sku, 'S01', 4]));
      expect(figures).toEqual(expected.map((sku) => [sku, 4]));
    }
  }
});
