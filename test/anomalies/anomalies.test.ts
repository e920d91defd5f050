/** Anomalies: the arithmetic of chance, the seasons, and faults planted in simulated weeks. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chanceOfMore, chanceOfNone, dispersion } from '../../processors/anomalies/chance.ts';
import {
  dayMs,
  expectedLines,
  hourMs,
  newSeason,
  shareOfHour,
  withLines,
} from '../../processors/anomalies/season.ts';
import { readFaults } from '../../processors/cli/anomalies/faults.ts';
import { evaluate } from '../../processors/cli/anomalies.ts';

const monday = Date.UTC(2026, 0, 5);
const weeks = { seed: 11, days: 21, shops: 3, articles: 30 };

/** The textbook's recursion from P(0) on: P(n) = P(n - 1) (n + k - 1) / n · m / (m + k). */
function tailByRecursion(count: number, mean: number): number {
  let term = (1 + mean / dispersion) ** -dispersion;
  let below = 0;
  for (let n = 0; n < count; n += 1) {
    below += term;
    term *= ((n + dispersion) / (n + 1)) * (mean / (mean + dispersion));
  }
  return 1 - below;
}

function faultsIn(faults: readonly object[]): string {
  const file = join(tmpdir(), `stockline-faults-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(faults));
  return file;
}

describe('anomalies', () => {
  it('chances of counts are those of the negative binomial', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.double({ min: 0.05, max: 40, noNaN: true }), (count, mean) => {
        expect(chanceOfMore(count, mean)).toBeCloseTo(tailByRecursion(count, mean), 9);
        expect(chanceOfNone(mean)).toBeCloseTo(1 - tailByRecursion(1, mean), 12);
      }),
    );
  });

  it('the hours of a week share out all of it, and follow what was sold', () => {
    let season = newSeason(monday);
    for (let day = 0; day < 14; day += 1) {
      for (const hour of [10, 10, 10, 17]) {
        season = withLines(season, monday + day * dayMs + hour * hourMs, 1);
      }
    }
    const week = monday + 14 * dayMs;
    const shares = Array.from({ length: 168 }, (_, hour) =>
      shareOfHour(season, week + hour * hourMs),
    );
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect((shares[10] as number) / (shares[17] as number)).toBeCloseTo(3, 0);
    expect(expectedLines(season, 4, week, week + 7 * dayMs)).toBeCloseTo(28, 6);
  });

  it('weeks in which nothing goes wrong have hardly an alarm', () => {
    const { falseAlarmsPer1000CellDays, told } = evaluate({ ...weeks, faults: faultsIn([]) });
    expect(told).toBeLessThan(3);
    expect(falseAlarmsPer1000CellDays).toBeLessThan(1);
  });

  it('faults of each kind are found, and little else is told', () => {
    const { precision, recall } = evaluate({ ...weeks, days: 30 });
    expect(precision).toBeGreaterThanOrEqual(0.85);
    expect(recall).toBeGreaterThanOrEqual(0.85);
  });

  it('faults of a file that nobody drew are found where and when they are', () => {
    const file = faultsIn([
      { kind: 'negativeStock', sku: 'A7', location: 'F2', atHours: 300, size: 2 },
      { kind: 'suddenDrop', sku: 'A4', location: 'F1', atHours: 320, size: 0.9 },
      { kind: 'salesSpike', sku: 'A2', location: 'F3', atHours: 346, hours: 5, size: 9 },
      { kind: 'silentTill', location: 'F1', till: '3', atHours: 372, hours: 40 },
      { kind: 'countDiscrepancy', sku: 'A9', location: 'F2', atHours: 290, size: 30 },
      { kind: 'silentSource', system: 'pos', atHours: 442, hours: 7 },
    ]);
    const { recall, missed, wrong } = evaluate({ ...weeks, faults: file });
    expect(missed).toEqual([]);
    expect(recall).toBe(1);
    expect(wrong.length).toBeLessThan(3);
  });

  it('a fault file with a mistake is refused with its place', () => {
    const nowhere = faultsIn([{ kind: 'salesSpike', atHours: 300, sku: 'A1' }]);
    expect(() => readFaults(nowhere)).toThrow(/fault 0: salesSpike has to name location/);
    const unknown = faultsIn([{ kind: 'theft', atHours: 3 }]);
    expect(() => readFaults(unknown)).toThrow(/is no fault file/);
  });
});
