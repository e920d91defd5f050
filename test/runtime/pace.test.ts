/** When a transaction is due: soon when it is quiet, later and larger under load, and less often while the broker is busy. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../processors/runtime/limits.ts';
import { createPace } from '../../processors/runtime/pace.ts';

const drained = (nowMs: number) => ({ nowMs, ageMs: 0, records: 1, drained: true });

describe('the pace of transactions', () => {
  it('is at once after a quiet moment', () => {
    expect(createPace().isDue(drained(0))).toBe(true);
  });

  it('does not rest after a quick commit', () => {
    const pace = createPace();
    pace.committed({ nowMs: 1_000, tookMs: limits.transactionRestFromMs - 1, records: 1 });
    expect(pace.isDue(drained(1_000))).toBe(true);
    expect(pace.restMs(1_000)).toBe(0);
  });

  it('rests while commits are slow for twice as long as they take, says for how long, and never too long', () => {
    const pace = createPace();
    pace.committed({ nowMs: 1_000, tookMs: 30, records: 1 });
    expect(pace.isDue(drained(1_059))).toBe(false);
    expect(pace.restMs(1_010)).toBe(50);
    expect(pace.isDue(drained(1_060))).toBe(true);
    expect(pace.restMs(1_060)).toBe(0);
    for (let commit = 0; commit < limits.transactionRestCommits; commit += 1) {
      pace.committed({ nowMs: 2_000, tookMs: 10_000, records: 1 });
    }
    expect(pace.isDue(drained(2_000 + limits.transactionRestMaxMs - 1))).toBe(false);
    expect(pace.isDue(drained(2_000 + limits.transactionRestMaxMs))).toBe(true);
  });

  it('does not rest for a slow commit among quick ones, and does when they have become slow', () => {
    const pace = createPace();
    const tooks = [3, 4, 200, 5, 200, 3];
    for (const tookMs of tooks) {
      pace.committed({ nowMs: 1_000, tookMs, records: 1 });
      expect(pace.isDue(drained(1_000))).toBe(true);
    }
    pace.committed({ nowMs: 1_000, tookMs: 50, records: 1 });
    pace.committed({ nowMs: 1_000, tookMs: 40, records: 1 });
    pace.committed({ nowMs: 1_000, tookMs: 60, records: 1 });
    expect(pace.isDue(drained(1_000))).toBe(false);
    expect(pace.restMs(1_000)).toBe(100);
  });

  it('does not rest after one with many records, of which each costs little already', () => {
    const pace = createPace();
    pace.committed({ nowMs: 1_000, tookMs: 90, records: limits.transactionRestRecords });
    expect(pace.isDue(drained(1_000))).toBe(true);
  });

  it('gathers for as long as it is told to, however quick the commits are', () => {
    const pace = createPace(50);
    pace.committed({ nowMs: 1_000, tookMs: 1, records: 1 });
    expect(pace.isDue(drained(1_049))).toBe(false);
    expect(pace.isDue(drained(1_050))).toBe(true);
  });

  it('does not rest with a backlog: transactions grow by their age instead', () => {
    const pace = createPace();
    pace.committed({ nowMs: 1_000, tookMs: 30, records: 1 });
    const backlog = { nowMs: 1_001, records: 1_000, drained: false };
    expect(pace.isDue({ ...backlog, ageMs: limits.transactionAgeMinMs })).toBe(true);
    expect(pace.isDue({ ...backlog, ageMs: limits.transactionAgeMinMs })).toBe(false);
    expect(pace.isDue({ ...backlog, ageMs: 2 * limits.transactionAgeMinMs })).toBe(true);
    expect(pace.isDue({ ...backlog, ageMs: 0, records: limits.transactionRecordsMax })).toBe(true);
  });
});
