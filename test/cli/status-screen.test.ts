/** What the live screen says: rates that do not jump, and nothing where there is nothing. */
import { describe, expect, it } from 'vitest';
import { latencyText } from '../../processors/cli/start/figures.ts';
import { lagText, recentRate } from '../../processors/cli/start/status-screen.ts';
import type { ProcessorStatus } from '../../processors/processes/status.ts';

const hop = (name: string, lagSeconds: number): readonly [string, ProcessorStatus] => [
  name,
  {
    records: 1,
    lagRecords: 1,
    lagSeconds,
    transactions: 1,
    lastCommitMs: 1,
    deadLetters: 0,
    counted: {},
  },
];

describe('the live screen', () => {
  it('tells the same rate between two lumps as in them', () => {
    const rate = recentRate();
    const rates: number[] = [];
    // 300 a second, told every three seconds, drawn every half second.
    for (let atMs = 0; atMs <= 60_000; atMs += 500) {
      rates.push(rate(900 * Math.floor(atMs / 3_000), atMs));
    }
    const steady = rates.slice(20);
    expect(Math.min(...steady)).toBeGreaterThanOrEqual(200);
    expect(Math.max(...steady)).toBeLessThanOrEqual(400);
    expect(rates[0]).toBe(0);
  });

  it('forgets what was longer than ten seconds ago, and is not thrown by a count that begins anew', () => {
    const rate = recentRate();
    rate(0, 0);
    rate(5_000, 1_000);
    expect(rate(5_000, 5_000)).toBe(1_000);
    expect(rate(5_000, 11_000)).toBe(0);
    expect(rate(100, 12_000)).toBe(0);
    rate(200, 22_000);
    expect(rate(300, 32_000)).toBe(10);
  });

  it('says that nothing has arrived instead of a latency of 0', () => {
    expect(latencyText({ p50: 0, p99: 0, count: 0 })).toBe('none');
    expect(latencyText({ p50: 12.5, p99: 40, count: 3 })).toBe('p50 12.5 ms, p99 40 ms');
  });

  it('names the hop that is furthest behind', () => {
    expect(lagText([hop('intake-erp', 0.4), hop('stock', 3.25), hop('audit', 0)])).toBe(
      'lag 3.3 s (stock)',
    );
    expect(lagText([hop('intake-erp', 0), hop('stock', 0)])).toBe('no lag');
    expect(lagText([])).toBe('no hop yet');
  });
});
