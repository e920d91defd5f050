/** An embedded ClickHouse with two cells of stock behind its endpoint. */
import type { ClickHouse } from '../../processors/adapters/clickhouse/client.ts';
import { type Endpoint, serveClickHouse } from '../../processors/adapters/clickhouse/endpoint.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import { plainRows } from '../../processors/analytics/ports.ts';
import { stockLevelFeed } from '../../processors/analytics/rows.ts';
import { type Engine, startEngine } from './engine.ts';
import { level } from './samples.ts';

export type Served = {
  readonly engine: Engine;
  readonly clickHouse: ClickHouse;
  readonly endpoint: Endpoint;
  readonly runDirectory: string;
  readonly post: (body: string, search?: string) => Promise<{ status: number; text: string }>;
  readonly close: () => Promise<void>;
};

/** A has 1.5 units at S01, B has -2. */
export async function serve(): Promise<Served> {
  const engine = startEngine();
  const clickHouse = await engine.database();
  const runDirectory = `${engine.folder}/run`;
  const endpoint = await serveClickHouse({ clickHouse, runFile: `${runDirectory}/analytics.json` });
  const store = clickHouseStore(clickHouse);
  const delivery = (sku: string, offset: bigint, onHand: number) => ({
    record: {
      topic: 'inventory.stock.v1',
      partition: 0,
      offset,
      timestampMs: 1_700_000_000_123,
      key: { sku, location: 'S01' },
      value: level(sku, 'S01', 1, onHand),
      headers: [],
    },
    lineage: 1,
  });
  const { table, columns, items, read } = stockLevelFeed;
  const data = [delivery('A', 0n, 1500), delivery('B', 1n, -2000)].flatMap(items);
  await store.insert({ table, columns, items: data, read });
  const names = ['block', 'table', 'topic', 'lineage', 'partition', 'first_offset', 'next_offset'];
  const range = [1, table, 'inventory.stock.v1', 1, 0, 0, 2];
  await store.insert(plainRows('load_ranges', names, [range]));
  return {
    engine,
    clickHouse,
    endpoint,
    runDirectory,
    post: async (body, search = '') => {
      const response = await fetch(`${endpoint.url}/${search}`, { method: 'POST', body });
      return { status: response.status, text: await response.text() };
    },
    close: async () => {
      await endpoint.close();
      await engine.close();
    },
  };
}
