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

export type Statistics = {
  readonly enter: (phase: Phase, cause?: string) => void;
  readonly committed: (transfers: readonly Transfer[], commitMs: number) => void;
  readonly aborted: () => void;
  readonly restored: () => void;
  readonly taken: (timestampMs: number) => void;
  readonly status: (nowMs: number, lagRecords: number) => ProcessorStatus;
};

/** Rates are taken over at least this long. */
const rateWindowMs = 500;

export function createStatistics(name: string): Statistics {
  let phase: Phase = 'starting';
  let cause = '';
  let [records, outputs, transactions, aborts, restores, deadLetters] = [0, 0, 0, 0, 0, 0];
  let lastCommitMs = 0;
  let lastTakenMs = 0;
  let recordsPerSecond = 0;
  let window = { sinceMs: 0, records: 0 };
  const counts = new Map<string, number>();
  return {
    enter: (next, why = '') => {
      phase = next;
      cause = why;
    },
    committed: (transfers, commitMs) => {
      transactions += 1;
      lastCommitMs = commitMs;
      for (const transfer of transfers) {
        records += transfer.records;
        outputs += transfer.outputs.length;
        deadLetters += transfer.deadLetters;
        for (const [metric, by] of transfer.counts) {
          counts.set(metric, (counts.get(metric) ?? 0) + by);
        }
      }
    },
    aborted: () => {
      aborts += 1;
    },
    restored: () => {
      restores += 1;
    },
    taken: (timestampMs) => {
      lastTakenMs = timestampMs;
    },
    status: (nowMs, lagRecords) => {
      const passedMs = nowMs - window.sinceMs;
      if (passedMs >= rateWindowMs) {
        const first = window.sinceMs === 0;
        recordsPerSecond = first ? 0 : ((records - window.records) * 1_000) / passedMs;
        window = { sinceMs: nowMs, records };
      }
      return {
        name,
        phase,
        cause,
        records,
        recordsPerSecond: Math.round(recordsPerSecond),
        outputs,
        transactions,
        aborts,
        restores,
        deadLetters,
        lastCommitMs,
        lagRecords,
        lagSeconds:
          lagRecords === 0 || lastTakenMs === 0 ? 0 : Math.max(0, nowMs - lastTakenMs) / 1_000,
        counts: Object.fromEntries(counts),
      };
    },
  };
}

/** The places up to which a consumer has seen everything, as far as it knows. */
export type Ends = {
  readonly reached: (ends: readonly PartitionOffset[]) => void;
  /** Records between `position` and the end; control records that no step ever sees do not count at the end. */
  readonly behind: (
    place: { readonly topic: string; readonly partition: number },
    position: bigint,
    knownEnd: bigint | undefined,
  ) => number;
};

export function createEnds(): Ends {
  const reached = new Map<string, bigint>();
  return {
    reached: (ends) => {
      for (const { topic, partition, offset } of ends) reached.set(`${topic}-${partition}`, offset);
    },
    behind: ({ topic, partition }, position, knownEnd) => {
      if (knownEnd === undefined) return 0;
      const seen = reached.get(`${topic}-${partition}`) ?? 0n;
      const from = seen > position ? seen : position;
      return knownEnd > from ? Number(knownEnd - from) : 0;
    },
  };
}
