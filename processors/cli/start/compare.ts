/** Compares what Stockline says with what is true: the simulator's own memory, SQL in the two databases, ClickHouse. */
import type { ChannelPolicy } from '../../channels/policy.ts';
import type { CellFigures } from './figures.ts';

/** Quantities in thousandths by `sku|location`. */
export type FiguresByCell = ReadonlyMap<string, CellFigures>;

export type Mismatches = {
  readonly truth: number;
  readonly legacySql: number;
  readonly channels: number;
  readonly clickhouse: number;
};

export type Comparison = {
  readonly mismatches: Mismatches;
  /** The first few differences, a sentence each. */
  readonly examples: readonly string[];
};

const compared = ['onHand', 'reserved', 'damaged', 'qualityControl', 'incoming', 'inTransit'];
const examplesMax = 20;

/** What one channel may sell by the true figures; written from the design, apart from the processor that does it. */
export function expectedSellable(
  policy: ChannelPolicy,
  availableByLocation: ReadonlyMap<string, number>,
): number {
  const offered = [...availableByLocation].filter(
    ([location]) => policy.locations === 'all' || policy.locations.includes(location),
  );
  const pooled = offered.reduce((sum, [, available]) => sum + available, 0);
  const clamped = offered.reduce((sum, [, available]) => sum + Math.max(0, available), 0);
  const gross = policy.pooled ? Math.max(0, pooled) : clamped;
  const buffer =
    policy.buffer.kind === 'absolute'
      ? policy.buffer.quantity
      : Math.ceil((gross * policy.buffer.percent) / 100);
  const net = Math.max(0, gross - buffer) + policy.backOrder;
  const shown = Math.min(net, policy.maximum ?? Number.POSITIVE_INFINITY);
  return shown >= policy.minimum ? shown : 0;
}

export function compare(input: {
  readonly ours: FiguresByCell;
  readonly truth: FiguresByCell;
  readonly legacySql: FiguresByCell;
  readonly sellable: ReadonlyMap<string, number>;
  readonly policies: readonly ChannelPolicy[];
  readonly clickhouseCells: FiguresByCell;
  readonly clickhouseSellable: ReadonlyMap<string, number>;
}): Comparison {
  const examples: string[] = [];
  const count = (found: readonly string[]): number => {
    examples.push(...found.slice(0, Math.max(0, examplesMax - examples.length)));
    return found.length;
  };
  return {
    mismatches: {
      truth: count(cellDifferences('truth', input.truth, input.ours)),
      legacySql: count(cellDifferences('SQL in the databases', input.legacySql, input.ours)),
      channels: count(channelDifferences(input.truth, input.policies, input.sellable)),
      clickhouse: count([
        ...cellDifferences('stock topic', input.ours, input.clickhouseCells, 'ClickHouse'),
        ...figureDifferences('channel topics', input.sellable, input.clickhouseSellable),
      ]),
    },
    examples,
  };
}

function cellDifferences(
  name: string,
  expected: FiguresByCell,
  seen: FiguresByCell,
  seenName = 'Stockline',
): readonly string[] {
  const differences: string[] = [];
  for (const cell of new Set([...expected.keys(), ...seen.keys()])) {
    for (const quantity of compared) {
      const should = expected.get(cell)?.[quantity] ?? 0;
      const is = seen.get(cell)?.[quantity] ?? 0;
      if (should !== is) {
        differences.push(
          `${cell} ${quantity}: ${name} says ${should / 1000}, ${seenName} ${is / 1000}`,
        );
      }
    }
  }
  return differences;
}

function channelDifferences(
  truth: FiguresByCell,
  policies: readonly ChannelPolicy[],
  sellable: ReadonlyMap<string, number>,
): readonly string[] {
  const availableBySku = new Map<string, Map<string, number>>();
  for (const [cell, figures] of truth) {
    const [sku = '', location = ''] = cell.split('|');
    const locations = availableBySku.get(sku) ?? new Map<string, number>();
    locations.set(location, available(figures));
    availableBySku.set(sku, locations);
  }
  const expected = new Map<string, number>();
  for (const policy of policies) {
    for (const [sku, locations] of availableBySku) {
      expected.set(`${policy.channel}|${sku}`, expectedSellable(policy, locations));
    }
  }
  return figureDifferences('policy on the truth', expected, sellable);
}

function available(figures: CellFigures): number {
  return (
    (figures.onHand ?? 0) -
    (figures.reserved ?? 0) -
    (figures.damaged ?? 0) -
    (figures.qualityControl ?? 0) -
    (figures.safetyStock ?? 0)
  );
}

function figureDifferences(
  name: string,
  expected: ReadonlyMap<string, number>,
  seen: ReadonlyMap<string, number>,
): readonly string[] {
  const keys = new Set([...expected.keys(), ...seen.keys()]);
  return [...keys]
    .filter((key) => (expected.get(key) ?? 0) !== (seen.get(key) ?? 0))
    .map(
      (key) =>
        `${key}: ${name} ${(expected.get(key) ?? 0) / 1000}, seen ${(seen.get(key) ?? 0) / 1000}`,
    );
}
