/** Policies that a person puts in force while the channels run, stale sources, and levels as records of their own. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicies } from '../../processors/channels/policy-file.ts';
import { channelsTopology } from '../../processors/channels/topology.ts';
import { noQuantities } from '../../processors/domain/quantities.ts';
import {
  channelPolicies,
  channelStock,
  freshness,
  levelChanges,
  stockLevels,
} from '../../processors/topics.ts';
import {
  commit,
  crash,
  record,
  redeliver,
  runTopology,
  type ScriptItem,
  tick,
} from '../support/topology-driver.ts';

const start = Date.UTC(2026, 4, 20, 3);
const plain = { channel: 'web', formula: 'f', version: 1, locations: 'all', lowAtOrBelow: 3 };
const policiesOf = (...all: readonly object[]) => {
  const parsed = parsePolicies(all);
  if ('errors' in parsed) throw new Error(parsed.errors.join());
  return parsed.policies;
};
const cause = {
  ...({ kind: 'movement', id: 'm', system: 'erp', transaction: 't', position: 'p' } as const),
  committedAt: start,
};
const level = (
  sku: string,
  available: number,
  allocations: readonly { readonly channel: string; readonly quantity: number }[] = [],
): ScriptItem =>
  record(
    stockLevels,
    { sku, location: 'L1' },
    {
      ...{ sku, location: 'L1', quantities: { ...noQuantities, available } },
      ...{ sequence: 1, previousSequence: 0, cause, schedule: [], allocations },
    },
    { timestampMs: start, partition: 0 },
  );
const apply = (policies: readonly object[] | string): ScriptItem =>
  record(
    channelPolicies,
    'policies',
    {
      policies: typeof policies === 'string' ? policies : JSON.stringify(policies),
      ...{ actor: 'maria', reason: 'sale', at: start },
    },
    { partition: 0 },
  );
const word = (hop: string, asOf: number): ScriptItem =>
  record(
    freshness,
    `erp|${hop}`,
    {
      ...{ source: 'erp', hop, position: '', asOf, observedAt: asOf, reason: '' },
      state: 'fresh' as const,
    },
    { partition: 0 },
  );

const run = (items: readonly ScriptItem[], file: readonly object[] = [plain]) =>
  runTopology(channelsTopology(policiesOf(...file)), [...items, commit]);
const figures = (items: readonly ScriptItem[], file?: readonly object[]) =>
  run(items, file)
    .records(channelStock('web'))
    .map(({ value }) => [value?.sku, value?.sellable, value?.formulaVersion]);

describe('policies in force', () => {
  const newer = { ...plain, version: 2, buffer: 2 };

  it('G2: are published at once for every SKU, with their version, without a restart', () => {
    const levels = [level('A', 5_000), level('B', 1_000), commit];
    const items = [...levels, apply([newer]), tick(start + 1_000)];
    expect(figures(items)).toEqual([
      ['A', 5_000, 1],
      ['B', 1_000, 1],
      ['A', 3_000, 2],
      ['B', 0, 2],
    ]);
  });

  it('come from the file where it has a higher version, also after a restart with another file', () => {
    const items = [level('A', 5_000), apply([newer]), tick(start + 1_000)];
    expect(figures(items, [{ ...plain, version: 3 }])).toEqual([['A', 5_000, 3]]);
  });

  it.each([
    ['that are not right', '[{"channel":"web"}]', 'POLICIES_INVALID'],
    ['that are no JSON', '[', 'POLICIES_INVALID'],
    [
      'of a channel without a topic',
      JSON.stringify([{ ...plain, channel: 'shop' }]),
      'CHANNEL_UNKNOWN',
    ],
  ])('%s become a dead letter and change nothing', (_, text, code) => {
    const result = run([level('A', 5_000), apply(text), tick(start + 1_000)]);
    expect(result.deadLetters.map((one) => one.code)).toEqual([code]);
    expect(result.records(channelStock('web'))).toHaveLength(1);
  });

  it('G2: reach every SKU once, whatever crashes while they are looked at', () => {
    const skus = Array.from({ length: 30 }, (_, n) => `S${n}`);
    const fault = fc.constantFrom<ScriptItem>(commit, crash, redeliver);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fault), { maxLength: 8 }), (places) => {
        const items: ScriptItem[] = [
          ...skus.map((sku, n) => level(sku, n * 1_000)),
          apply([newer]),
          ...[1, 2, 3].map((second) => tick(start + second * 1_000)),
        ];
        for (const [at, one] of places) items.splice(at, 0, one);
        const table = run([...items, commit, tick(start + 9_000)]).table(channelStock('web'));
        for (const [n, sku] of skus.entries()) {
          const value = table.get(JSON.stringify(sku));
          expect([value?.sellable, value?.formulaVersion]).toEqual([Math.max(0, n - 2) * 1_000, 2]);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a stale source', () => {
  const late = start + 60_000;
  const before = [word('stock', start), level('A', 5_000), level('B', 5_000), commit];
  const stale = (whenStale: object, after: readonly ScriptItem[]) =>
    figures([...before, tick(late), commit, ...after], [{ ...plain, whenStale }]).slice(2);

  it('lets figures fall and not rise where the policy says hold, until it is heard of again', () => {
    const after = [
      level('A', 9_000),
      level('B', 2_000),
      commit,
      word('stock', late),
      tick(late + 1_000),
    ];
    expect(stale({ act: 'hold', afterSeconds: 30 }, after)).toEqual([
      ['B', 2_000, 1],
      ['A', 9_000, 1],
    ]);
  });

  it('takes so much off where it says floor, and gives it back', () => {
    const after = [word('stock', late), tick(late + 1_000)];
    expect(stale({ act: 'floor', afterSeconds: 30, less: 4 }, after)).toEqual([
      ['A', 1_000, 1],
      ['B', 1_000, 1],
      ['A', 5_000, 1],
      ['B', 5_000, 1],
    ]);
  });

  it('changes nothing where it says last, nor before its time, nor for hops behind us', () => {
    const unheard = [level('A', 5_000), tick(late), commit, level('A', 6_000)];
    expect(figures(unheard).at(-1)).toEqual(['A', 6_000, 1]);
    expect(stale({ act: 'hold', afterSeconds: 90 }, [level('A', 9_000)])).toEqual([
      ['A', 9_000, 1],
    ]);
    const heard = [...before, word('analytics', start), word('stock', late), tick(late)];
    expect(
      figures(heard, [{ ...plain, whenStale: { act: 'floor', afterSeconds: 30, less: 4 } }]),
    ).toHaveLength(2);
  });
});

describe('levels', () => {
  it('are records of their own: low, out, back, in', () => {
    const quantities = [9_000, 3_000, 2_000, 0, 1_000, 8_000];
    const found = run(quantities.flatMap((quantity) => [level('A', quantity), commit]))
      .records(levelChanges)
      .map(({ value }) => [value?.change, value?.sellable, value?.sequence]);
    expect(found).toEqual([
      ['in', 9_000, 1],
      ['low', 3_000, 2],
      ['out', 0, 4],
      ['back', 1_000, 5],
      ['in', 8_000, 6],
    ]);
  });

  it('of a SKU change when units are set aside for another channel', () => {
    const items = [
      level('A', 9_000),
      commit,
      level('A', 9_000, [{ channel: 'market', quantity: 9_000 }]),
      commit,
      level('A', 9_000, []),
    ];
    expect(figures(items)).toEqual([
      ['A', 9_000, 1],
      ['A', 0, 1],
      ['A', 9_000, 1],
    ]);
  });
});
