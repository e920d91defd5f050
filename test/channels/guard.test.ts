/** The mass-zero guard: how much may run out at once, what becomes of the rest, and that nothing else is held up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Guard } from '../../processors/channels/guard.ts';
import type { ChannelPolicy } from '../../processors/channels/policy.ts';
import { parsePolicies } from '../../processors/channels/policy-file.ts';
import { channelsTopology } from '../../processors/channels/topology.ts';
import { noQuantities } from '../../processors/domain/quantities.ts';
import {
  alerts,
  channelStock,
  guardDecisions,
  heldLevels,
  stockLevels,
} from '../../processors/topics.ts';
import {
  commit,
  crash,
  record,
  redeliver,
  runTopology,
  type ScriptItem,
} from '../support/topology-driver.ts';

const minuteMs = 60_000;
const start = Date.UTC(2026, 4, 20, 3);
const guard: Guard = { percent: 20, minimum: 5, windowMs: 10 * minuteMs };
const web: ChannelPolicy = {
  channel: 'web',
  formula: 'web-available',
  version: 1,
  locations: 'all',
  buffer: { kind: 'absolute', quantity: 0 },
  maximum: null,
  lowAtOrBelow: 0,
  pooled: false,
  minimum: 0,
  backOrder: 0,
  whenStale: { act: 'last' },
};
const cause = {
  kind: 'movement',
  id: 'm',
  system: 'erp',
  transaction: 't',
  position: 'p',
  committedAt: 0,
} as const;

/** All in one partition: the guard's bounds hold in each. */
const level = (sku: string, location: string, available: number, atMs: number): ScriptItem =>
  record(
    stockLevels,
    { sku, location },
    {
      sku,
      location,
      quantities: { ...noQuantities, available },
      sequence: 1,
      previousSequence: 0,
      cause,
      schedule: [],
      allocations: [],
    },
    { timestampMs: atMs, partition: 0 },
  );

const decision = (location: string, verdict: 'approved' | 'rejected', at: number): ScriptItem =>
  record(
    guardDecisions,
    location,
    { location, verdict, actor: 'maria', reason: 'looked at the shelves', at },
    { timestampMs: at, partition: 0 },
  );

const skus = (count: number) => Array.from({ length: count }, (_, index) => `S${index}`);
const opening = (count: number, locations = ['L1']): readonly ScriptItem[] =>
  locations.flatMap((location) => skus(count).map((sku) => level(sku, location, 10_000, start)));

function outcome(script: readonly ScriptItem[], ...rule: readonly [Guard?]) {
  const result = runTopology(channelsTopology([web], rule.length === 0 ? guard : rule[0]), [
    ...script,
    commit,
  ]);
  const sellable = new Map<string, number>();
  for (const { key, value } of result.records(channelStock('web'))) {
    sellable.set(key, value?.sellable ?? 0);
  }
  const held = new Set<string>();
  for (const { key, value } of result.records(heldLevels)) {
    if (value === undefined) held.delete(`${key.sku}|${key.location}`);
    else held.add(`${key.sku}|${key.location}`);
  }
  const told = result.records(alerts).map(({ value }) => value);
  const out = [...sellable.values()].filter((units) => units === 0).length;
  return { sellable, held, told, out };
}

