/** The marketplace scheduler in virtual time against a marketplace that throttles, fails, loses and delays. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Account,
  offer,
  openAccount,
  takeChanges,
} from '../../processors/delivery/account.ts';
import type { Limits } from '../../processors/delivery/calls.ts';
import { type Figure, wholeUnits } from '../../processors/delivery/figure.ts';
import { nextPlanMs, plan } from '../../processors/delivery/plan.ts';
import { settle } from '../../processors/delivery/settle.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type MarketModel, marketModel, type Shown, type Troubles } from './market-model.ts';

const second = { calls: 5, perMs: 1_000, burst: 10 };
const single: Limits = {
  write: { itemsMax: 1, quota: second, concurrent: 5 },
  read: second,
  bulk: null,
  revisions: null,
  settleMs: 3_000,
  readBackOneOf: 20,
};
const batched: Limits = {
  ...single,
  write: { itemsMax: 25, quota: second, concurrent: 4 },
  revisions: 40,
};
const withBulk: Limits = {
  ...single,
  bulk: {
    itemsMax: 200,
    itemsMin: 10,
    waitMs: 5_000,
    quota: { calls: 5, perMs: 300_000, burst: 5 },
    lookEveryMs: 1_000,
    riskUnits: 10,
    quietMs: 10_000,
    overtake: false,
  },
};
const ofAccount = { id: 'account', kind: 'shop', channel: 'web' } as const;
const calm: Troubles = { oneIn: 0, settleMs: 3_000, bulkMs: 10_000 };

type Change = { readonly atMs: number; readonly sku: string; readonly units: number };
type Run = { readonly market: MarketModel; readonly account: Account; readonly endMs: number };

/** Offers the changes at their times, with crashes at theirs, and goes on until nothing is left to do. */
function run(
  limits: Limits,
  changes: readonly Change[],
  options: {
    readonly seed: number;
    readonly troubles: Troubles;
    readonly crashes?: readonly number[];
  },
): Run {
  const market = marketModel(seededRandom(options.seed), options.troubles, limits);
  const kept = new Map<string, string>();
  const newest = new Map<string, Figure>();
  let account = openAccount({ ...ofAccount, limits }, kept, 0);
  const crashes = [...(options.crashes ?? [])];
  const coming = [...changes];
  let nowMs = 0;
  const giveUpMs = 4 * 86_400_000;
  for (;;) {
    while ((coming[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const { sku, units } = coming.shift() as Change;
      const sequence = (newest.get(sku)?.sequence ?? 0) + 1;
      const figure: Figure = {
        channel: 'web',
        sku,
        sellable: units * 1_000,
        status: units === 0 ? 'out' : 'inStock',
        sequence,
        publishedAtMs: nowMs,
      };
      newest.set(sku, figure);
      offer(account, figure, nowMs);
    }
    for (const result of market.results(nowMs)) settle(account, result, nowMs);
    const calls = plan(account, nowMs);
    for (const [key, value] of takeChanges(account)) {
      if (value === undefined) kept.delete(key);
      else kept.set(key, value);
    }
    if ((crashes[0] ?? Number.POSITIVE_INFINITY) <= nowMs) {
      // The intents are durable; half of the calls had left, and no answer will ever be seen.
      crashes.shift();
      for (const call of calls.slice(0, Math.ceil(calls.length / 2))) market.take(call, nowMs);
      market.hangUp(nowMs);
      account = openAccount({ ...ofAccount, limits }, kept, nowMs);
      for (const figure of newest.values()) offer(account, figure, nowMs);
      continue;
    }
    for (const call of calls) market.take(call, nowMs);
    const nextMs = Math.min(
      coming[0]?.atMs ?? Number.POSITIVE_INFINITY,
      market.nextMs(),
      nextPlanMs(account, nowMs),
    );
    if (nextMs === Number.POSITIVE_INFINITY || nowMs > giveUpMs) break;
    nowMs = Math.max(nowMs + 1, Math.ceil(nextMs));
  }
  return { market, account, endMs: nowMs };
}

const plainFigure: Figure = {
  ...{ channel: 'web', sku: 'S', sellable: 5_000, status: 'inStock' },
  ...{ sequence: 1, publishedAtMs: 0 },
};

const lastShown = (shown: readonly Shown[]): ReadonlyMap<string, number> =>
  new Map(shown.map(({ sku, units }) => [sku, units]));

/** Places where an older figure followed a newer one. */
function stepsBack(shown: readonly Shown[]): readonly Shown[] {
  const newest = new Map<string, number>();
  return shown.filter(({ sku, sequence }) => {
    const isBack = sequence > 0 && sequence < (newest.get(sku) ?? 0);
    newest.set(sku, Math.max(sequence, newest.get(sku) ?? 0));
    return isBack;
  });
}

/** The most calls in any window, less what the quota allows in it; not above 0. */
function quotaExcess(
  times: readonly number[],
  quota: { readonly calls: number; readonly perMs: number; readonly burst: number },
): number {
  let worst = Number.NEGATIVE_INFINITY;
  for (let from = 0; from < times.length; from += 1) {
    for (let to = from; to < times.length; to += 1) {
      const spanMs = (times[to] as number) - (times[from] as number);
      const allowed = quota.burst + (spanMs * quota.calls) / quota.perMs;
      worst = Math.max(worst, to - from + 1 - allowed);
    }
  }
  return worst;
}

const scenario = fc.record({
  seed: fc.nat(1_000_000),
  changes: fc.array(
    fc.record({
      atMs: fc.nat(60_000),
      sku: fc.integer({ min: 0, max: 25 }).map((number) => `S${number}`),
      units: fc.oneof(fc.constant(0), fc.nat(30)),
    }),
    { maxLength: 120 },
  ),
  /** So many more change at once. */
  heap: fc.record({ atMs: fc.nat(60_000), size: fc.constantFrom(0, 50, 150) }),
  oneIn: fc.constantFrom(0, 3, 10),
  crashes: fc.array(fc.nat(90_000), { maxLength: 3 }),
});

/** A write whose answer was lost, between two figures that are equal. */
const lostBetweenEquals: typeof scenario extends fc.Arbitrary<infer T> ? T : never = {
  seed: 12,
  changes: [
    { atMs: 0, sku: 'S0', units: 0 },
    { atMs: 0, sku: 'S1', units: 0 },
    { atMs: 3_247, sku: 'S22', units: 0 },
    { atMs: 3_043, sku: 'S22', units: 1 },
    { atMs: 0, sku: 'S22', units: 0 },
  ],
  heap: { atMs: 0, size: 0 },
  oneIn: 3,
  crashes: [],
};

describe('marketplaces', () => {
  it.each([
    ['one SKU per call', single],
    ['many per call, few revisions a day', batched],
    ['one per call and many in bulk', withBulk],
  ])(
    'E3: the last figure arrives, never an older one after a newer one, within every quota: %s',
    (_name, limits) => {
      fc.assert(
        fc.property(scenario, ({ seed, changes, heap, oneIn, crashes }) => {
          const { atMs, size } = heap;
          const heaped = Array.from({ length: size }, (_, n) => ({ atMs, sku: `H${n}`, units: 5 }));
          const ordered = [...changes, ...heaped].sort((one, other) => one.atMs - other.atMs);
          const { market } = run(limits, ordered, {
            seed,
            troubles: { ...calm, oneIn },
            crashes: [...crashes].sort((one, other) => one - other),
          });
          const wanted = new Map(ordered.map(({ sku, units }) => [sku, units]));
          expect(new Map([...lastShown(market.shown)].sort())).toEqual(new Map([...wanted].sort()));
          expect(stepsBack(market.shown)).toEqual([]);
          const timesOf = (kind: string): readonly number[] =>
            market.calls
              .filter((call) => call.kind === kind)
              .map(({ atMs }) => atMs)
              .sort((one, other) => one - other);
          expect(quotaExcess(timesOf('write'), limits.write.quota)).toBeLessThanOrEqual(1e-6);
          expect(quotaExcess(timesOf('read'), limits.read)).toBeLessThanOrEqual(1e-6);
          if (limits.bulk !== null) {
            expect(quotaExcess(timesOf('bulk'), limits.bulk.quota)).toBeLessThanOrEqual(1e-6);
          }
        }),
        { numRuns: Number(process.env.STOCKLINE_RUNS ?? 100), examples: [[lostBetweenEquals]] },
      );
    },
  );

  it('E3: sold-outs at 5/s are told within a second while everything else waits for its quota', () => {
    const random = seededRandom(4);
    const changes: Change[] = [];
    for (let atMs = 0; atMs < 30_000; atMs += 5) {
      const isOut = atMs % 200 === 0;
      const sku = isOut ? `OUT${atMs / 200}` : `S${random(2_000)}`;
      changes.push({ atMs, sku, units: isOut ? 0 : 20 + random(80) });
    }
    const { market } = run(withBulk, changes, { seed: 4, troubles: calm });
    const shownAt = new Map(market.shown.map(({ sku, atMs }) => [sku, atMs]));
    const delays = changes
      .filter(({ sku }) => sku.startsWith('OUT'))
      .map(({ sku, atMs }) => (shownAt.get(sku) ?? Number.POSITIVE_INFINITY) - atMs);
    expect(delays.length).toBe(150);
    expect(Math.max(...delays)).toBeLessThan(1_000);
  });

  it('E3: the last revisions of a day are kept for sold-outs, and no listing has more than its budget', () => {
    const changes = Array.from({ length: 600 }, (_, index) => ({
      atMs: index * 60_000,
      sku: 'S',
      units: index === 590 ? 0 : index === 599 ? 7 : 10 + (index % 50),
    }));
    const { market } = run(batched, changes, { seed: 1, troubles: calm });
    const soldOut = market.shown.find(({ units }) => units === 0);
    expect((soldOut?.atMs ?? Number.POSITIVE_INFINITY) - 590 * 60_000).toBeLessThan(1_000);
    for (const { atMs: fromMs } of market.revisions) {
      const inDay = market.revisions.filter(
        ({ atMs }) => atMs >= fromMs && atMs < fromMs + 86_400_000,
      );
      expect(inDay.length).toBeLessThanOrEqual(40);
    }
    expect(lastShown(market.shown).get('S')).toBe(7);
  });

  it('a listing whose answer was lost is read back before those of the sample, however many', () => {
    const read = { calls: 1, perMs: 1_000, burst: 1 };
    const account = openAccount(
      { ...ofAccount, limits: { ...single, read, readBackOneOf: 1 } },
      new Map(),
      0,
    );
    for (let n = 0; n < 10; n += 1) offer(account, { ...plainFigure, sku: `S${n}` }, 0);
    const done = { kind: 'done', status: 200, items: new Map() } as const;
    const lost = { kind: 'unknown', status: 0, reason: 'connection lost' } as const;
    const readAt: (readonly [string, number])[] = [];
    for (let nowMs = 0; nowMs < 5_000; nowMs += 100) {
      for (const call of plan(account, nowMs)) {
        if (call.kind === 'read') readAt.push([call.sku, nowMs]);
        const isLost = call.kind === 'write' && call.items[0]?.figure.sku === 'S9';
        const answer =
          call.kind === 'read'
            ? ({ kind: 'read', status: 200, units: 5 } as const)
            : isLost
              ? lost
              : done;
        settle(account, { call, beganAtMs: nowMs, tookMs: 10, answer }, nowMs + 10);
      }
    }
    const [, atMs] = readAt.find(([sku]) => sku === 'S9') ?? [];
    expect(readAt.length).toBeGreaterThanOrEqual(4);
    expect(atMs).toBeLessThanOrEqual(single.settleMs + 1_500);
  });

  it('reads back, and tells again what somebody else has changed', () => {
    const limits = { ...single, readBackOneOf: 1 };
    const account = openAccount({ ...ofAccount, limits }, new Map(), 0);
    const figure: Figure = {
      channel: 'web',
      sku: 'A',
      sellable: 5_000,
      status: 'inStock',
      sequence: 1,
      publishedAtMs: 0,
    };
    offer(account, figure, 0);
    const outcomes: string[] = [];
    let shownUnits = -1;
    for (let nowMs = 0; nowMs < 5_000; nowMs += 100) {
      for (const call of plan(account, nowMs)) {
        if (call.kind === 'write') shownUnits = call.items[0]?.units ?? -1;
        const isFirstRead = call.kind === 'read' && !outcomes.includes('drifted');
        const units = isFirstRead ? 9 : shownUnits;
        const answer =
          call.kind === 'read'
            ? ({ kind: 'read', status: 200, units } as const)
            : ({ kind: 'done', status: 200, items: new Map() } as const);
        const attempts = settle(account, { call, beganAtMs: nowMs, tookMs: 1, answer }, nowMs);
        outcomes.push(...attempts.map(({ outcome }) => outcome));
      }
    }
    expect(outcomes).toEqual(['accepted', 'drifted', 'accepted', 'verified']);
  });

  it('a figure that shows the same whole units costs no call', () => {
    expect(wholeUnits(5_999)).toBe(5);
    const changes = [5, 6, 5].map((units, index) => ({ atMs: index, sku: 'A', units }));
    const { market, account } = run(batched, changes, { seed: 1, troubles: calm });
    expect(market.calls.filter(({ kind }) => kind === 'write').length).toBe(1);
    expect(account.places.get('A')?.listing.confirmed).toEqual({ sequence: 3, units: 5 });
  });
});
