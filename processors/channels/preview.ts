/** What channels would publish by other policies, beside those in force. Pure. */
import { type Available, type ChannelPolicy, type Shares, sellableUnits } from './policy.ts';

/** What there is of a SKU, by location, in thousandths. */
export type SkuLevels = {
  readonly sku: string;
  readonly available: Available;
  readonly shares?: Shares | undefined;
};

/** In thousandths; `now` is null on a channel that is not there yet. */
export type PolicyChange = {
  readonly channel: string;
  readonly sku: string;
  readonly now: number | null;
  readonly next: number;
};

/** Both figures are of the same levels: what is sold while they are read is no change of a policy. */
export function policyChanges(
  policies: readonly ChannelPolicy[],
  inForce: readonly ChannelPolicy[],
  skus: Iterable<SkuLevels>,
): readonly PolicyChange[] {
  const pairs = policies.map((policy) => {
    const known = inForce.find(({ channel }) => channel === policy.channel);
    return { policy, known };
  });
  const changes: PolicyChange[] = [];
  for (const { sku, available, shares } of skus) {
    for (const { policy, known } of pairs) {
      const now = known === undefined ? null : sellableUnits(known, available, shares);
      const next = sellableUnits(policy, available, shares);
      if (next !== now) changes.push({ channel: policy.channel, sku, now, next });
    }
  }
  return changes;
}
