/** When an open transaction is committed: at once while nothing more waits, later and larger under load. */
import { limits } from './limits.ts';

export type Pace = {
  /** Is it time, for a transaction of this age and size? `drained`: the last poll found nothing more to take. */
  readonly isDue: (open: {
    readonly ageMs: number;
    readonly records: number;
    readonly drained: boolean;
  }) => boolean;
};

export function createPace(): Pace {
  let ageMaxMs: number = limits.transactionAgeMinMs;
  return {
    isDue: ({ ageMs, records, drained }) => {
      if (drained) {
        ageMaxMs = limits.transactionAgeMinMs;
        return true;
      }
      if (ageMs < ageMaxMs && records < limits.transactionRecordsMax) return false;
      ageMaxMs = Math.min(2 * ageMaxMs, limits.transactionAgeMaxMs);
      return true;
    },
  };
}
