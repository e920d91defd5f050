/** The figures of a run: percentiles, the clock of each source, and a comparison that can fail. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { compare } from '../../processors/cli/start/compare.ts';
import { Figures, percentiles } from '../../processors/cli/start/figures.ts';
import { seededRandom } from '../support/seeded-random.ts';

afterEach(() => void vi.restoreAllMocks());

describe('percentiles', () => {
  it('are nearest ranks', () => {
    const samples = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(percentiles(samples)).toEqual({ p50: 100, p99: 198, count: 200 });
    expect(percentiles([7])).toEqual({ p50: 7, p99: 7, count: 1 });
    expect(percentiles([])).toEqual({ p50: 0, p99: 0, count: 0 });
  });
});

describe('latency', () => {
  const published = (transaction: string, system = 'pos') => ({
    topic: 'channel.web.stock.v1',
    value: { channel: 'web', sku: 'A', sellable: 1, sequence: 1, cause: { system, transaction } },
  });

  it('runs from the return of COMMIT to the record of the channel, for each source', () => {
    const figures = new Figures();
    const now = performance.timeOrigin + performance.now();
    figures.noteCommit({ system: 'pos', transaction: '1', committedAtMs: now - 500 });
    figures.noteCommit({ system: 'erp', transaction: '1', committedAtMs: now - 90_000 });
    figures.onRecord(published('1') as never);
    figures.onRecord(published('unknown') as never);
    const { all, bySource } = figures.latency();
    expect(all.count).toBe(1);
    expect(bySource.pos?.p50).toBeGreaterThanOrEqual(500);
    expect(bySource.pos?.p50).toBeLessThan(5_000);
    expect(bySource.erp).toBeUndefined();
  });

  it('has the percentiles that sorting gives, however many have come and however late', () => {
    const figures = new Figures();
    const random = seededRandom(3);
    const late = Array.from({ length: 2_000 }, (_, index) => random(index === 7 ? 1e9 : 20_000));
    const now = performance.timeOrigin + performance.now();
    for (const [index, ms] of late.entries()) {
      figures.noteCommit({ system: 'pos', transaction: `${index}`, committedAtMs: now - ms });
      figures.onRecord(published(`${index}`) as never);
    }
    const { all } = figures.latency();
    const sorted = percentiles(late);
    expect(all.count).toBe(sorted.count);
    expect(Math.abs(all.p50 - sorted.p50)).toBeLessThan(1_000);
    expect(Math.abs(all.p99 - sorted.p99)).toBeLessThan(1_000);
  });

  it('of the last minute forgets a start that took its time', () => {
    const figures = new Figures();
    let passedMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => passedMs);
    const arrive = (transaction: string, ms: number): void => {
      const committedAtMs = performance.timeOrigin + passedMs - ms;
      figures.noteCommit({ system: 'pos', transaction, committedAtMs });
      figures.onRecord(published(transaction) as never);
    };
    figures.startMeasuring();
    passedMs = 20_000;
    arrive('1', 9_000);
    expect(figures.recentLatency()).toMatchObject({ p99: 9_000, count: 1 });
    passedMs = 80_000;
    arrive('2', 30);
    expect(figures.recentLatency()).toMatchObject({ p99: 30, count: 1 });
    expect(figures.latency().all).toMatchObject({ p99: 9_000, count: 2 });
    passedMs = 400_000;
    expect(figures.recentLatency().count).toBe(0);
  });

  it('leaves out what was committed before the measuring began', () => {
    const figures = new Figures();
    const now = performance.timeOrigin + performance.now();
    figures.noteCommit({ system: 'pos', transaction: '1', committedAtMs: now - 500 });
    figures.startMeasuring();
    figures.onRecord(published('1') as never);
    expect(figures.latency().all.count).toBe(0);
  });
});

describe('comparison', () => {
  const cells = new Map([['A|L1', { onHand: 5000, reserved: 1000 }]]);
  const policies = [
    {
      channel: 'web',
      formula: 'f',
      version: 1,
      locations: 'all',
      buffer: { kind: 'absolute', quantity: 0 },
      maximum: null,
      lowAtOrBelow: 0,
      pooled: false,
      minimum: 0,
      backOrder: 0,
      whenStale: { act: 'last' },
    },
  ] as const;
  const sellable = new Map([['web|A', 4000]]);
  const equal = {
    ours: cells,
    truth: cells,
    legacySql: cells,
    sellable,
    policies,
    clickhouseCells: cells,
    clickhouseSellable: sellable,
  };

  it('finds nothing where all agree', () => {
    const { mismatches, examples } = compare(equal);
    expect(mismatches).toEqual({ truth: 0, legacySql: 0, channels: 0, clickhouse: 0 });
    expect(examples).toEqual([]);
  });

  it.each([
    [
      'truth',
      {
        ours: new Map([['A|L1', { onHand: 4000, reserved: 1000 }]]),
        clickhouseCells: new Map([['A|L1', { onHand: 4000, reserved: 1000 }]]),
        legacySql: new Map([['A|L1', { onHand: 4000, reserved: 1000 }]]),
      },
    ],
    ['legacySql', { legacySql: new Map([...cells, ['B|L1', { onHand: 1, reserved: 0 }]]) }],
    [
      'channels',
      { sellable: new Map([['web|A', 5000]]), clickhouseSellable: new Map([['web|A', 5000]]) },
    ],
    ['clickhouse', { clickhouseCells: new Map() }],
    ['clickhouse', { clickhouseSellable: new Map([['web|A', 1]]) }],
  ])('tells where %s differs, with an example', (name, change) => {
    const { mismatches, examples } = compare({ ...equal, ...change });
    const differing = Object.entries(mismatches).filter(([, count]) => count > 0);
    expect(differing.map(([where]) => where)).toEqual([name]);
    expect(examples.length).toBeGreaterThan(0);
  });
});
