/** What a channel may sell of what is available: a validated, versioned policy per channel. */
import type { StockLevel } from '../../schemas/types.ts';

export type ChannelPolicy = {
  readonly channel: string;
  /** Id and version of the formula, written with every published figure. */
  readonly formula: string;
  readonly version: number;
  readonly locations: 'all' | readonly string[];
  /** Held back from the channel, in thousandths or in percent of the sum. */
  readonly buffer:
    | { readonly kind: 'absolute'; readonly quantity: number }
    | { readonly kind: 'percent'; readonly percent: number };
  /** Less than this is shown as 0, in thousandths. */
  readonly minimum: number;
  /** The most that is shown, in thousandths; null for no limit. */
  readonly maximum: number | null;
  /** Offered beyond what there is, in thousandths. */
  readonly backOrder: number;
  /** At or below this a SKU is `low`, in thousandths. */
  readonly lowAtOrBelow: number;
  /** True: locations help each other out before clamping; false: each is clamped at 0 by itself. */
  readonly pooled: boolean;
  /** What is published while a source is not heard of. */
  readonly whenStale: WhenStale;
};

/**
 * last: as if nothing were. hold: figures fall and do not rise. floor: so much less than ordinarily, in thousandths.
 * A source is stale when what it has committed since `afterMs` may not be contained.
 */
export type WhenStale =
  | { readonly act: 'last' }
  | { readonly act: 'hold'; readonly afterMs: number }
  | { readonly act: 'floor'; readonly afterMs: number; readonly less: number };

/** What a location has, in thousandths; `shares`: of it, what is set aside for single channels. */
export type Available = Readonly<Record<string, number>>;
export type Shares = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** sellable is the only figure that is clamped at 0. Quantities in thousandths. */
export function sellableUnits(
  policy: ChannelPolicy,
  available: Available,
  shares: Shares = {},
): number {
  let sum = 0;
  for (const [location, there] of Object.entries(available)) {
    if (policy.locations !== 'all' && !policy.locations.includes(location)) continue;
    const free = there - ofOthers(policy.channel, shares[location]);
    sum += policy.pooled ? free : Math.max(0, free);
  }
  const offered = Math.max(0, sum);
  const buffer =
    policy.buffer.kind === 'absolute'
      ? policy.buffer.quantity
      : Math.ceil((offered * policy.buffer.percent) / 100);
  const net = Math.max(0, offered - buffer) + policy.backOrder;
  const shown = policy.maximum === null ? net : Math.min(net, policy.maximum);
  return shown < policy.minimum ? 0 : shown;
}

/** What is set aside, with what `level` says of its location; the same object where nothing is set aside and nothing was. */
export function sharesWith(
  known: Shares | undefined,
  { location, allocations }: StockLevel,
): Shares | undefined {
  const own = allocations.filter(({ quantity }) => quantity > 0);
  if (own.length === 0 && known?.[location] === undefined) return known;
  const { [location]: _before, ...others } = known ?? {};
  if (own.length === 0) return Object.keys(others).length === 0 ? undefined : others;
  const here = Object.fromEntries(own.map(({ channel, quantity }) => [channel, quantity]));
  return { ...others, [location]: here };
}

function ofOthers(channel: string, shares: Readonly<Record<string, number>> = {}): number {
  return Object.entries(shares).reduce(
    (sum, [owner, share]) => sum + (owner === channel ? 0 : Math.max(0, share)),
    0,
  );
}

/** Words of freshness come several times a second: they are read only where a policy of the file acts by them. */
export const heedsFreshness = (policies: readonly ChannelPolicy[]): boolean =>
  policies.some(({ whenStale }) => whenStale.act !== 'last');

/** What is told of `sellable` while a source is stale; `last`: what the channel was told before. */
export function staleUnits(
  { whenStale }: ChannelPolicy,
  sellable: number,
  last: number | undefined,
): number {
  switch (whenStale.act) {
    case 'last':
      return sellable;
    case 'hold':
      return Math.min(sellable, last ?? sellable);
    case 'floor':
      return Math.max(0, sellable - whenStale.less);
  }
}

export function statusOf(policy: ChannelPolicy, sellable: number): 'inStock' | 'low' | 'out' {
  if (sellable <= 0) return 'out';
  return sellable <= policy.lowAtOrBelow ? 'low' : 'inStock';
}
