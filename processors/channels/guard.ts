/**
 * The mass-zero guard: a source that goes wrong, such as an import of zeros, must not sell out a whole location. Levels
 * that would are kept from the channels until a person has looked. Pure; one state per location and partition.
 */

export type Guard = {
  /** So much of a location's SKUs may run out within the window, in percent, … */
  readonly percent: number;
  /** … and this many in any case. Both within one partition: SKUs are spread evenly over them. */
  readonly minimum: number;
  readonly windowMs: number;
};

export type LocationState = {
  readonly kind: 'location';
  /** SKUs of which something is available. */
  readonly positive: number;
  /** SKUs that have run out, by minute. */
  readonly runOut: readonly (readonly [minute: number, count: number])[];
  /** Names the alert; empty while the guard is not up. */
  readonly alert: string;
  readonly held: readonly string[];
  /** Approved: until then no more is kept. */
  readonly openUntil: number;
};

export const newLocation: LocationState = {
  kind: 'location',
  positive: 0,
  runOut: [],
  alert: '',
  held: [],
  openUntil: 0,
};

const minuteMs = 60_000;

export type Judged = {
  readonly location: LocationState;
  readonly verdict: 'pass' | 'hold';
  /** The guard has just gone up. */
  readonly tripped: boolean;
};

/** `before` and `after`: what is available of one SKU as the channels know it, and as stock tells it now. */
export function judge(
  guard: Guard,
  state: LocationState,
  level: { readonly sku: string; readonly before: number; readonly after: number },
  nowMs: number,
): Judged {
  const { sku, before, after } = level;
  const held = state.held.filter((one) => one !== sku);
  if (after > 0) {
    const positive = state.positive + (before > 0 ? 0 : 1);
    return { location: { ...state, held, positive }, verdict: 'pass', tripped: false };
  }
  if (before <= 0) return { location: { ...state, held }, verdict: 'pass', tripped: false };
  const runOut = withOne(guard, state.runOut, nowMs);
  const count = runOut.reduce((sum, [, of]) => sum + of, 0);
  const inAll = state.positive + count - 1;
  const isTooMuch = count > Math.max(guard.minimum, (inAll * guard.percent) / 100);
  const isUp = state.alert !== '' || (isTooMuch && nowMs >= state.openUntil);
  if (!isUp) {
    const positive = state.positive - 1;
    return { location: { ...state, held, positive, runOut }, verdict: 'pass', tripped: false };
  }
  const tripped = state.alert === '';
  const alert = tripped ? `${sku}|${nowMs}` : state.alert;
  // What is kept has not run out for the channels, and so does not count again.
  return { location: { ...state, alert, held: [...held, sku] }, verdict: 'hold', tripped };
}

/** Nothing is kept any more; after an approval all may run out for the length of a window. */
export function released(
  guard: Guard,
  state: LocationState,
  verdict: 'approved' | 'rejected',
  nowMs: number,
): LocationState {
  const openUntil = verdict === 'approved' ? nowMs + guard.windowMs : state.openUntil;
  const gone = verdict === 'approved' ? state.held.length : 0;
  return { ...state, alert: '', held: [], openUntil, positive: state.positive - gone };
}

function withOne(
  { windowMs }: Guard,
  runOut: LocationState['runOut'],
  nowMs: number,
): LocationState['runOut'] {
  const minute = Math.floor(nowMs / minuteMs);
  const first = Math.floor((nowMs - windowMs) / minuteMs);
  const kept = runOut.filter(([of]) => of > first && of !== minute);
  const before = runOut.find(([of]) => of === minute)?.[1] ?? 0;
  return [...kept, [minute, before + 1]];
}
