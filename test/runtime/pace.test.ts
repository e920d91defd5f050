/** When a transaction is due: soon when it is quiet, later and larger under load, and less often while the broker is busy. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../processors/runtime/limits.ts';
import { createPace } from '../../processors/runtime/pace.ts';

const drained = (nowMs: number) => ({ nowMs, ageMs: 0, records: 1, drained: true });

describe('the pace of transactions', () => {
  it('is at once after a quiet moment', () => {
    expect(createPace().isDue(drained(0))).toBe(true);
  });

  it('rests as long as slow commits take, and never too long', () => {
    const pace = createPace();
    pace.committed(1_000, 30);
    pace.committed(2_000, 30);
    expect(pace.isDue(drained(2_029))).toBe(false);
    expect(pace.restMs(2_029)).toBe(1);
    expect(pace.isDue(drained(2_030))).toBe(true);
    expect(pace.restMs(2_030)).toBe(0);
    pace.committed(3_000, 10_000);
    pace.committed(20_000, 10_000);
    expect(pace.isDue(drained(20_000 + limits.transactionRestMaxMs))).toBe(true);
  });

  it('does not rest while commits are quick', () => {
    const pace = createPace();
    pace.committed(1_000, limits.transactionQuietMs);
    pace.committed(2_000, limits.transactionQuietMs);
    expect(pace.isDue(drained(2_000))).toBe(true);
  });

  it('does not take one slow commit for a busy broker', () => {
    const pace = createPace();
    pace.committed(1_000, 5);
    pace.committed(2_000, 80);
    expect(pace.isDue(drained(2_000))).toBe(true);
  });

  it('rests longer where the topology gathers', () => {
    const pace = createPace(250);
    pace.committed(1_000, 5);
    expect(pace.isDue(drained(1_249))).toBe(false);
    expect(pace.isDue(drained(1_250))).toBe(true);
  });

  it('does not rest with a backlog: transactions grow by their age instead', () => {
    const pace = createPace();
    pace.committed(1_000, 30);
    pace.committed(1_001, 30);
    const backlog = { nowMs: 1_001, records: 1_000, drained: false };
    expect(pace.isDue({ ...backlog, ageMs: limits.transactionAgeMinMs })).toBe(true);
    expect(pace.isDue({ ...backlog, ageMs: limits.transactionAgeMinMs })).toBe(false);
    expect(pace.isDue({ ...backlog, ageMs: 2 * limits.transactionAgeMinMs })).toBe(true);
    expect(pace.isDue({ ...backlog, ageMs: 0, records: limits.transactionRecordsMax })).toBe(true);
  });
});
