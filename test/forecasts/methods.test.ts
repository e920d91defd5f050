import { expect, it } from 'vitest';
import {
  atMost,
  counted,
  covered,
  meanOf,
  pinball,
  quantile,
  weighted,
} from '../../processors/forecasts/distribution.ts';
import { dailyRate, naive, seasonalNaive } from '../../processors/forecasts/methods.ts';
import { knownDemand, type Series } from '../../processors/forecasts/panel.ts';
import { pooledForecasts } from '../../processors/forecasts/pooled.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** At least 0, below 1. */
const fractions = (seed: number) => {
  const below = seededRandom(seed);
  return () => below(1_000_000) / 1_000_000;
};

const series = (sold: readonly number[], without: readonly number[] = []): Series => ({
  sku: 'A',
  location: '10',
  sold,
  stocked: sold.map((_, day) => !without.includes(day)),
});

/** The same recursions written down from the papers, day by day, with an array per quantity. */
function plainly(demand: readonly number[], method: 'croston' | 'sba' | 'tsb', alpha: number) {
  const z: number[] = [];
  const p: number[] = [];
  let q = 1;
  demand.forEach((y, t) => {
    const before = { z: z[t - 1], p: p[t - 1] };
    if (before.z === undefined || before.p === undefined) {
      if (y > 0) {
        z[t] = y;
        p[t] = method === 'tsb' ? 1 / (t + 1) : t + 1;
        q = 1;
      }
      return;
    }
    if (method === 'tsb') p[t] = alpha * (y > 0 ? 1 : 0) + (1 - alpha) * before.p;
    else p[t] = y > 0 ? alpha * q + (1 - alpha) * before.p : before.p;
    z[t] = y > 0 ? alpha * y + (1 - alpha) * before.z : before.z;
    q = y > 0 ? 1 : q + 1;
  });
  const size = z.at(-1) ?? 0;
  const last = p.at(-1) ?? 1;
  if (method === 'tsb') return size * last;
  return (method === 'sba' ? 1 - alpha / 2 : 1) * (size / last);
}

it('Croston, SBA and TSB follow their published recursions on random intermittent demand', () => {
  const random = fractions(5);
  for (let run = 0; run < 200; run++) {
    const demand = Array.from({ length: 40 }, () =>
      random() < 0.3 ? 1 + Math.floor(random() * 5) : 0,
    );
    for (const method of ['croston', 'sba', 'tsb'] as const) {
      const told = dailyRate(demand, method, 0.2);
      expect(told).toBeCloseTo(demand.some((one) => one > 0) ? plainly(demand, method, 0.2) : 0, 9);
    }
  }
});

it('demand of 6 every third day: Croston tells 2 a day, SBA 5 percent less at α 0.1', () => {
  const demand = [0, 0, 6, 0, 0, 6, 0, 0, 6];
  expect(dailyRate(demand, 'croston')).toBeCloseTo(2, 9);
  expect(dailyRate(demand, 'sba')).toBeCloseTo(1.9, 9);
});

it('TSB forgets what is not sold any more, Croston does not', () => {
  const demand = [...new Array<number>(20).fill(1), ...new Array<number>(60).fill(0)];
  expect(dailyRate(demand, 'croston')).toBeCloseTo(1, 9);
  expect(dailyRate(demand, 'tsb')).toBeCloseTo(0.9 ** 60, 9);
});

it('naive repeats the last day, seasonal naive the same weekday', () => {
  const week = [1, 2, 3, 4, 5, 6, 7];
  const four = series([...week, ...week, ...week, ...week]);
  expect(quantile(seasonalNaive(four, 28, 3), 0.5)).toBe(3);
  expect(quantile(naive(series([4, 4, 4, 4]), 4, 1), 0.5)).toBe(4);
});

it('a day without stock is not read as a day without demand', () => {
  expect(knownDemand(series([2, 0, 2], [1]), 3)).toEqual([2, 2]);
  const empty = Array.from({ length: 30 }, (_, index) => 2 * index);
  const sold = Array.from({ length: 60 }, (_, day) => (empty.includes(day) ? 0 : 4));
  const level = (one: Series) =>
    pooledForecasts({ firstWeekday: 0, series: [one] }, 60)[0]?.level ?? 0;
  expect(level(series(sold, empty))).toBeCloseTo(4, 1);
  expect(level(series(sold))).toBeLessThan(2.5);
});

it('the negative binomial has the mean and variance asked for, Poisson where there is no spread', () => {
  for (const [mean, variance] of [
    [0.3, 0.5],
    [4, 9],
    [800, 5000],
    [2, 2],
  ] as const) {
    const told = counted(mean, variance);
    expect(meanOf(told)).toBeCloseTo(mean, 2);
    const second = told.values.reduce((sum, value, index) => {
      const weight = (told.cumulated[index] ?? 0) - (told.cumulated[index - 1] ?? 0);
      return sum + weight * (value - mean) ** 2;
    }, 0);
    expect(Math.abs(second / variance - 1)).toBeLessThan(0.01);
  }
  expect(atMost(counted(2, 2), 0)).toBeCloseTo(Math.exp(-2), 9);
});

it('quantiles never fall as the level rises, and meet their level', () => {
  const random = fractions(9);
  for (let run = 0; run < 100; run++) {
    const mean = random() * 20;
    const told =
      run % 2 === 0
        ? counted(mean, mean * (1 + 3 * random()))
        : weighted(
            Array.from({ length: 30 }, () => ({ value: random() * 9, weight: random() + 0.01 })),
          );
    let before = 0;
    for (let level = 0.01; level < 1; level += 0.01) {
      const value = quantile(told, level);
      expect(value).toBeGreaterThanOrEqual(before);
      expect(atMost(told, value)).toBeGreaterThanOrEqual(level - 1e-9);
      before = value;
    }
  }
});

it('pinball and coverage: the loss of a median is half the miss, a right forecast covers what it says', () => {
  expect(pinball(3, 5, 0.5)).toBe(1);
  expect(pinball(3, 5, 0.9)).toBeCloseTo(1.8, 9);
  const told = counted(1.5, 3);
  const mean = told.values.reduce((sum, value, index) => {
    const weight = (told.cumulated[index] ?? 0) - (told.cumulated[index - 1] ?? 0);
    return sum + weight * covered(told, value, 0.8);
  }, 0);
  expect(mean).toBeCloseTo(0.8, 6);
});
