/** When a transaction is due: soon when it is quiet, later and larger under load, and less often while the broker is busy. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../processors/runtime/limits.ts';
import { createPace } from '../../processors/runtime/pace.ts';

const drained = (nowMs: number) => ({ nowMs, ageMs: 0, records: 1, drained: true });

describe('the pace of transactions', () => {
  it('is at once after a quiet moment', () => {
    expect(createPace().isDue(drained(0))).toBe(true);
  });

  it('rests after a quick commit only a little, and says for how long', () => {
    const pace = createPace();
    pace.committed(1_000, 1);
    expect(pace.isDue(drained(1_000 + limits.transactionRestMs - 1))).toBe(false);
    expect(pace.restMs(1_000)).toBe(limits.transactionRestMs);
    expect(pace.isDue(drained(1_000 + limits.transactionRestMs))).toBe(true);
    expect(pace.restMs(1_000)).toBe(0);
  });

  it('rests longer after a slow one, and never too long', () => {
    const pace = createPace();
    pace.committed(1_000, 30);
    expect(pace.isDue(drained(1_029))).toBe(false);
    expect(pace.isDue(drained(1_030))).toBe(true);
    pace.committed(2_000, 10_000);
    expect(pace.isDue(drained(2_000 + limits.transactionRestMaxMs))).toBe(true);
  });

  it('does not rest with a backlog: transactions grow by their age instead', () => {
    const pace = createPace();
    pace.committed(1_000, 30);
    const backlog = { nowMs: 1_001, records: 1_000, drained: false };
    expect(pace.isDue({ ...backlog, ageMs: limits.transactionAgeMinMs })).toBe(true);
    expect(pace.isDue({ ...backlog, ageMs: limits.transactionAgeMinMs })).toBe(false);
    expect(pace.isDue({ ...backlog, ageMs: 2 * limits.transactionAgeMinMs })).toBe(true);
    expect(pace.isDue({ ...backlog, ageMs: 0, records: limits.transactionRecordsMax })).toBe(true);
  });
});
