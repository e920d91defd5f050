/** The delivery worker against destinations over HTTP, killed at any moment, on its store on disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { simulatedAmazon } from '../../connectors/destinations/simulated-amazon.ts';
import { simulatedEbay } from '../../connectors/destinations/simulated-ebay.ts';
import { simulatedReceiver } from '../../connectors/destinations/simulated-receiver.ts';
import {
  type SimulatedMarketplace,
  simulatedShop,
} from '../../connectors/destinations/simulated-shop.ts';
import { deliveryStore } from '../../processors/adapters/delivery-store.ts';
import {
  type AccountAccess,
  openMarketplace,
} from '../../processors/adapters/marketplaces/accounts.ts';
import { secretBox } from '../../processors/adapters/secret-box.ts';
import { webhookSender } from '../../processors/adapters/webhooks/sender.ts';
import { newWebhookSecret, webhookFault } from '../../processors/adapters/webhooks/signature.ts';
import { ordinaryWebhookRules } from '../../processors/delivery/endpoint.ts';
import type { Figure } from '../../processors/delivery/figure.ts';
import { limitsOf } from '../../processors/delivery/marketplace-limits.ts';
import type { DeliveryPorts } from '../../processors/delivery/ports.ts';
import { type Delivery, type DeliveryOptions, runDelivery } from '../../processors/delivery/run.ts';
import type { DeliveryAttempt, Subscription } from '../../schemas/types.ts';
import { seededRandom } from '../support/seeded-random.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const closer of closers.splice(0).reverse()) await closer();
});

const until = async (isSo: () => boolean, ms: number, what: () => string): Promise<void> => {
  const giveUpMs = Date.now() + ms;
  while (!isSo()) {
    if (Date.now() > giveUpMs) throw new Error(`not in time: ${what()}`);
    await new Promise((done) => setTimeout(done, 20));
  }
};

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'stockline-delivery-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A worker that can be killed: nothing that it does afterwards leaves it. */
type Worker = Delivery & {
  readonly kill: () => Promise<void>;
  readonly attempts: DeliveryAttempt[];
};

function worker(
  directory: string,
  options: Pick<DeliveryOptions, 'accounts' | 'rules'>,
  sendWebhook: DeliveryPorts['sendWebhook'] = async () => ({ kind: 'unsent', reason: 'nowhere' }),
): Worker {
  const store = deliveryStore(directory);
  const stopping = new AbortController();
  let isDead = false;
  const attempts: DeliveryAttempt[] = [];
  const ports: DeliveryPorts = {
    store: {
      ...store,
      write: async (changes) => {
        if (!isDead) await store.write(changes);
      },
    },
    sendWebhook,
    record: async (told) => void attempts.push(...told),
    saveSubscription: async () => undefined,
    nowMs: Date.now,
    log: () => undefined,
  };
  const delivery = runDelivery({ ...options, ports, signal: stopping.signal });
  return {
    ...delivery,
    attempts,
    kill: async () => {
      isDead = true;
      stopping.abort();
      await delivery.done;
      await store.close();
    },
  };
}

const figure = (channel: string, sku: string, sequence: number, units: number): Figure => ({
  channel,
  sku,
  sellable: units * 1_000,
  status: units === 0 ? 'out' : 'inStock',
  sequence,
  publishedAtMs: Date.now(),
});

const refreshed = { clientId: 'id', clientSecret: 'secret', refreshToken: 'refresh' };
const markets = [
  {
    kind: 'amazon',
    simulate: simulatedAmazon,
    access: (url: string): AccountAccess => ({
      kind: 'amazon',
      url,
      seller: 'SELLER',
      marketplace: 'A1PA6795UKMFR9',
      tokenUrl: `${url}/auth/o2/token`,
      ...refreshed,
    }),
  },
  {
    kind: 'ebay',
    simulate: simulatedEbay,
    access: (url: string): AccountAccess => ({
      kind: 'ebay',
      url,
      tokenUrl: `${url}/identity/v1/oauth2/token`,
      ...refreshed,
    }),
  },
  {
    kind: 'shop',
    simulate: simulatedShop,
    access: (url: string): AccountAccess => ({ kind: 'shop', url, token: 'shop-token' }),
  },
] as const;