describe('G1: the mass-zero guard', () => {
  const zeros = skus(100).map((sku, index) => level(sku, 'L1', 0, start + minuteMs + index));

  it('keeps what goes beyond a fifth of a location from the channels, and says so once', () => {
    const { out, held, told } = outcome([...opening(100), ...zeros]);
    expect(out).toBe(20);
    expect(held.size).toBe(80);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      kind: 'massZero',
      location: 'L1',
      severity: 'critical',
      open: true,
    });
  });

  it('lets everything else through meanwhile: other locations, and figures that are not zero', () => {
    const { sellable, held } = outcome([
      ...opening(100, ['L1', 'L2']),
      ...zeros,
      level('S50', 'L2', 3_000, start + 2 * minuteMs),
      level('S60', 'L1', 7_000, start + 2 * minuteMs),
    ]);
    // What is kept at L1 is still shown, with the new figure of L2.
    expect(sellable.get('S50')).toBe(13_000);
    expect(sellable.get('S60')).toBe(17_000);
    expect(held.has('S60|L1')).toBe(false);
  });

  it('publishes what is approved, and lets more run out for the length of the window', () => {
    const approved = [
      ...opening(120),
      ...zeros,
      decision('L1', 'approved', start + 3 * minuteMs),
      level('S110', 'L1', 0, start + 4 * minuteMs),
    ];
    const { out, held, told } = outcome(approved);
    expect(out).toBe(101);
    expect(held.size).toBe(0);
    expect(told.map((alert) => alert?.open)).toEqual([true, false]);
    expect(new Set(told.map((alert) => alert?.id)).size).toBe(1);
  });

  it('keeps the earlier figures of what is rejected until stock tells others', () => {
    const { sellable, out, held } = outcome([
      ...opening(100),
      ...zeros,
      decision('L1', 'rejected', start + 3 * minuteMs),
      level('S99', 'L1', 4_000, start + 30 * minuteMs),
    ]);
    expect(out).toBe(20);
    expect(held.size).toBe(0);
    expect(sellable.get('S98')).toBe(10_000);
    expect(sellable.get('S99')).toBe(4_000);
  });

  it('does not mind a shop that sells out over the day', () => {
    const slowly = skus(100).map((sku, index) => level(sku, 'L1', 0, start + 3 * index * minuteMs));
    const { out, told } = outcome([...opening(100), ...slowly]);
    expect(out).toBe(100);
    expect(told).toEqual([]);
  });

  it('never lets more than its bound run out in a window unapproved, in any stream, whatever crashes', () => {
    const event = fc.record({
      sku: fc.nat(29),
      available: fc.constantFrom(0, 0, 0, -2_000, 5_000, 9_000),
      afterMs: fc.constantFrom(0, 1_000, 30_000, 4 * minuteMs),
      fault: fc.constantFrom<ScriptItem | undefined>(
        undefined,
        undefined,
        commit,
        crash,
        redeliver,
      ),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 20, maxLength: 120 }), (events) => {
        let atMs = start;
        const script: ScriptItem[] = [...opening(30)];
        const last = new Map(skus(30).map((sku) => [sku, 10_000]));
        for (const { sku, available, afterMs, fault } of events) {
          atMs += afterMs;
          script.push(level(`S${sku}`, 'L1', available, atMs));
          last.set(`S${sku}`, available);
          if (fault !== undefined) script.push(fault);
        }
        const records = runTopology(channelsTopology([web], guard), [...script, commit]).records(
          channelStock('web'),
        );
        const zeroedAt = records
          .filter(({ value }) => value?.sellable === 0)
          .map(({ timestampMs }) => timestampMs);
        for (const from of zeroedAt) {
          const inWindow = zeroedAt.filter((at) => at >= from && at < from + 9 * minuteMs).length;
          // A fifth of 30 is 6; the figure that trips it is not let through.
          expect(inWindow).toBeLessThanOrEqual(6);
        }
        const { sellable } = outcome([...script, decision('L1', 'approved', atMs + 1)]);
        for (const [sku, available] of last) {
          expect(sellable.get(sku) ?? 0).toBe(Math.max(0, available));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('changes nothing where it is not configured', () => {
    const { out, held, told } = outcome([...opening(100), ...zeros], undefined);
    expect([out, held.size, told]).toEqual([100, 0, []]);
  });
});

describe('a file of policies with a guard', () => {
  const channels = [{ channel: 'web', formula: 'web', version: 1, locations: 'all' }];

  it('is read, and each fault is named', () => {
    const massZeroGuard = { percent: 30, minimum: 50, minutes: 10 };
    expect(parsePolicies({ channels, massZeroGuard })).toMatchObject({
      guard: { percent: 30, minimum: 50, windowMs: 600_000 },
    });
    const wrong = { percent: 0, minimum: 1.5, minutes: 10, hours: 1 };
    expect(parsePolicies({ channels, massZeroGuard: wrong })).toEqual({
      errors: [
        'massZeroGuard.hours: is not known',
        'massZeroGuard.percent: a whole number from 1 to 100',
        'massZeroGuard.minimum: a whole number from 1 to 1000000',
      ],
    });
  });
});
