/** Puts the delivery worker together: settings, store, topics, senders. */
import { deliveryRuntime } from '../adapters/delivery-runtime.ts';
import { openMarketplace } from '../adapters/marketplaces/accounts.ts';
import { secretBox } from '../adapters/secret-box.ts';
import { webhookSender } from '../adapters/webhooks/sender.ts';
import { keyIn } from '../api/local-key.ts';
import { figureOf } from '../delivery/figure.ts';
import { type DeliveryStatus, runDelivery } from '../delivery/run.ts';
import type { Telemetry } from '../runtime/ports.ts';
import { loadDeliverySettings } from '../settings/delivery.ts';
import { channelStock, deliveryAttempts, subscriptions } from '../topics.ts';
import type { Start } from './running.ts';

const meterEveryMs = 1_000;

export const startDelivery: Start = async (config, { places, channels, telemetry, signal }) => {
  const settings = loadDeliverySettings(config.delivery.settingsFile);
  for (const { id, channel } of settings.accounts) {
    if (!channels.includes(channel)) {
      throw new Error(`account ${id} is told of channel ${channel}, which no policy names`);
    }
  }
  const key = config.delivery.secretKey ?? keyIn(`${config.runDirectory}/secret.key`);
  const { rules, addresses, timeoutMs } = settings.webhooks;
  const runtime = await deliveryRuntime({
    places,
    channels: channels.map(channelStock),
    subscriptions,
    attempts: deliveryAttempts,
    directory: `${config.stateDirectory}/delivery`,
    sender: webhookSender({ rules: addresses, box: secretBox(key), timeoutMs }),
    telemetry,
    signal,
  });
  const marketplaces = settings.accounts.map(({ access, ...of }) => {
    const marketplace = openMarketplace(access);
    return { ...of, kind: access.kind, marketplace };
  });
  const delivery = runDelivery({ accounts: marketplaces, rules, ports: runtime.ports, signal });
  let isCurrent = false;
  const following = runtime.follow({
    takeFigure: (stock, publishedAtMs) => delivery.takeFigure(figureOf(stock, publishedAtMs)),
    takeSubscription: delivery.takeSubscription,
    isWanted: delivery.isWanted,
    begin: () => {
      isCurrent = true;
      delivery.begin();
    },
  });
  const metering = meter(delivery.status, telemetry);
  const end = async (): Promise<void> => {
    clearInterval(metering);
    await Promise.all(marketplaces.map(({ marketplace }) => marketplace.close()));
    await runtime.close();
  };
  return {
    name: 'delivery',
    done: Promise.all([delivery.done, following]).then(end, async (error: unknown) => {
      await end();
      throw error;
    }),
    ready: () => isCurrent || !delivery.isWanted(),
    status: () => {
      const { figures, attempts, pending, underWay, outcomes } = delivery.status();
      return {
        records: figures,
        lagRecords: pending,
        lagSeconds: runtime.lagMs() / 1000,
        transactions: attempts,
        lastCommitMs: 0,
        deadLetters: outcomes.exhausted ?? 0,
        counted: { ...outcomes, underWay },
      };
    },
  };
};

/** Attempts by outcome as counts, and what is not there yet as lag. */
function meter(status: () => DeliveryStatus, telemetry: Telemetry): NodeJS.Timeout {
  let before = status();
  return setInterval(() => {
    const now = status();
    telemetry.lag({ records: now.pending, seconds: 0 });
    const counts = new Map(
      Object.entries(now.outcomes)
        .map(([outcome, count]) => [outcome, count - (before.outcomes[outcome] ?? 0)] as const)
        .filter(([, count]) => count > 0),
    );
    const records = now.figures - before.figures;
    if (records > 0 || counts.size > 0) {
      telemetry.committed({
        records,
        outputs: now.attempts - before.attempts,
        deadLetters: counts.get('exhausted') ?? 0,
        commitMs: 0,
        counts,
      });
    }
    before = now;
  }, meterEveryMs);
}
