/**
 * `stockline stress analytics`: loads many records into the embedded engine while the loading process is killed, finds
 * itself rewound and loses ClickHouse; then the views have to hold what the topics hold, and nothing twice.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openClickHouse } from '../../adapters/clickhouse/client.ts';
import { migrate } from '../../adapters/clickhouse/migrate.ts';
import { clickHouseStore } from '../../adapters/clickhouse/store.ts';
import { readTotals } from '../../analytics/totals.ts';
import { processorOptions } from '../../processes/node-options.ts';
import { percentiles } from '../start/figures.ts';
import { inWorkingFolder } from '../working-folder.ts';
import type { StressLife } from './analytics-loader.ts';
import { expectedSums, type LoadShape, stressChannel } from './analytics-log.ts';
import { randomFrom } from './shoppers.ts';
import { tellResult } from './stage.ts';

export type StressAnalyticsOptions = LoadShape & {
  readonly kills: number;
  /** Rewinds among the lives between the kills. */
  readonly rewinds: number;
  /** Movements for the rate, loaded without faults; 0: not measured. */
  readonly rateRecords: number;
  readonly json?: string;
};

type Done = {
  readonly rows: number;
  readonly seconds: number;
  readonly outages: number;
  /** How old the oldest record of each block was when it became readable. */
  readonly lagsMs: readonly number[];
};

const program = fileURLToPath(new URL('./analytics-loader.ts', import.meta.url));
const livesMsMax = 2_500;
const rewindMax = 20_000;
/** For the lag: an ordinary load. */
const pacedPerSecond = 5_000;
const pacedSeconds = 10;
const outageChance = 0.02;
const blockRecordsOf = { small: 2_000, ordinary: 20_000, large: 200_000 };

/** Prints the result; resolves with 0 when nothing is missing, doubled or wrong, else 1. */
export async function stressAnalytics(options: StressAnalyticsOptions): Promise<number> {
  return inWorkingFolder(async (directory) => {
    const rate = await measureRate(options, `${directory}/rate`);
    const faults = await loadWithFaults(options, `${directory}/faults`);
    const found = await compare(options, `${directory}/faults`);
    const result = { records: options.records, ...rate, ...faults, ...found };
    tellResult(result, options.json);
    return found.missing + found.doubled + found.different === 0 ? 0 : 1;
  });
}

async function measureRate(options: StressAnalyticsOptions, folder: string) {
  if (options.rateRecords === 0) return {};
  const records = options.rateRecords * 4;
  const shape = { ...options, records, folder, life: 0, rewindBy: 0, outageChance: 0 };
  const life = start({ ...shape, only: 'movements', blockRecords: blockRecordsOf.large });
  const { rows, seconds } = await life.done;
  const paced = start({
    ...shape,
    folder: `${folder}-paced`,
    records: pacedPerSecond * pacedSeconds * 4,
    only: 'movements',
    perSecond: pacedPerSecond,
    blockRecords: blockRecordsOf.ordinary,
  });
  const { p50, p99 } = percentiles((await paced.done).lagsMs);
  return {
    movementRowsPerSecond: Math.round(rows / seconds),
    visibleLagMs: { perSecond: pacedPerSecond, p50, p99 },
  };
}

/** Lives that end by SIGKILL at a random moment, then one that comes to the end. */
async function loadWithFaults(options: StressAnalyticsOptions, folder: string) {
  const random = randomFrom(options.seed);
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const rewound = new Set<number>();
  while (rewound.size < Math.min(options.rewinds, options.kills)) {
    rewound.add(random(options.kills));
  }
  let outages = 0;
  let kills = 0;
  for (let life = 0; ; life += 1) {
    const isLast = life >= options.kills;
    const child = start({
      ...options,
      folder,
      life,
      rewindBy: rewound.has(life) ? 1 + random(rewindMax) : 0,
      outageChance,
      // Blocks are cut elsewhere in every life: a repeated one is not known by its token.
      blockRecords: life % 2 === 0 ? blockRecordsOf.ordinary : blockRecordsOf.small,
    });
    if (isLast) {
      outages += (await child.done).outages;
      return { kills, rewinds: rewound.size, outagesOfLastLife: outages };
    }
    await child.loading;
    await new Promise((wake) => setTimeout(wake, random(livesMsMax)));
    child.process.kill('SIGKILL');
    // Killed before it said that it was done: else it had nothing left to do.
    await child.done.catch(() => undefined);
    kills += 1;
    if (kills % 10 === 0) report(`${kills} kills`);
  }
}

function start(life: StressLife): {
  readonly process: ChildProcess;
  readonly loading: Promise<void>;
  readonly done: Promise<Done>;
} {
  const child = spawn(process.execPath, [...processorOptions, program], {
    env: { ...process.env, STOCKLINE_STRESS: JSON.stringify(life) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let said: Done | undefined;
  let begin: () => void = () => undefined;
  const loading = new Promise<void>((resolveLoading) => {
    begin = resolveLoading;
  });
  child.on('message', (message: { readonly kind: string } & Done) => {
    if (message.kind === 'loading') begin();
    else said = message;
  });
  const done = new Promise<Done>((resolveDone, reject) => {
    child.once('exit', (code, signal) => {
      begin();
      if (said !== undefined && code === 0) resolveDone(said);
      else reject(new Error(`the loading process ended with ${signal ?? code}`));
    });
  });
  return { process: child, loading, done };
}

/** The views against the numbers that made the records. */
async function compare(shape: LoadShape, folder: string) {
  const clickHouse = await openClickHouse({
    database: 'stockline',
    engine: { kind: 'embedded', path: folder },
  });
  try {
    await migrate(clickHouse);
    const store = clickHouseStore(clickHouse);
    const expected = expectedSums(shape);
    const numbers = async (query: string): Promise<readonly number[]> =>
      ((await store.select(query))[0] ?? []).map(Number);
    const [rows = 0, single = 0, ids = 0, quantity = 0] = await numbers(
      'SELECT toString(count()), toString(uniqExact(effect_id)), toString(uniqExact(movement_id)), ' +
        'toString(toInt64(sum(quantity) * 1000)) FROM movements_of_sku',
    );
    const [entries = 0, steps = 0] = await numbers(
      'SELECT toString(count()), toString(uniqExact(cause_id)) FROM ledger_entries',
    );
    const { cells, sellable } = await readTotals(store.select);
    let different = quantity === expected.quantity ? 0 : 1;
    if (cells.size !== expected.onHand.size || sellable.size !== expected.onHand.size)
      different += 1;
    for (const [sku, onHand] of expected.onHand) {
      if (cells.get(`${sku}|S01`)?.onHand !== onHand) different += 1;
      if (sellable.get(`${stressChannel}|${sku}`) !== Math.max(0, onHand)) different += 1;
    }
    return {
      missing: expected.effects - single + (expected.movements - ids) + (expected.ledger - steps),
      doubled: rows - single + (entries - steps),
      different,
      cells: cells.size,
    };
  } finally {
    await clickHouse.close();
  }
}
