/** A retailer's days: ordinary SQL transactions in both legacy systems, from a seed, with a truth of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { businessTimeMs, scheduledMoment } from './business-clock.ts';
import { type DatabaseLogin, openSession, type SourceCommit } from './databases.ts';
import { type Moment, planNext, planSettling } from './day-plan.ts';
import { isCommitted, Lanes } from './lanes.ts';
import {
  defaultOptions,
  erpMasterData,
  newRetailer,
  posMasterData,
  type RetailerOptions,
  skipLongPause,
} from './master-data.ts';
import { Memory } from './memory.ts';
import type { Retailer } from './retailer.ts';
import { type StockTruth, stockTruth } from './stock-truth.ts';
import type { PlannedTransaction } from './transaction.ts';

export type { DatabaseLogin, SourceCommit } from './databases.ts';
export type { CellTruth, StockTruth } from './stock-truth.ts';

export type RunOptions = {
  readonly transactions?: number;
  /** Source transactions per second; undefined: as fast as the databases can. */
  readonly rate?: number;
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  readonly onCommit?: (commit: SourceCommit) => void;
};

export type Progress = {
  readonly transactions: number;
  readonly bySystem: Readonly<Record<'erp' | 'pos', number>>;
  readonly rows: number;
  readonly businessTimeMs: number;
};

export type SimulationSummary = {
  readonly transactions: number;
  readonly rows: number;
  readonly seconds: number;
  readonly transactionsPerSecond: number;
  readonly byKind: Readonly<Record<string, number>>;
};

export type SimulatorOptions = {
  readonly postgres: DatabaseLogin;
  readonly mariadb: DatabaseLogin;
  readonly seed: number;
  /** Where the simulator remembers what it did. */
  readonly directory: string;
  readonly retailer?: Partial<RetailerOptions>;
  readonly connectionsPerSystem?: number;
};

const connectionsPerSystemDefault = 4;
const inFlightMax = 48;
/** Rows of one source transaction, while a rate is kept and flat out. */
const rowsMaxAtRate = 100;
const rowsMaxFlatOut = 5000;
const saveEvery = 100_000;
/** Older business days would be taken for mistakes by whoever reads the change log. */
const behindDaysMax = 28;
/** The real day of a commit may differ from the day it was planned on. */
const presentMs = 48 * 3_600_000;

export async function openSimulator(options: SimulatorOptions): Promise<Simulator> {
  const memory = new Memory(options.directory);
  const lanes = await Lanes.open(
    (system) => openSession(system, options),
    options.connectionsPerSystem ?? connectionsPerSystemDefault,
  );
  try {
    const hasMasterData = await lanes.withSession('erp', (session) =>
      session.finds('SELECT 1 FROM lagst LIMIT 1'),
    );
    const known = memory.load();
    if (known === null && hasMasterData) {
      throw new Error(
        `the databases hold a retailer that ${options.directory} does not remember; drop the databases ` +
          `${options.postgres.database} and ${options.mariadb.database}, or bring the folder back`,
      );
    }
    if (known?.retailer.seeded === true && !hasMasterData) {
      throw new Error(
        `the databases are empty, but ${options.directory} remembers a retailer in them; remove the folder: ` +
          `rm -r ${options.directory}`,
      );
    }
    for (const planned of known?.open ?? []) await completeUnknown(lanes, planned);
    const sizes = { ...defaultOptions, ...options.retailer };
    const retailer = known?.retailer ?? newRetailer(options.seed, Date.now(), sizes);
    skipLongPause(retailer, Date.now(), behindDaysMax);
    memory.save(retailer);
    return new Simulator(memory, lanes, retailer);
  } catch (error) {
    await lanes.close();
    memory.close();
    throw error;
  }
}

/** After a crash: executes a transaction again unless it was committed. */
async function completeUnknown(lanes: Lanes, planned: PlannedTransaction): Promise<void> {
  await lanes.withSession(planned.system, async (session) => {
    if (planned.probe !== null && (await isCommitted(session, planned.probe))) return;
    await session.commit(planned.statements);
  });
}

export class Simulator {
  private readonly memory: Memory;
  private readonly lanes: Lanes;
  private readonly retailer: Retailer;
  private readonly commits = { erp: 0, pos: 0 };
  private rows = 0;
  private plannedAtSave: number;
  private failure: unknown;

  constructor(memory: Memory, lanes: Lanes, retailer: Retailer) {
    this.memory = memory;
    this.lanes = lanes;
    this.retailer = retailer;
    this.plannedAtSave = retailer.planned;
  }

  /** The seed that this retailer began with. */
  get seed(): number {
    return this.retailer.seed;
  }

