/**
 * The clock by which a transaction's latency is told: read when COMMIT returns, and again when its figures arrive.
 * Milliseconds of the epoch, finer than `Date`'s.
 */
export function commitClockMs(): number {
  return performance.timeOrigin + performance.now();
}
