/**
 * How likely a count is when nothing is wrong. Counts of sales vary more than Poisson's: they are negative binomial with
 * mean m and variance m + m²/k (Cameron & Trivedi, Regression Analysis of Count Data, 2013, section 3.3, NB2).
 */

/** The size k: the smaller, the more days differ from each other for no reason that is known. */
export const dispersion = 12;

/** P(nothing) where `mean` was expected. */
export function chanceOfNone(mean: number): number {
  return (1 + mean / dispersion) ** -dispersion;
}

/** P(`count` or more) where `mean` was expected. */
export function chanceOfMore(count: number, mean: number): number {
  if (count <= 0) return 1;
  if (mean <= 0) return 0;
  const odds = mean / (mean + dispersion);
  // Terms above the mean fall off at least geometrically: the tail is summed from its largest term.
  let term = Math.exp(logTerm(count, odds));
  let tail = 0;
  for (let n = count; n < count + 2_000; n += 1) {
    tail += term;
    if (term < tail * 1e-12) break;
    term *= (odds * (n + dispersion)) / (n + 1);
  }
  return Math.min(1, tail);
}

/** ln P(n) = ln C(n + k - 1, n) + n ln(odds) + k ln(1 - odds); k is whole, so the binomial is a product of k - 1 terms. */
function logTerm(n: number, odds: number): number {
  let log = n * Math.log(odds) + dispersion * Math.log1p(-odds);
  for (let j = 1; j < dispersion; j += 1) log += Math.log((n + j) / j);
  return log;
}
