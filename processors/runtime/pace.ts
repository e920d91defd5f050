/**
 * When an open transaction is committed: at once after a quiet moment; soon in a thin stream, whose records gather while
 * the pace rests after a commit; later and larger under load.
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
  /** `tookMs`: how long the commit was under way. */
  readonly committed: (nowMs: number, tookMs: number) => void;
  /** How long an open transaction waits for more records that are not there yet. */
  readonly restMs: (nowMs: number) => number;
};

/** `gatherMs`: how long the pace rests after a commit, at least. */
export function createPace(gatherMs: number = limits.transactionRestMs): Pace {
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
    committed: (nowMs, tookMs) => {
      // A broker that is busy answers later: fewer and larger transactions let it be less so.
      const busyMs = Math.min(tookMs, limits.transactionRestMaxMs);
      restUntilMs = nowMs + Math.max(gatherMs, busyMs);
    },
    restMs: (nowMs) => (resting ? Math.max(0, restUntilMs - nowMs) : 0),
  };
}