describe('the delivery worker', () => {
  it('E3: three marketplaces that fail and lose show the last figures in the end, though the worker is killed', async () => {
    const directory = folder();
    const random = seededRandom(11);
    const simulated = new Map<string, SimulatedMarketplace>();
    for (const { kind, simulate } of markets) {
      const market = await simulate({ seed: 5, oneIn: 12 });
      closers.push(market.close);
      simulated.set(kind, market);
    }
    const start = (): Worker =>
      worker(directory, {
        rules: ordinaryWebhookRules,
        accounts: markets.map(({ kind, access }) => {
          const marketplace = openMarketplace(access(simulated.get(kind)?.url ?? ''));
          closers.push(marketplace.close);
          const limits = limitsOf(kind, { settleSeconds: 3.2, readBackOneOf: 5 });
          return { id: kind, kind, channel: 'web', limits, marketplace };
        }),
      });
    const newest = new Map<string, Figure>();
    const change = (running: Worker, count: number): void => {
      for (let index = 0; index < count; index += 1) {
        const sku = `S${random(12)}`;
        const sequence = (newest.get(sku)?.sequence ?? 0) + 1;
        const told = figure('web', sku, sequence, random(4) === 0 ? 0 : 1 + random(9));
        newest.set(sku, told);
        running.takeFigure(told);
      }
    };
    let running = start();
    running.begin();
    for (let round = 0; round < 3; round += 1) {
      change(running, 20);
      await new Promise((done) => setTimeout(done, 300 + random(300)));
      await running.kill();
      running = start();
      for (const one of newest.values()) running.takeFigure(one);
      running.begin();
    }
    await until(
      () => running.status().pending === 0,
      30_000,
      () => JSON.stringify(running.status()),
    );
    await running.kill();
    const wanted = new Map([...newest].map(([sku, { sellable }]) => [sku, sellable / 1000]));
    for (const [kind, { listings, books }] of simulated) {
      expect([kind, new Map([...listings].sort())]).toEqual([kind, new Map([...wanted].sort())]);
      expect([kind, books.quotaBroken, books.budgetExceeded]).toEqual([kind, 0, 0]);
    }
    const told = simulated.get('shop')?.books.shown ?? [];
    const last = new Map<string, number>();
    for (const { sku, sequence = 0 } of told) {
      expect(sequence).toBeGreaterThanOrEqual(last.get(sku) ?? 0);
      last.set(sku, sequence);
    }
  });

  it('E3: a receiver that loses, delays, doubles and reorders, and restarts, ends with our figures', async () => {
    const directory = folder();
    const secret = newWebhookSecret();
    const box = secretBox('k'.repeat(32));
    let subscription: Subscription = {
      id: 'wh_1',
      url: '',
      description: '',
      channels: [],
      skus: [],
      events: [],
      active: true,
      inactiveReason: '',
      sealedSecrets: [box.seal(newWebhookSecret()), box.seal(secret)],
      request: null,
      changedAt: 0,
    };
    let running: Worker | undefined;
    let asked = 0;
    const receiver = await simulatedReceiver({
      seed: 3,
      percent: 8,
      faultOf: (headers, body) => webhookFault([secret], headers, body, Date.now()),
      askFor: async (ranges) => {
        asked += 1;
        const request = { id: `replay-${asked}`, kind: 'replay', ranges } as const;
        subscription = { ...subscription, request };
        running?.takeSubscription(subscription.id, subscription);
      },
    });
    closers.push(receiver.close);
    subscription = { ...subscription, url: receiver.url };
    const rules = { ports: [receiver.port], allow: ['127.0.0.1'], allowHttp: true };
    const sender = webhookSender({ rules, box, timeoutMs: 2_000 });
    closers.push(sender.close);
    const ofWebhooks = {
      ...ordinaryWebhookRules,
      attemptsMs: [0, ...Array.from({ length: 12 }, () => 150)],
      checkpointsMs: [300, 900, 2_000, 4_000],
      openMs: 300,
    };
    const newest = new Map<string, Figure>();
    const start = (): Worker => {
      const started = worker(directory, { accounts: [], rules: ofWebhooks }, sender.send);
      for (const one of newest.values()) started.takeFigure(one);
      started.takeSubscription(subscription.id, subscription);
      started.begin();
      return started;
    };
    running = start();
    const random = seededRandom(8);
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 60; index += 1) {
        const sku = `S${random(80)}`;
        const sequence = (newest.get(sku)?.sequence ?? 0) + 1;
        const told = figure('web', sku, sequence, random(50));
        newest.set(sku, told);
        running.takeFigure(told);
      }
      await new Promise((done) => setTimeout(done, 150));
      await running.kill();
      if (round === 1) await receiver.restart(100);
      running = start();
    }
    const differences = (): readonly string[] =>
      [...newest.values()]
        .filter(
          ({ sku, sellable }) => receiver.state.get(`web|${sku}`)?.sellable !== sellable / 1000,
        )
        .map(({ sku }) => sku);
    await until(
      () => differences().length === 0,
      25_000,
      () => `${differences().length} differ`,
    );
    await running.kill();
    expect(receiver.counts.get('lost')).toBeGreaterThan(3);
    expect(receiver.counts.get('notBelieved')).toBeUndefined();
  });
});
