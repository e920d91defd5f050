/** What a running processor tells about itself: counters since its start, and how far behind it is. */
import type { PartitionOffset } from './ports.ts';
import type { Transfer } from './task.ts';

export type Phase =
  | 'starting'
  | 'waiting'
  | 'restoring'
  | 'running'
  | 'draining'
  | 'stopped'
  | 'failed';

export type ProcessorStatus = {
  readonly name: string;
  readonly phase: Phase;
  /** What it waits for, or why it failed; empty when all is well. */
  readonly cause: string;
  readonly records: number;
  readonly recordsPerSecond: number;
  readonly outputs: number;
  readonly transactions: number;
  readonly aborts: number;
  readonly restores: number;
  readonly deadLetters: number;
  readonly lastCommitMs: number;
  readonly lagRecords: number;
  /** Age of the last record taken, while there are more; 0 when there are none. */
  readonly lagSeconds: number;
  /** The steps' own counts, by metric. */
  readonly counts: Readonly<Record<string, number>>;
};

/** What a worker reports. */
export type Statistics = {
  readonly enter: (phase: Phase, cause?: string) => void;
  readonly committed: (transfers: readonly Transfer[], commitMs: number) => void;
  readonly aborted: () => void;
  readonly restored: () => void;
  readonly taken: (timestampMs: number) => void;
};

/** One worker's part of the whole. */
export type ShareStatistics = Statistics & {
  /** From now on the lag and the places of this worker count. */
  readonly follow: (worker: Followed) => void;
  readonly leave: () => void;
};

export type ProcessorStatistics = {
  readonly enter: (phase: Phase, cause?: string) => void;
  readonly share: () => ShareStatistics;
  readonly status: (nowMs: number) => ProcessorStatus;
  /** Of each input partition that is owned: all before this place is worked off and committed. */
  readonly committed: () => readonly PartitionOffset[];
};

type Followed = {
  readonly lagRecords: () => number;
  readonly committed: () => readonly PartitionOffset[];
};

/** Rates are taken over at least this long. */
const rateWindowMs = 500;

/** A processor is as well as its worst worker. */
const worstFirst: readonly Phase[] = ['failed', 'waiting', 'restoring', 'starting', 'draining'];

type Share = { phase: Phase; cause: string; lastTakenMs: number; worker: Followed };

const nobody: Followed = { lagRecords: () => 0, committed: () => [] };

export function createStatistics(name: string): ProcessorStatistics {
  const own: { phase: Phase; cause: string } = { phase: 'starting', cause: '' };
  const shares = new Set<Share>();
  const totals = { records: 0, outputs: 0, transactions: 0, aborts: 0, restores: 0 };
  let [deadLetters, lastCommitMs] = [0, 0];
  const rate = createRate();
  const counts = new Map<string, number>();

  const worst = (): { readonly phase: Phase; readonly cause: string } => {
    if (own.phase !== 'running') return own;
    for (const phase of worstFirst) {
      for (const share of shares) if (share.phase === phase) return share;
    }
    return own;
  };
  const share = (): ShareStatistics => {
    const mine: Share = { phase: 'starting', cause: '', lastTakenMs: 0, worker: nobody };
    shares.add(mine);
    return {
      enter: (phase, cause = '') => Object.assign(mine, { phase, cause }),
      committed: (transfers, commitMs) => {
        totals.transactions += 1;
        lastCommitMs = commitMs;
        for (const transfer of transfers) {
          totals.records += transfer.records;
          totals.outputs += transfer.outputs.length;
          deadLetters += transfer.deadLetters;
          for (const [metric, by] of transfer.counts) {
            counts.set(metric, (counts.get(metric) ?? 0) + by);
          }
        }
      },
      aborted: () => {
        totals.aborts += 1;
      },
      restored: () => {
        totals.restores += 1;
      },
      taken: (timestampMs) => {
        mine.lastTakenMs = timestampMs;
      },
      follow: (worker) => {
        mine.worker = worker;
      },
      leave: () => shares.delete(mine),
    };
  };
  return {
    enter: (phase, cause = '') => Object.assign(own, { phase, cause }),
    share,
    committed: () => [...shares].flatMap(({ worker }) => worker.committed()),
    status: (nowMs) => {
      const { phase, cause } = worst();
      const lags = [...shares].map(({ worker, lastTakenMs }) => ({
        records: worker.lagRecords(),
        ageMs: lastTakenMs === 0 ? 0 : nowMs - lastTakenMs,
      }));
      const behind = lags.filter(({ records }) => records > 0);
      return {
        name,
        phase,
        cause,
        ...totals,
        recordsPerSecond: rate(nowMs, totals.records),
        deadLetters,
        lastCommitMs,
        lagRecords: behind.reduce((sum, { records }) => sum + records, 0),
        lagSeconds: Math.max(0, ...behind.map(({ ageMs }) => ageMs)) / 1_000,
        counts: Object.fromEntries(counts),
      };
    },
  };
}

/** Records per second, from a count that is told now and then. */
function createRate(): (nowMs: number, records: number) => number {
  let perSecond = 0;
  let window: { readonly sinceMs: number; readonly records: number } | undefined;
  return (nowMs, records) => {
    const passedMs = window === undefined ? rateWindowMs : nowMs - window.sinceMs;
    if (passedMs >= rateWindowMs) {
      if (window !== undefined) perSecond = ((records - window.records) * 1_000) / passedMs;
      window = { sinceMs: nowMs, records };
    }
    return Math.round(perSecond);
  };
}
