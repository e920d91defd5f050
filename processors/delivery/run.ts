/**
 * The delivery worker: takes figures of channels and subscriptions as they come, asks every destination what goes now,
 * keeps that durably, and only then makes the calls. What a killed process had under way is known to the next one.
 */
import type { DeliveryAttempt, Subscription } from '../../schemas/types.ts';
import type { Destination, Errand } from './destination.ts';
import type { WebhookRules } from './endpoint.ts';
import { slotKey } from './endpoint.ts';
import type { Figure } from './figure.ts';
import { type MarketplaceAccount, marketplaceDestination } from './marketplace-destination.ts';
import type { DeliveryPorts, StateChange } from './ports.ts';
import { type WebhookDestination, webhookDestination } from './webhook-destination.ts';

export type DeliveryOptions = {
  readonly accounts: readonly MarketplaceAccount[];
  readonly rules: WebhookRules;
  readonly ports: DeliveryPorts;
  readonly signal: AbortSignal;
};

export type Delivery = {
  /** A figure of a channel; older ones than the newest known change nothing. */
  readonly takeFigure: (figure: Figure) => void;
  /** Undefined: the subscription has ended. */
  readonly takeSubscription: (id: string, subscription: Subscription | undefined) => void;
  /** All figures and subscriptions that were there at the start have been taken: from now on calls are made. */
  readonly begin: () => void;
  /** Whether anybody wants figures. */
  readonly isWanted: () => boolean;
  readonly status: () => DeliveryStatus;
  /** Ends after `signal`, when what is under way has ended or had its time. */
  readonly done: Promise<void>;
};

