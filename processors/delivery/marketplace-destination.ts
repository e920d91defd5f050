/** A marketplace account as a destination. */
import { type Account, offer, openAccount, pendingCount, takeChanges } from './account.ts';
import type { Limits, MarketplaceKind } from './calls.ts';
import type { Destination } from './destination.ts';
import { nextPlanMs, plan } from './plan.ts';
import type { DeliveryPorts, Marketplace } from './ports.ts';
import { settle } from './settle.ts';

export type MarketplaceAccount = {
  readonly id: string;
  readonly kind: MarketplaceKind;
  readonly channel: string;
  readonly limits: Limits;
  readonly marketplace: Marketplace;
};

export function marketplaceDestination(
  { marketplace, ...of }: MarketplaceAccount,
  ports: Pick<DeliveryPorts, 'store' | 'nowMs'>,
): Destination {
  const account: Account = openAccount(of, ports.store.kept(of.id), ports.nowMs());
  return {
    id: of.id,
    offer: (figure, nowMs) => {
      if (figure.channel === of.channel) offer(account, figure, nowMs);
    },
    plan: (nowMs) =>
      plan(account, nowMs).map((call) => async () => {
        const beganAtMs = ports.nowMs();
        const answer = await marketplace.make(call);
        const endedAtMs = ports.nowMs();
        const tookMs = Math.max(0, endedAtMs - beganAtMs);
        return settle(account, { call, beganAtMs, tookMs, answer }, endedAtMs);
      }),
    takeChanges: () => takeChanges(account),
    nextMs: (nowMs) => nextPlanMs(account, nowMs),
    pending: () => pendingCount(account),
  };
}
