/**
 * One life of the analytics process for `stockline stress analytics`, told by the environment's STOCKLINE_STRESS:
 * loads what is there into the embedded engine of a folder, through rewinds and outages, and ends when all is loaded.
 */
import { openClickHouse } from '../../adapters/clickhouse/client.ts';
import { migrate } from '../../adapters/clickhouse/migrate.ts';
import { clickHouseStore } from '../../adapters/clickhouse/store.ts';
import type { AnalyticsStore } from '../../analytics/ports.ts';
import { runAnalytics } from '../../analytics/run.ts';
import { sinkLimits } from '../../analytics/sink.ts';
import {
  type LoadShape,
  recordsPerPartition,
  stressChannel,
  stressReader,
} from './analytics-log.ts';
import { randomFrom } from './shoppers.ts';

export type StressLife = LoadShape & {
  readonly folder: string;
  /** Which life it is: gives each its own chances. */
  readonly life: number;
  /** Begins as if so many offsets of each partition were not known to be loaded. */
  readonly rewindBy: number;
  /** Chance that ClickHouse goes away at an insert, before or after it is done. */
  readonly outageChance: number;
  readonly only?: 'movements';
  /** They come at this rate, and how late each block was readable is told. */
  readonly perSecond?: number;
  readonly blockRecords: number;
};

const life = JSON.parse(process.env.STOCKLINE_STRESS ?? '{}') as StressLife;
const outageMsMax = 800;
const below = randomFrom(life.seed * 1_000 + life.life);
const random = (): number => below(1_000_000) / 1_000_000;
const tell = (message: unknown): void => void process.send?.(message as object);

const clickHouse = await openClickHouse({
  database: 'stockline',
  engine: { kind: 'embedded', path: life.folder },
});
await migrate(clickHouse);
const end = new AbortController();
const own = clickHouseStore(clickHouse);
const perTopic = recordsPerPartition(life) * 4;
const wanted = life.only === undefined ? perTopic * 5 : perTopic;
let outages = 0;
const analytics = runAnalytics({
  reader: stressReader(life, life.only, life.perSecond),
  store: withOutages(life.rewindBy > 0 ? rewound(own) : own),
  channels: [stressChannel],
  signal: end.signal,
  report: () => undefined,
  limits: {
    ...sinkLimits,
    lingerMs: life.perSecond === undefined ? 50 : sinkLimits.lingerMs,
    blockRecordsMax: life.blockRecords,
    pollRecordsMax: 10_000,
  },
});
const startedAtMs = performance.now();
tell({ kind: 'loading' });
let quietSince = Date.now();
let rows = 0;
const lagsMs: number[] = [];
let lastRowAtMs = startedAtMs;
const watch = setInterval(() => {
  const status = analytics.status();
  if (status.rows !== rows || status.state === 'waiting') quietSince = Date.now();
  if (status.rows !== rows) {
    lastRowAtMs = performance.now();
    lagsMs.push(status.lagMs);
  }
  rows = status.rows;
  if (status.records >= wanted || Date.now() - quietSince > 2_000) end.abort();
}, 20);
await analytics.done;
clearInterval(watch);
tell({ kind: 'done', rows, seconds: (lastRowAtMs - startedAtMs) / 1000, outages, lagsMs });
await clickHouse.close();
process.disconnect?.();

/** What is known of the offsets is older than what is in the tables. */
function rewound(store: AnalyticsStore): AnalyticsStore {
  return {
    ...store,
    select: async (query) => {
      const found = await store.select(query);
      const back = (offset: unknown): string => String(Math.max(0, Number(offset) - life.rewindBy));
      if (query.includes('FROM load_ranges')) {
        return found.map((row) =>
          row.map((cell, at) => (at === 5 || at === 6 ? back(cell) : cell)),
        );
      }
      if (!query.startsWith('SELECT _topic')) return found;
      return found.map((row) => row.map((cell, at) => (at === 3 ? back(cell) : cell)));
    },
  };
}

/** The server goes away for a while: nothing works until it is back. */
function withOutages(store: AnalyticsStore): AnalyticsStore {
  let backAtMs = 0;
  const away = (): void => {
    if (Date.now() < backAtMs) throw new Error('ClickHouse is away');
  };
  const leave = (): never => {
    outages += 1;
    backAtMs = Date.now() + random() * outageMsMax;
    throw new Error('ClickHouse is away');
  };
  return {
    select: async (query) => {
      away();
      return await store.select(query);
    },
    insert: async (insert) => {
      away();
      const chance = random();
      if (chance < life.outageChance / 2) leave();
      const count = await store.insert(insert);
      if (chance > 1 - life.outageChance / 2) leave();
      return count;
    },
  };
}
