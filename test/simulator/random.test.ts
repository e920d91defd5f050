import { expect, it } from 'vitest';
import {
  cumulate,
  fraction,
  integer,
  pick,
  pickIndex,
  seededRandom,
  zipfWeights,
} from '../../connectors/simulator/random.ts';

const draws = (seed: number): readonly number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: 1000 }, () => fraction(random));
};

it('the same seed draws the same numbers, another seed others', () => {
  expect(draws(7)).toEqual(draws(7));
  expect(draws(7)).not.toEqual(draws(8));
});

it('numbers are spread evenly from 0 to below 1', () => {
  const drawn = draws(1);
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...drawn)).toBeLessThan(1);
  expect(drawn.reduce((sum, one) => sum + one, 0) / drawn.length).toBeCloseTo(0.5, 1);
});

it('whole numbers include both bounds', () => {
  const random = seededRandom(3);
  const seen = new Set(Array.from({ length: 200 }, () => integer(random, -1, 2)));
  expect([...seen].sort((one, other) => one - other)).toEqual([-1, 0, 1, 2]);
});

it('picks nothing only from nothing', () => {
  const random = seededRandom(3);
  expect(pick(random, [])).toBeUndefined();
  expect(pick(random, ['only'])).toBe('only');
});

it('by Zipf the first rank sells most, and every rank sells', () => {
  const random = seededRandom(5);
  const cumulated = cumulate(zipfWeights(50, 1));
  const sold = Array.from({ length: 50 }, () => 0);
  for (let draw = 0; draw < 50_000; draw++) {
    const rank = pickIndex(random, cumulated);
    sold[rank] = (sold[rank] ?? 0) + 1;
  }
  expect(sold[0]).toBe(Math.max(...sold));
  expect(Math.min(...sold)).toBeGreaterThan(0);
  expect((sold[0] ?? 0) / (sold[9] ?? 1)).toBeCloseTo(10, -1);
});
