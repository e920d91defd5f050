/** A webhook subscription as a destination. */
import type { Subscription } from '../../schemas/types.ts';
import type { Destination } from './destination.ts';
import {
  offerToEndpoint,
  openEndpoint,
  pendingSlots,
  takeSlotChanges,
  type WebhookRules,
} from './endpoint.ts';
import { changeSubscription, nextWebhookMs, planWebhooks, settleWebhook } from './endpoint-plan.ts';
import type { DeliveryPorts } from './ports.ts';

export type WebhookDestination = Destination & {
  /** Takes a changed subscription. */
  readonly change: (subscription: Subscription) => void;
};

export function webhookDestination(
  subscription: Subscription,
  rules: WebhookRules,
  ports: DeliveryPorts,
): WebhookDestination {
  // The request that it carries is begun below, or was handled by an earlier process.
  const endpoint = openEndpoint(
    { ...subscription, request: null },
    rules,
    ports.store.kept(subscription.id),
    ports.nowMs(),
  );
  const disable = async (inactiveReason: string): Promise<void> => {
    ports.log('warn', 'a webhook subscription ends', { id: endpoint.id, inactiveReason });
    const changedAt = Math.round(ports.nowMs());
    await ports.saveSubscription({
      ...endpoint.subscription,
      active: false,
      inactiveReason,
      changedAt,
    });
  };
  return {
    id: subscription.id,
    offer: (figure) => offerToEndpoint(endpoint, figure),
    plan: (nowMs) =>
      planWebhooks(endpoint, nowMs).map((webhook) => async () => {
        const beganAtMs = ports.nowMs();
        const answer = await ports.sendWebhook(webhook);
        const endedAtMs = ports.nowMs();
        const tookMs = Math.max(0, endedAtMs - beganAtMs);
        const settled = settleWebhook(endpoint, { webhook, beganAtMs, tookMs, answer }, endedAtMs);
        if (settled.disabled !== undefined) await disable(settled.disabled);
        return settled.attempts;
      }),
    takeChanges: () => takeSlotChanges(endpoint),
    nextMs: (nowMs) => nextWebhookMs(endpoint, nowMs),
    pending: () => pendingSlots(endpoint),
    change: (changed) => changeSubscription(endpoint, changed),
  };
}
