/** What a channel may sell, and when it is told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChannelPolicy, sellableUnits } from '../../processors/channels/policy.ts';
import { parsePolicies } from '../../processors/channels/policy-file.ts';
import { channelsTopology } from '../../processors/channels/topology.ts';
import { expectedSellable } from '../../processors/cli/start/compare.ts';
import { noQuantities } from '../../processors/domain/quantities.ts';
import { channelStock, stockLevels } from '../../processors/topics.ts';
import { commit, crash, record, runTopology, type ScriptItem } from '../support/topology-driver.ts';

const web: ChannelPolicy = {
  channel: 'web',
  formula: 'web-available',
  version: 1,
  locations: 'all',
  buffer: { kind: 'absolute', quantity: 2000 },
  maximum: null,
  lowAtOrBelow: 3000,
  pooled: false,
  minimum: 0,
  backOrder: 0,
  whenStale: { act: 'last' },
};

const cause = {
  kind: 'movement',
  id: 'm',
  system: 'pos',
  transaction: 't',
  position: 'p',
  committedAt: 0,
} as const;

const level = (location: string, available: number, sequence = 1): ScriptItem =>
  record(
    stockLevels,
    { sku: 'A', location },
    {
      sku: 'A',
      location,
      quantities: { ...noQuantities, available },
      sequence,
      previousSequence: sequence - 1,
      cause,
      schedule: [],
      allocations: [],
    },
  );

describe('sellable', () => {
  const cells = { L1: 10_000, L2: -4_000, L3: 5_000 };
  it.each<[string, Partial<ChannelPolicy>, number]>([
    ['an oversold location does not take from the others', {}, 13_000],
    ['pooled locations help each other out', { pooled: true }, 9_000],
    ['only the locations of the channel', { locations: ['L3'] }, 3_000],
    ['a percentage is held back, rounded up', { buffer: { kind: 'percent', percent: 7 } }, 13_950],
    ['never more than the maximum', { maximum: 4_000 }, 4_000],
    ['less than the minimum is nothing', { minimum: 13_001 }, 0],
    ['back-orders come on top', { backOrder: 500 }, 13_500],
    ['never less than nothing', { buffer: { kind: 'absolute', quantity: 99_000 } }, 0],
  ])('%s', (_name, change, expected) => {
    expect(sellableUnits({ ...web, ...change }, cells)).toBe(expected);
  });

  it('agrees with the check that the end-to-end comparison uses, and is never negative', () => {
    const policy = fc.record({
      locations: fc.constantFrom<'all' | readonly string[]>('all', ['L1'], ['L1', 'L3']),
      buffer: fc.oneof(
        fc.record({ kind: fc.constant('absolute' as const), quantity: fc.nat(5_000) }),
        fc.record({ kind: fc.constant('percent' as const), percent: fc.nat(100) }),
      ),
      maximum: fc.option(fc.nat(20_000)),
      pooled: fc.boolean(),
      minimum: fc.nat(4_000),
      backOrder: fc.nat(3_000),
    });
    const quantity = fc.integer({ min: -20_000, max: 20_000 });
    const available = fc.record({ L1: quantity, L2: quantity, L3: quantity });
    fc.assert(
      fc.property(policy, available, (drawn, byLocation) => {
        const one = { ...web, ...drawn };
        const sellable = sellableUnits(one, byLocation);
        expect(sellable).toBe(expectedSellable(one, new Map(Object.entries(byLocation))));
        expect(sellable).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('units that are set aside for a channel', () => {
  it('are offered by it alone', () => {
    const none = { ...web, buffer: { kind: 'absolute' as const, quantity: 0 } };
    const shares = { L1: { web: 2_000, market: 3_000 } };
    const of = (channel: string) => sellableUnits({ ...none, channel }, { L1: 10_000 }, shares);
    expect([of('web'), of('market'), of('pos')]).toEqual([7_000, 8_000, 5_000]);
  });
});

describe('channels', () => {
  const published = (items: readonly ScriptItem[]) =>
    runTopology(channelsTopology([web]), items)
      .records(channelStock('web'))
      .map(({ value }) => [
        value?.sellable,
        value?.status,
        value?.sequence,
        value?.previousSequence,
      ]);

  it('publishes only what changes for the channel, in a sequence without gaps', () => {
    const items = [level('L1', 10_000), commit, level('L2', -5_000), commit, level('L1', 4_000)];
    expect(published(items)).toEqual([
      [8_000, 'inStock', 1, 0],
      [2_000, 'low', 2, 1],
    ]);
  });

  it('E1: publishes each change once, also after a crash', () => {
    const items = [
      level('L1', 10_000),
      commit,
      level('L1', 2_000),
      crash,
      commit,
      level('L1', 9_000),
    ];
    expect(published(items)).toEqual([
      [8_000, 'inStock', 1, 0],
      [0, 'out', 2, 1],
      [7_000, 'inStock', 3, 2],
    ]);
  });
});

describe('policies', () => {
  it('reads units and percent as people write them', () => {
    const parsed = parsePolicies([
      { channel: 'web', formula: 'f', version: 1, locations: 'all', buffer: '5%', maximum: 1.5 },
    ]);
    expect(parsed).toMatchObject({
      policies: [{ buffer: { kind: 'percent', percent: 5 }, maximum: 1500, pooled: false }],
    });
  });

  it('tells every fault with its path, at once', () => {
    const parsed = parsePolicies([
      { channel: 'Web Shop', formula: 'f', version: 0, locations: 'some', bufer: 2 },
      { channel: 'pos', formula: 'f', version: 1, locations: 'all' },
      { channel: 'pos', formula: 'f', version: 1, locations: 'all', buffer: '120%' },
    ]);
    expect('errors' in parsed ? parsed.errors : []).toEqual([
      '[0].bufer: is not known',
      '[0].version: a number from 1',
      '[0].channel: lower-case letters, digits and dashes',
      '[0].locations: "all" or a list of locations',
      '[2].buffer: units such as 2, or percent such as "10%"',
      'channel pos is there twice',
    ]);
  });
});
