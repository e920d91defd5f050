/** Medians, and how far they can be trusted. */
import type { Random } from './random.ts';

export type Interval = {
  readonly median: number;
  /** 95 % bootstrap confidence interval of the median. */
  readonly low: number;
  readonly high: number;
};

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between neighbours. */
export function quantile(values: readonly number[], at: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((one, other) => one - other);
  const place = (sorted.length - 1) * at;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

const resamples = 2_000;

/** The median of what was seen, and the interval in which the medians of resamples of it lie. */
export function bootstrap(values: readonly number[], random: Random): Interval {
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[random.below(values.length)] as number)),
  );
  return {
    median: median(values),
    low: quantile(medians, 0.025),
    high: quantile(medians, 0.975),
  };
}