  /** Master data, opening stock and some history, once: later calls change nothing. */
  async seedMasterData(): Promise<void> {
    const { retailer, lanes } = this;
    if (!retailer.seeded) {
      // The same draws again after a crash in between, so each database is filled once.
      const erp = erpMasterData(retailer);
      const pos = posMasterData(retailer);
      await lanes.withSession('erp', async (session) => {
        if (!(await session.finds('SELECT 1 FROM lagst LIMIT 1'))) {
          await session.commit(erp.statements);
        }
      });
      await lanes.withSession('pos', async (session) => {
        if (await session.finds('SELECT 1 FROM shop LIMIT 1')) return;
        for (const sql of pos.preparation) await session.run(sql);
        await session.commit(pos.transaction.statements);
      });
      retailer.seeded = true;
      this.save();
    }
    const left = retailer.schedule.historyTransactions - retailer.scheduled;
    if (left > 0) await this.run({ transactions: left });
  }

  /** Commits transactions until so many are done, the time is over or the signal is aborted. */
  async run(options: RunOptions): Promise<SimulationSummary> {
    const startMs = performance.now();
    const byKind: Record<string, number> = {};
    const rowsMax = options.rate === undefined ? rowsMaxFlatOut : rowsMaxAtRate;
    const rowsBefore = this.rows;
    const inFlight = new Set<Promise<void>>();
    const pace = paceOf(options.rate);
    let transactions = 0;
    const isOver = (): boolean =>
      this.failure !== undefined ||
      options.signal?.aborted === true ||
      transactions >= (options.transactions ?? Number.POSITIVE_INFINITY) ||
      performance.now() - startMs >= (options.seconds ?? Number.POSITIVE_INFINITY) * 1000;
    while (!isOver()) {
      await pace();
      if (inFlight.size >= inFlightMax) await Promise.race(inFlight);
      if (isOver()) break;
      if (this.retailer.planned - this.plannedAtSave >= saveEvery) {
        await Promise.all(inFlight);
        if (this.failure === undefined) this.save();
      }
      const planned = this.plan(rowsMax);
      byKind[planned.kind] = (byKind[planned.kind] ?? 0) + 1;
      transactions += 1;
      const done = this.execute(planned, options.onCommit).finally(() => inFlight.delete(done));
      inFlight.add(done);
    }
    await Promise.all(inFlight);
    if (this.failure !== undefined) throw this.failure;
    const seconds = (performance.now() - startMs) / 1000;
    return {
      transactions,
      rows: this.rows - rowsBefore,
      seconds,
      transactionsPerSecond: transactions / seconds,
      byKind,
    };
  }

  private plan(rowsMax: number): PlannedTransaction {
    const { retailer, memory } = this;
    const realMs = Date.now();
    const { atMs } = scheduledMoment(retailer.schedule, retailer.scheduled);
    const nowMs = businessTimeMs({ scheduledMs: atMs, realMs, previousMs: retailer.nowMs });
    const moment: Moment = { nowMs, isNow: nowMs > realMs - presentMs, rowsMax };
    memory.notePlan('next', moment);
    return planNext(retailer, moment);
  }

  /** Never rejects: the first failure ends the run. */
  private async execute(
    planned: PlannedTransaction,
    onCommit?: (commit: SourceCommit) => void,
  ): Promise<void> {
    const number = this.retailer.planned;
    try {
      await this.lanes.execute(planned, (commit) => {
        this.memory.noteCommit(number);
        this.commits[commit.system] += 1;
        this.rows += commit.rows;
        onCommit?.(commit);
      });
    } catch (error) {
      this.failure ??= error;
    }
  }

  /** Completes what is half done, so that totals of both systems can be compared. */
  async settle(): Promise<void> {
    const { retailer, memory } = this;
    for (;;) {
      const moment: Moment = {
        nowMs: retailer.nowMs,
        isNow: retailer.isNow,
        rowsMax: rowsMaxAtRate,
      };
      memory.notePlan('settling', moment);
      const planned = planSettling(retailer, moment);
      if (planned === null) break;
      await this.execute(planned);
      if (this.failure !== undefined) throw this.failure;
    }
    this.save();
  }

  /** By the simulator's own memory; comparable when settled. */
  truth(): StockTruth {
    return stockTruth(this.retailer);
  }

  progress(): Progress {
    const { erp, pos } = this.commits;
    return {
      transactions: erp + pos,
      bySystem: { erp, pos },
      rows: this.rows,
      businessTimeMs: this.retailer.nowMs,
    };
  }

  private save(): void {
    this.memory.save(this.retailer);
    this.plannedAtSave = this.retailer.planned;
  }

  /** Remembers all and closes the connections. After a failure the journal says what is open. */
  async close(): Promise<void> {
    if (this.failure === undefined && this.retailer.seeded) this.save();
    this.memory.close();
    await this.lanes.close();
  }
}

/** Waits until the next transaction is due; after a stall it does not make up for what was missed. */
function paceOf(rate: number | undefined): () => Promise<void> {
  if (rate === undefined) return () => Promise.resolve();
  const intervalMs = 1000 / rate;
  let dueMs = performance.now();
  return async () => {
    const waitMs = dueMs - performance.now();
    if (waitMs < -1000) dueMs = performance.now();
    dueMs += intervalMs;
    if (waitMs > 0.5) await sleep(waitMs);
  };
}
