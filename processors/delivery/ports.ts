/** What delivery needs of the outside: a place for its state, receivers, marketplaces, and where to tell what it did. */
import type { DeliveryAttempt, Subscription } from '../../schemas/types.ts';
import type { Answer, Call } from './calls.ts';

/** One webhook to be sent: the same content and id at each attempt. */
export type Webhook = {
  readonly endpoint: string;
  readonly url: string;
  readonly sealedSecrets: readonly string[];
  readonly id: string;
  readonly body: string;
  /** Undefined for a notice. */
  readonly key: string | undefined;
};

export type WebhookAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfterMs?: number }
  /** Certainly not sent: no connection, or an address that is not allowed. */
  | { readonly kind: 'unsent'; readonly reason: string }
  /** Sent, and no answer in time. */
  | { readonly kind: 'unanswered'; readonly reason: string };

export type StateChange = {
  readonly destination: string;
  readonly key: string;
  /** Undefined deletes. */
  readonly value: string | undefined;
};

export type DeliveryStore = {
  /** What is kept of a destination. */
  readonly kept: (destination: string) => ReadonlyMap<string, string>;
  /** All or nothing. Resolves when it outlives the process and the machine. */
  readonly write: (changes: readonly StateChange[]) => Promise<void>;
  readonly forget: (destination: string) => Promise<void>;
};

export type DeliveryPorts = {
  readonly store: DeliveryStore;
  /** Signs and sends. Never rejects. */
  readonly sendWebhook: (webhook: Webhook) => Promise<WebhookAnswer>;
  /** Tells each attempt; rejects when it cannot be told. */
  readonly record: (attempts: readonly DeliveryAttempt[]) => Promise<void>;
  /** Writes a subscription that changed here, such as one that is gone. */
  readonly saveSubscription: (subscription: Subscription) => Promise<void>;
  readonly nowMs: () => number;
  readonly log: (
    level: 'info' | 'warn',
    event: string,
    fields: Readonly<Record<string, unknown>>,
  ) => void;
};

/** One account at a marketplace, spoken to in its own words. */
export type Marketplace = {
  /** Never rejects. */
  readonly make: (call: Call) => Promise<Answer>;
};
