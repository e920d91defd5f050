/** What may be sold, as a distribution over quantities in units. Pure. */

/** `values` ascend; `cumulated[i]` is the probability of at most `values[i]`, the last one 1. */
export type Distribution = {
  readonly values: readonly number[];
  readonly cumulated: readonly number[];
};

const tail = 1e-7;
const pointsMax = 20_000;

/** The smallest value that demand exceeds with a probability of at most 1 - `level`. */
export function quantile({ values, cumulated }: Distribution, level: number): number {
  return values[lowest(cumulated, level - 1e-12)] ?? values.at(-1) ?? 0;
}

/** Probability of at most `value`. */
export function atMost({ values, cumulated }: Distribution, value: number): number {
  const above = lowest(values, value + 1e-9);
  return above === 0 ? 0 : (cumulated[above - 1] ?? 1);
}

/** The first place whose number is at least `wanted`; the length when there is none. */
function lowest(ascending: readonly number[], wanted: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) >= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function meanOf({ values, cumulated }: Distribution): number {
  return values.reduce(
    (sum, value, index) => sum + value * ((cumulated[index] ?? 0) - (cumulated[index - 1] ?? 0)),
    0,
  );
}

export function varianceOf(told: Distribution): number {
  const mean = meanOf(told);
  return told.values.reduce(
    (sum, value, index) =>
      sum + (value - mean) ** 2 * ((told.cumulated[index] ?? 0) - (told.cumulated[index - 1] ?? 0)),
    0,
  );
}

/**
 * Demand of a mean and a variance, in steps of `grain`: negative binomial where the variance exceeds the mean (both
 * counted in grains), else Poisson. Syntetos, Babai & Altay (2012) find it the best fit for spare parts and retail.
 */
export function counted(mean: number, variance: number, grain = 1): Distribution {
  const rate = mean / grain;
  if (!(rate > 1e-9)) return { values: [0], cumulated: [1] };
  const ratio = Math.max(1, variance / (mean * grain));
  const isPoisson = ratio < 1.0001;
  const size = rate / (ratio - 1);
  const values: number[] = [];
  const cumulated: number[] = [];
  // In logarithms: the probability of nothing is below the smallest number for large means.
  let log = isPoisson ? -rate : -size * Math.log(ratio);
  let sum = 0;
  for (let count = 0; count < pointsMax && sum < 1 - tail; count++) {
    const probability = Math.exp(log);
    sum += probability;
    values.push(count * grain);
    cumulated.push(Math.min(1, sum));
    log += isPoisson
      ? Math.log(rate / (count + 1))
      : Math.log(((count + size) * (ratio - 1)) / ((count + 1) * ratio));
    if (count > rate && probability < tail * tail) break;
  }
  cumulated[cumulated.length - 1] = 1;
  return { values, cumulated };
}

/** What was seen, each with a weight; below 0 counts as 0. */
export function weighted(
  seen: readonly { readonly value: number; readonly weight: number }[],
): Distribution {
  const weights = new Map<number, number>();
  let total = 0;
  for (const { value, weight } of seen) {
    const possible = Math.max(0, value);
    weights.set(possible, (weights.get(possible) ?? 0) + weight);
    total += weight;
  }
  if (!(total > 0)) return { values: [0], cumulated: [1] };
  const values = [...weights.keys()].sort((one, other) => one - other);
  let sum = 0;
  const cumulated = values.map((value) => {
    sum += (weights.get(value) ?? 0) / total;
    return Math.min(1, sum);
  });
  cumulated[cumulated.length - 1] = 1;
  return { values, cumulated };
}

/** Pinball (quantile) loss of a quantile told for `level` when `seen` came (Koenker & Bassett 1978). */
export function pinball(told: number, seen: number, level: number): number {
  return seen >= told ? level * (seen - told) : (1 - level) * (told - seen);
}

/**
 * How much of what came lies in the central interval of `nominal`, 0 to 1: demand is discrete, so one value may lie
 * half in it; the transform that is uniform for a right forecast runs from P(< seen) to P(≤ seen)
 * (Czado, Gneiting & Held 2009). The mean over many is the coverage.
 */
export function covered(distribution: Distribution, seen: number, nominal: number): number {
  const below = atMost(distribution, seen - 2e-9);
  const upTo = atMost(distribution, seen);
  const from = (1 - nominal) / 2;
  const until = 1 - from;
  if (upTo - below < 1e-12) return upTo >= from && upTo <= until ? 1 : 0;
  const inside = Math.min(upTo, until) - Math.max(below, from);
  return Math.max(0, inside) / (upTo - below);
}