export type DeliveryStatus = {
  readonly figures: number;
  readonly attempts: number;
  readonly pending: number;
  readonly underWay: number;
  /** By outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
};

/** Calls at the same time over all destinations. */
const underWayMost = 400;
/** Attempts that are not told yet; beyond them nothing new begins. */
const untoldMost = 20_000;
/** Between two rounds: what comes meanwhile goes together. */
const roundMs = 5;
const idleMs = 60_000;
const endingMs = 6_000;

export function runDelivery(options: DeliveryOptions): Delivery {
  const loop = new DeliveryLoop(options);
  return {
    takeFigure: (figure) => loop.takeFigure(figure),
    takeSubscription: (id, subscription) => loop.takeSubscription(id, subscription),
    begin: () => loop.begin(),
    isWanted: () => loop.isWanted(),
    status: () => loop.status(),
    done: loop.run(),
  };
}

class DeliveryLoop {
  readonly destinations = new Map<string, Destination>();
  readonly #options: DeliveryOptions;
  readonly #webhooks = new Map<string, WebhookDestination>();
  /** Subscriptions that came before the figures were all there: what they ask for is done with those. */
  readonly #early = new Map<string, Subscription>();
  /** By channel and SKU. */
  readonly #newest = new Map<string, Figure>();
  /** Subscriptions whose state is to be forgotten. */
  readonly #ended = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #outcomes = new Map<string, number>();
  #untold = 0;
  #figures = 0;
  #attempts = 0;
  #begun = false;
  /** Something came since the last round. */
  #isFresh = false;
  #failure: unknown;
  #wake: () => void = () => undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    for (const account of options.accounts) {
      this.destinations.set(account.id, marketplaceDestination(account, options.ports));
    }
    options.signal.addEventListener('abort', () => this.#wake());
  }

  takeFigure(figure: Figure): void {
    const key = slotKey(figure);
    const known = this.#newest.get(key);
    if (known !== undefined && known.sequence >= figure.sequence) return;
    this.#newest.set(key, figure);
    this.#figures += 1;
    const nowMs = this.#options.ports.nowMs();
    for (const one of this.destinations.values()) one.offer(figure, nowMs);
    this.#stir();
  }

  isWanted(): boolean {
    return this.destinations.size + this.#early.size > 0;
  }

  takeSubscription(id: string, subscription: Subscription | undefined): void {
    if (subscription === undefined) {
      this.#early.delete(id);
      this.destinations.delete(id);
      this.#webhooks.delete(id);
      this.#ended.add(id);
      this.#stir();
      return;
    }
    if (!this.#begun) {
      this.#early.set(id, subscription);
      return;
    }
    const known = this.#webhooks.get(id) ?? this.#open(subscription);
    known.change(subscription);
    this.#stir();
  }

  #open(subscription: Subscription): WebhookDestination {
    const { ports, rules } = this.#options;
    const opened = webhookDestination(subscription, rules, ports);
    this.#webhooks.set(subscription.id, opened);
    this.destinations.set(subscription.id, opened);
    const nowMs = ports.nowMs();
    for (const figure of this.#newest.values()) opened.offer(figure, nowMs);
    return opened;
  }

  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const [id, subscription] of this.#early) this.takeSubscription(id, subscription);
    this.#early.clear();
    this.#stir();
  }

  status(): DeliveryStatus {
    let pending = 0;
    for (const one of this.destinations.values()) pending += one.pending();
    return {
      figures: this.#figures,
      attempts: this.#attempts,
      pending,
      underWay: this.#underWay.size,
      outcomes: Object.fromEntries(this.#outcomes),
    };
  }

  async run(): Promise<void> {
    const { signal, ports } = this.#options;
    while (!signal.aborted) {
      const errands = this.#begun ? this.#plan(ports.nowMs()) : [];
      await this.#keep();
      for (const errand of errands) this.#start(errand);
      await this.#rest();
      if (this.#failure !== undefined) throw this.#failure;
    }
    await Promise.race([
      Promise.all(this.#underWay),
      new Promise((done) => setTimeout(done, endingMs).unref()),
    ]);
    await this.#keep();
  }

  #plan(nowMs: number): readonly Errand[] {
    if (this.#untold > untoldMost) return [];
    const errands: Errand[] = [];
    for (const one of this.destinations.values()) {
      if (this.#underWay.size + errands.length >= underWayMost) break;
      errands.push(...one.plan(nowMs));
    }
    return errands;
  }

  /** Intents before their calls, and what came of the calls before. */
  async #keep(): Promise<void> {
    const { store } = this.#options.ports;
    for (const id of this.#ended) {
      this.#ended.delete(id);
      if (!this.destinations.has(id)) await store.forget(id);
    }
    const changes: StateChange[] = [];
    for (const { id, takeChanges } of this.destinations.values()) {
      for (const [key, value] of takeChanges()) changes.push({ destination: id, key, value });
    }
    if (changes.length > 0) await store.write(changes);
  }

  #start(errand: Errand): void {
    const one = errand()
      .then((attempts) => this.#tell(attempts))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#underWay.delete(one);
        this.#stir();
      });
    this.#underWay.add(one);
  }

  #tell(attempts: readonly DeliveryAttempt[]): void {
    if (attempts.length === 0) return;
    for (const { outcome } of attempts) {
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    }
    this.#attempts += attempts.length;
    this.#untold += attempts.length;
    this.#options.ports
      .record(attempts)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#untold -= attempts.length;
      });
  }

  #stir(): void {
    this.#isFresh = true;
    this.#wake();
  }

  /** Until something comes or is due. */
  async #rest(): Promise<void> {
    await new Promise((done) => setTimeout(done, roundMs));
    if (this.#isFresh || this.#options.signal.aborted) {
      this.#isFresh = false;
      return;
    }
    const nowMs = this.#options.ports.nowMs();
    let nextMs = nowMs + idleMs;
    if (this.#begun) {
      for (const one of this.destinations.values()) nextMs = Math.min(nextMs, one.nextMs(nowMs));
    }
    if (nextMs <= nowMs) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((done) => {
      timer = setTimeout(done, Math.min(idleMs, nextMs - nowMs));
      this.#wake = done;
    });
    clearTimeout(timer);
    this.#wake = () => undefined;
    this.#isFresh = false;
  }
}
