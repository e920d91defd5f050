/** Sources of webhooks: how each signs, and where in its JSON the facts stand. As data, so that a new shop is a few lines. */

import type { Signing } from './ports.ts';

/** JSON Pointer (RFC 6901). */
export type Pointer = string;

/** True where the value is one of `in`; without `in`, where there is any value but null, false and "". */
export type Condition = { readonly at: Pointer; readonly in?: readonly (string | number)[] };

/** Where lines stand, and what is in each; pointers within a line begin at the line. */
export type LinesAt = {
  /** An array, or one object. */
  readonly at: Pointer;
  readonly sku: Pointer;
  readonly quantity: Pointer;
  /** Absent, or nothing there: the source's location. */
  readonly location?: Pointer;
};

export type EventMapping =
  /** The whole order as it is now, told again whenever it changes. */
  | {
      readonly is: 'order';
      readonly id: Pointer;
      /** What the ERP will know it by. */
      readonly reference: Pointer;
      /** A time or a number that grows with each change; what is older than what we know is nothing new. */
      readonly version: Pointer;
      readonly lines: LinesAt;
      readonly cancelled?: Condition;
      readonly fulfilled?: Condition;
      /** The event itself says so; only where its name is signed. */
      readonly always?: 'cancelled' | 'fulfilled';
    }
  /** Goods were found or have gone: signed quantities. */
  | { readonly is: 'adjustment'; readonly lines: LinesAt; readonly reason?: Pointer }
  /** Somebody has counted: absolute quantities at a time. */
  | { readonly is: 'count'; readonly lines: LinesAt; readonly countedAt: Pointer }
  /** Known, and nothing to us. */
  | { readonly is: 'nothing'; readonly why: string };

export type SourceKind = 'shopify' | 'woocommerce' | 'zigpoll' | 'generic';

export type SourceMapping = {
  readonly signing: Signing;
  /** Where the event's name stands in the body; absent: in the header that `signing` names. */
  readonly eventAt?: Pointer;
  readonly events: Readonly<Record<string, EventMapping>>;
};

export type WebhookSource = SourceMapping & {
  /** Begins the names of its requests: the client `webhook:<name>`. */
  readonly name: string;
  /** Whose shares of stock its orders may use; null: nobody's. */
  readonly channel: string | null;
  /** Where its orders are taken from, best first; empty: wherever the SKU is. */
  readonly locations: readonly string[];
  /** shop: what the source ships leaves the stock. erp: the ERP ships its orders, and tells us so. */
  readonly fulfilledBy: 'shop' | 'erp';
};

const shopifyOrder = {
  is: 'order',
  // As text: the number beside it can be beyond what JSON keeps exactly.
  id: '/admin_graphql_api_id',
  reference: '/name',
  version: '/updated_at',
  lines: { at: '/line_items', sku: '/sku', quantity: '/current_quantity' },
  cancelled: { at: '/cancelled_at' },
  fulfilled: { at: '/fulfillment_status', in: ['fulfilled'] },
} as const satisfies EventMapping;

const wooOrder = {
  is: 'order',
  id: '/id',
  reference: '/number',
  version: '/date_modified_gmt',
  lines: { at: '/line_items', sku: '/sku', quantity: '/quantity' },
  cancelled: { at: '/status', in: ['cancelled', 'refunded', 'failed', 'trash'] },
  fulfilled: { at: '/status', in: ['completed'] },
} as const satisfies EventMapping;

const zigpollOrder = {
  is: 'order',
  id: '/data/order_id',
  reference: '/data/order_id',
  version: '/occurred_at',
  lines: { at: '/data/items', sku: '/sku', quantity: '/quantity' },
} as const satisfies EventMapping;
const zigpollLines = {
  at: '/data/items',
  sku: '/sku',
  quantity: '/quantity',
  location: '/location',
} as const;

const ours = 'the figure that we have told the shop comes back' as const;

/**
 * What is known of each kind.
 * Sources: shopify.dev/docs/apps/build/webhooks, developer.woocommerce.com/docs/apis/rest-api/v3/webhooks. Zigpoll's
 * purchase and inventory events have no public schema: the form here is ours, signed by Standard Webhooks.
 */
export const knownSources: Readonly<Record<Exclude<SourceKind, 'generic'>, SourceMapping>> = {
  shopify: {
    signing: {
      kind: 'bodyHash',
      header: 'x-shopify-hmac-sha256',
      encoding: 'base64',
      prefix: '',
      eventHeader: 'x-shopify-topic',
    },
    events: {
      'orders/create': shopifyOrder,
      'orders/updated': shopifyOrder,
      'orders/paid': shopifyOrder,
      'orders/fulfilled': shopifyOrder,
      'orders/cancelled': shopifyOrder,
      'inventory_levels/update': { is: 'nothing', why: ours },
    },
  },
  woocommerce: {
    signing: {
      kind: 'bodyHash',
      header: 'x-wc-webhook-signature',
      encoding: 'base64',
      prefix: '',
      eventHeader: 'x-wc-webhook-topic',
    },
    events: {
      'order.created': wooOrder,
      'order.updated': wooOrder,
      'order.restored': wooOrder,
      'product.updated': { is: 'nothing', why: ours },
    },
  },
  zigpoll: {
    signing: { kind: 'standardWebhooks' },
    eventAt: '/event',
    events: {
      purchase: zigpollOrder,
      'purchase.cancelled': { ...zigpollOrder, always: 'cancelled' },
      'purchase.fulfilled': { ...zigpollOrder, always: 'fulfilled' },
      'inventory.adjusted': { is: 'adjustment', lines: zigpollLines, reason: '/data/reason' },
      'inventory.counted': { is: 'count', lines: zigpollLines, countedAt: '/occurred_at' },
    },
  },
};
