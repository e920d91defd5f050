import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { posMapping } from '../../connectors/pos/mapping.ts';
import { debeziumLoad, debeziumSchemas } from './debezium-load.ts';
import { bootstrap, median, quantile } from './figures.ts';
import { seeded } from './random.ts';
import { expectedCells, sales, workloads } from './workload.ts';
import { zipf } from './zipf.ts';

describe('the load of the bench', () => {
  it('ranks come as often as Zipf says', () => {
    for (const exponent of [0.8, 0.99, 1, 1.2]) {
      const ranks = 1_000;
      const draws = 100_000;
      const draw = zipf(ranks, exponent, seeded(1));
      const seen = new Map<number, number>();
      for (let count = 0; count < draws; count += 1) {
        const rank = draw();
        seen.set(rank, (seen.get(rank) ?? 0) + 1);
      }
      expect([...seen.keys()].every((rank) => rank >= 0 && rank < ranks)).toBe(true);
      let total = 0;
      for (let rank = 1; rank <= ranks; rank += 1) total += rank ** -exponent;
      for (const rank of [0, 1, 9, 99]) {
        const wanted = ((rank + 1) ** -exponent / total) * draws;
        expect(Math.abs((seen.get(rank) ?? 0) - wanted)).toBeLessThan(6 * Math.sqrt(wanted) + 1);
      }
    }
  });

  it('the same seed gives the same sales, and the oracle adds them up', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 300 }), (seed, count) => {
        const sold = [...sales(workloads.W3, { count, seed })];
        expect([...sales(workloads.W3, { count, seed })]).toEqual(sold);
        const cells = expectedCells(sold);
        const sum = (of: (cell: { onHand: number; sequence: number }) => number) =>
          [...cells.values()].reduce((total, cell) => total + of(cell), 0);
        expect(sum(({ sequence }) => sequence)).toBe(count);
        expect(sum(({ onHand }) => onHand)).toBe(sold.reduce((all, one) => all + one.quantity, 0));
      }),
    );
  });

  it('a flash sale gives one SKU about its share', () => {
    const sold = [...sales(workloads.W3, { count: 10_000, seed: 1 })];
    const hot = sold.filter(({ sku }) => sku === 'SKU-00000000').length / sold.length;
    expect(hot).toBeGreaterThan(0.3);
    expect(hot).toBeLessThan(0.45);
  });

  it("Debezium's topics are all of intake's, and each source transaction counts its changes", () => {
    const subjects = [...debeziumSchemas().keys()];
    const load = debeziumLoad(1, (subject) => subjects.indexOf(subject) + 1);
    const records = [...load.lookups(), ...load.receipts(50)];
    for (const { topic } of records) expect(subjects).toContain(`${topic}-value`);
    for (const { header, lines } of posMapping.documents) {
      expect(records.some(({ topic }) => topic.endsWith(`.${header.name}`))).toBe(true);
      expect(records.some(({ topic }) => topic.endsWith(`.${lines?.table.name}`))).toBe(true);
    }
    expect([...load.sold.values()].every((quantity) => quantity > 0)).toBe(true);
  });
});

describe('figures', () => {
  it('quantiles lie where they should', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
    expect(median([])).toBeNaN();
  });

  it('the interval holds the median and stays within what was seen', () => {
    const values = fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(values, (seen) => {
        const { low, median: middle, high } = bootstrap(seen, seeded(1));
        expect(low).toBeLessThanOrEqual(middle);
        expect(high).toBeGreaterThanOrEqual(middle);
        expect(low).toBeGreaterThanOrEqual(Math.min(...seen));
        expect(high).toBeLessThanOrEqual(Math.max(...seen));
      }),
      { numRuns: 40 },
    );
  });
});
