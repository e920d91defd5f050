/** Stock and channels as they run: one transaction takes both, so what is published of them always fits. */
import { describe, expect, it } from 'vitest';
import { expectedSellable } from '../../processors/cli/start/compare.ts';
import { loadPolicies } from '../../processors/settings/policies.ts';
import { channelStock, levelChanges, movements, stockLevels } from '../../processors/topics.ts';
import type { ChannelStock } from '../../schemas/types.ts';
import { effect, movement } from '../carts/shop.ts';
import { randomTrade } from '../stock/random-trade.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { stockAsRun } from '../support/stock-as-run.ts';
import { commit, record, runTopology, type ScriptItem } from '../support/topology-driver.ts';

const policies = loadPolicies();
const topology = stockAsRun();

/** By SKU: what each location has. */
function availableOf(result: ReturnType<typeof runTopology>) {
  const bySku = new Map<string, Map<string, number>>();
  for (const { sku, location, quantities } of result.table(stockLevels).values()) {
    const known = bySku.get(sku) ?? new Map<string, number>();
    bySku.set(sku, known.set(location, quantities.available));
  }
  return bySku;
}

describe('stock with channels', () => {
  it('E1: after any transaction the figures of the channels are those of the levels beside them', () => {
    const random = seededRandom(11);
    for (let seed = 1; seed <= 25; seed += 1) {
      const { script } = randomTrade(seed, 200);
      // Shares belong to a channel: compare.ts knows nothing of them.
      const without = script.filter((item) => !isAllocation(item));
      const result = runTopology(topology, without.slice(0, 1 + random(without.length)));
      const bySku = availableOf(result);
      for (const policy of policies) {
        const figures = result.table(channelStock(policy.channel));
        expect(figures.size).toBe(bySku.size);
        for (const { sku, sellable } of figures.values()) {
          expect(sellable).toBe(expectedSellable(policy, bySku.get(sku) ?? new Map()));
        }
      }
    }
  });

  it('E1: each figure follows the one before it, whatever crashes', () => {
    const result = runTopology(topology, randomTrade(4, 2_000).script);
    for (const { channel } of policies) {
      const last = new Map<string, number>();
      for (const { value } of result.records(channelStock(channel))) {
        const { sku, sequence, previousSequence } = value as ChannelStock;
        expect(previousSequence).toBe(last.get(sku) ?? 0);
        expect(sequence).toBeGreaterThan(previousSequence);
        last.set(sku, sequence);
      }
      expect(last.size).toBeGreaterThan(0);
    }
  });

  it('what goes from one location to another is never missing in a channel', () => {
    const moved = (id: string, quantities: Readonly<Record<string, number>>): ScriptItem =>
      record(
        movements,
        'A',
        movement(
          'A',
          Object.entries(quantities).map(([location, quantity]) =>
            effect({ id: `${id}${location}`, location, quantity }),
          ),
          'erp',
        ),
      );
    const back = [
      moved('2', { L1: -9_000, L2: 9_000 }),
      commit,
      moved('3', { L1: 9_000, L2: -9_000 }),
    ];
    const result = runTopology(topology, [moved('1', { L1: 9_000 }), commit, ...back]);
    const [policy] = policies;
    const figures = result.records(channelStock(policy?.channel ?? ''));
    expect(figures.map(({ value }) => value?.sellable)).toHaveLength(1);
    const changed = result.records(levelChanges).map(({ value }) => value?.channel);
    expect(changed).toEqual(policies.map(({ channel }) => channel));
  });
});

function isAllocation(item: ScriptItem): boolean {
  if (item.kind !== 'record') return false;
  const { plain } = item.value as { readonly plain: { readonly kind?: string } };
  return plain.kind === 'allocate';
}
