/**
 * When an open transaction is committed: at once while the broker is at ease; after a rest, in which records gather,
 * while it is busy; later and larger under load.
 */
import { limits } from './limits.ts';

export type Pace = {
  /** Is it time, for a transaction of this age and size? `drained`: the last poll found nothing more to take. */
  readonly isDue: (open: {
    readonly nowMs: number;
    readonly ageMs: number;
    readonly records: number;
    readonly drained: boolean;
  }) => boolean;
  /** `tookMs`: how long the commit of so many records was under way. */
  readonly committed: (commit: {
    readonly nowMs: number;
    readonly tookMs: number;
    readonly records: number;
  }) => void;
  /** How long an open transaction waits for more records that are not there yet. */
  readonly restMs: (nowMs: number) => number;
};

/** `gatherMs`: how long the pace rests after a commit, at least. */
export function createPace(gatherMs = 0): Pace {
  let ageMaxMs: number = limits.transactionAgeMinMs;
  let restUntilMs = 0;
  let resting = false;
  let recentMs: readonly number[] = [];
  return {
    isDue: ({ nowMs, ageMs, records, drained }) => {
      resting = drained && nowMs < restUntilMs;
      if (drained) {
        ageMaxMs = limits.transactionAgeMinMs;
        return !resting;
      }
      if (ageMs < ageMaxMs && records < limits.transactionRecordsMax) return false;
      ageMaxMs = Math.min(2 * ageMaxMs, limits.transactionAgeMaxMs);
      return true;
    },
    committed: ({ nowMs, tookMs, records }) => {
      recentMs = [...recentMs, tookMs].slice(-limits.transactionRestCommits);
      // A broker that is busy answers later: fewer and larger transactions let it be less so.
      const usualMs = middle(recentMs);
      const isBusy = usualMs >= limits.transactionRestFromMs;
      const isThin = records < limits.transactionRestRecords;
      const busyMs =
        isBusy && isThin
          ? Math.min(limits.transactionRests * usualMs, limits.transactionRestMaxMs)
          : 0;
      restUntilMs = nowMs + Math.max(gatherMs, busyMs);
    },
    restMs: (nowMs) => (resting ? Math.max(0, restUntilMs - nowMs) : 0),
  };
}

/** The lower one of an even number. */
function middle(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
