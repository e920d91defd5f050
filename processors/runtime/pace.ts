/**
 * When an open transaction is committed: at once in a thin stream; soon in a thicker one, whose records gather while the
 * pace rests after a commit; later and larger under load.
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

/** `gatherMs`: how long the pace rests after a commit, at least; absent: not in a thin stream. */
export function createPace(gatherMs?: number): Pace {
  let ageMaxMs: number = limits.transactionAgeMinMs;
  let restUntilMs = 0;
  let resting = false;
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
      const isThin = records <= limits.transactionThinRecords;
      const leastMs = gatherMs ?? (isThin ? 0 : limits.transactionRestMs);
      // A broker that is busy answers later: fewer and larger transactions let it be less so.
      const busyMs = isThin ? 0 : Math.min(tookMs, limits.transactionRestMaxMs);
      restUntilMs = nowMs + Math.max(leastMs, busyMs);
    },
    restMs: (nowMs) => (resting ? Math.max(0, restUntilMs - nowMs) : 0),
  };
}
