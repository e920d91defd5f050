/** Webhooks in: what shops tell, late, twice and out of order, becomes the holds that it should, once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requests, webhooks } from '../../processors/topics.ts';
import { knownSources, type WebhookSource } from '../../processors/webhooks/source.ts';
import { webhooksTopology } from '../../processors/webhooks/topology.ts';
import type { Request, Webhook } from '../../schemas/types.ts';
import {
  commit,
  crash,
  duplicate,
  rebalance,
  record,
  redeliver,
  runTopology,
  type ScriptItem,
  tick,
} from '../support/topology-driver.ts';

const noon = Date.UTC(2026, 2, 2, 12);
const of = (kind: 'shopify' | 'woocommerce' | 'zigpoll', fulfilledBy: 'shop' | 'erp' = 'shop') =>
  ({
    ...knownSources[kind],
    name: kind,
    channel: 'web',
    locations: ['W1'],
    fulfilledBy,
  }) satisfies WebhookSource;
const sources = [of('shopify'), of('woocommerce'), of('zigpoll')];

let deliveries = 0;
const told = (source: string, event: string, body: object | string, id?: string): ScriptItem => {
  deliveries += 1;
  const webhook: Webhook = {
    source,
    event,
    deliveryId: id ?? `d${deliveries}`,
    receivedAt: noon,
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  };
  return record(webhooks, source, webhook, { timestampMs: noon });
};
const run = (items: readonly ScriptItem[], by: readonly WebhookSource[] = sources) =>
  runTopology(webhooksTopology(by), [...items, commit]);
const asked = (items: readonly ScriptItem[], by = sources): readonly Request[] =>
  run(items, by)
    .records(requests)
    .flatMap(({ value }) => (value === undefined ? [] : [value]));

const shopifyOrder = (more: object = {}) => ({
  id: 820982911946154500,
  admin_graphql_api_id: 'gid://shopify/Order/820982911946154508',
  name: '#1001',
  updated_at: '2026-03-02T12:00:00+01:00',
  cancelled_at: null,
  fulfillment_status: null,
  line_items: [
    { sku: 'A', quantity: 3, current_quantity: 2 },
    { sku: 'B', quantity: 1, current_quantity: 1 },
  ],
  ...more,
});

describe('webhooks in', () => {
  it('hold an order of Shopify for its channel, by what the ERP will know it', () => {
    expect(asked([told('shopify', 'orders/create', shopifyOrder())])).toMatchObject([
      {
        client: 'webhook:shopify',
        idempotencyKey: 'gid%3A%2F%2Fshopify%2FOrder%2F820982911946154508.1',
        kind: 'reserve',
        policy: 'FillAllAvailable',
        channel: 'web',
        locations: ['W1'],
        reference: '#1001',
        lines: [
          { sku: 'A', location: null, quantity: 2_000 },
          { sku: 'B', location: null, quantity: 1_000 },
        ],
      },
    ]);
  });

  it('give a cancelled order up, again a little later, and never a third order after it', () => {
    const cancelled = shopifyOrder({
      updated_at: '2026-03-02T12:05:00+01:00',
      cancelled_at: '2026-03-02T12:05:00+01:00',
    });
    const found = asked([
      told('shopify', 'orders/create', shopifyOrder()),
      told('shopify', 'orders/cancelled', cancelled),
      tick(noon + 3_000),
      tick(noon + 60_000),
      tick(noon + 120_000),
      told('shopify', 'orders/updated', { ...cancelled, cancelled_at: null }),
    ]);
    expect(
      found.map(({ kind, idempotencyKey }) => [kind, idempotencyKey.split('.').slice(1).join('.')]),
    ).toEqual([
      ['reserve', '1'],
      ['release', '1.release.0'],
      ['release', '1.release.1'],
      ['release', '1.release.2'],
    ]);
    expect(found[1]?.reservation).toBe(`webhook:shopify|${found[0]?.idempotencyKey}`);
  });

  it('hold nothing for an order whose cancellation came first', () => {
    const later = { updated_at: '2026-03-02T13:00:00+01:00', cancelled_at: '2026-03-02T13:00:00Z' };
    const found = asked([
      told('shopify', 'orders/cancelled', shopifyOrder(later)),
      told('shopify', 'orders/create', shopifyOrder()),
      tick(noon + 60_000),
    ]);
    expect(found).toEqual([]);
  });

  it('hold a changed order anew when the old lines are free', () => {
    const changed = shopifyOrder({
      updated_at: '2026-03-02T12:10:00+01:00',
      line_items: [{ sku: 'A', quantity: 3, current_quantity: 1 }],
    });
    const found = asked([
      told('shopify', 'orders/create', shopifyOrder()),
      told('shopify', 'orders/updated', changed),
      told('shopify', 'orders/updated', changed),
      tick(noon + 5_000),
    ]);
    expect(found.map(({ kind, lines }) => [kind, lines.map(({ quantity }) => quantity)])).toEqual([
      ['reserve', [2_000, 1_000]],
      ['release', []],
      ['reserve', [1_000]],
    ]);
  });

  it('sell what the shop has shipped, and leave that to the ERP where it ships', () => {
    const shipped = shopifyOrder({
      updated_at: '2026-03-03T12:00:00Z',
      fulfillment_status: 'fulfilled',
    });
    const items = [
      told('shopify', 'orders/create', shopifyOrder()),
      told('shopify', 'orders/fulfilled', shipped),
    ];
    expect(asked(items).map(({ kind }) => kind)).toEqual(['reserve', 'fulfil']);
    expect(asked(items, [of('shopify', 'erp')]).map(({ kind }) => kind)).toEqual(['reserve']);
  });

  it('understand WooCommerce: its status, times without zone, numbers as ids', () => {
    const order = (status: string, minute: string) => ({
      id: 4750,
      number: '4750',
      status,
      date_modified_gmt: `2026-03-02T11:${minute}:00`,
      line_items: [{ sku: 'A', quantity: 2 }],
    });
    const found = asked([
      told('woocommerce', 'order.created', order('processing', '00')),
      told('woocommerce', 'order.updated', order('refunded', '05')),
    ]);
    expect(found.map(({ kind, reference }) => [kind, reference])).toEqual([
      ['reserve', '4750'],
      ['release', '4750'],
    ]);
  });

  it("take Zigpoll's purchases, adjustments and counts", () => {
    const items = [{ sku: 'A', quantity: 2 }];
    const at = { occurred_at: '2026-03-02T11:00:00Z' };
    const found = asked([
      told('zigpoll', '', { event: 'purchase', ...at, data: { order_id: 'z1', items } }),
      told('zigpoll', '', {
        event: 'inventory.adjusted',
        ...at,
        data: { reason: 'broken', items: [{ sku: 'A', location: 'S2', quantity: '-1.5' }] },
      }),
      told('zigpoll', '', { event: 'inventory.counted', ...at, data: { items } }),
    ]);
    expect(found).toMatchObject([
      { kind: 'reserve', reference: 'z1' },
      { kind: 'adjust', reason: 'broken', lines: [{ sku: 'A', location: 'S2', quantity: -1_500 }] },
      { kind: 'count', occurredAt: Date.UTC(2026, 2, 2, 11), lines: [{ location: 'W1' }] },
    ]);
  });

  it('W1: do a delivery once, however often it comes', () => {
    const body = {
      event: 'inventory.adjusted',
      data: { items: [{ sku: 'A', location: 'S2', quantity: 1 }] },
    };
    const found = asked([told('zigpoll', '', body, 'same'), told('zigpoll', '', body, 'same')]);
    expect(found).toHaveLength(1);
  });

  const faults = [
    ['no JSON', '{"id":', 'orders/create', 'WEBHOOK_NOT_JSON'],
    ['no UTF-8', Buffer.from([0xff, 0xfe]).toString('latin1'), 'orders/create', 'WEBHOOK_NOT_JSON'],
    ['an unknown event', shopifyOrder(), 'orders/shouted', 'WEBHOOK_EVENT_UNKNOWN'],
    ['an event that every object has', shopifyOrder(), 'constructor', 'WEBHOOK_EVENT_UNKNOWN'],
    [
      'no id',
      shopifyOrder({ admin_graphql_api_id: undefined }),
      'orders/create',
      'WEBHOOK_FIELD_MISSING',
    ],
    ['no time', shopifyOrder({ updated_at: 'soon' }), 'orders/create', 'WEBHOOK_FIELD_MISSING'],
    ['no lines', shopifyOrder({ line_items: [] }), 'orders/create', 'WEBHOOK_FIELD_MISSING'],
    [
      'a line without SKU',
      shopifyOrder({ line_items: [{ current_quantity: 1 }] }),
      'orders/create',
      'WEBHOOK_FIELD_MISSING',
    ],
    [
      'a quantity that is none',
      shopifyOrder({ line_items: [{ sku: 'A', current_quantity: 'many' }] }),
      'orders/create',
      'WEBHOOK_QUANTITY_INVALID',
    ],
    [
      'less than nothing',
      shopifyOrder({ line_items: [{ sku: 'A', current_quantity: -1 }] }),
      'orders/create',
      'WEBHOOK_QUANTITY_INVALID',
    ],
    [
      'more than there is in the world',
      shopifyOrder({ line_items: [{ sku: 'A', current_quantity: 1e300 }] }),
      'orders/create',
      'WEBHOOK_QUANTITY_INVALID',
    ],
    [
      'a thousand lines',
      shopifyOrder({
        line_items: Array.from({ length: 1_000 }, (_, n) => ({
          sku: `S${n}`,
          current_quantity: 1,
        })),
      }),
      'orders/create',
      'WEBHOOK_TOO_LARGE',
    ],
  ] as const;

  it.each(faults)('keep %s as a dead letter with its reason, and go on', (_, body, event, code) => {
    const result = run([
      told('shopify', event, body),
      told('shopify', 'orders/create', shopifyOrder()),
    ]);
    expect(result.deadLetters.map((one) => one.code)).toEqual([code]);
    expect(result.records(requests)).toHaveLength(1);
  });

  it('take what was a dead letter when it comes again and can be read', () => {
    const body = shopifyOrder();
    const { events: _none, ...rest } = of('shopify');
    const blind = { ...rest, events: {} };
    expect(run([told('shopify', 'orders/create', body, 'x')], [blind]).deadLetters).toHaveLength(1);
    const twice = [
      told('shopify', 'orders/shouted', body, 'x'),
      told('shopify', 'orders/create', body, 'x'),
    ];
    expect(asked(twice)).toHaveLength(1);
  });

  it('W1: end with the same holds in any order, doubled, with crashes and rebalances anywhere', () => {
    const orders = ['1', '2', '3'];
    const versions = [0, 1, 2, 3, 4];
    /** The truth, from the newest version of each order alone. */
    const bodyOf = (id: string, version: number) => ({
      admin_graphql_api_id: id,
      name: id,
      updated_at: new Date(noon + version * 60_000).toISOString(),
      cancelled_at: version === 4 && id !== '3' ? 'yes' : null,
      line_items: [{ sku: 'A', current_quantity: 1 + ((version * 7 + Number(id)) % 3) }],
    });
    const all = orders.flatMap((id) => versions.map((version) => [id, version] as const));
    const fault = fc.constantFrom(commit, crash, redeliver, duplicate, rebalance(0), rebalance(1));
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.array(fc.tuple(fc.nat(all.length), fault), { maxLength: 8 }),
        (order, places) => {
          const items: ScriptItem[] = order.map(([id, version]) =>
            told('shopify', 'orders/updated', bodyOf(id, version), `${id} ${version}`),
          );
          for (const [at, one] of places) items.splice(Math.min(at + 1, items.length), 0, one);
          const found = asked([...items, commit, tick(noon + 600_000), tick(noon + 1_200_000)]);
          const open = new Map<string, number>();
          for (const { kind, idempotencyKey, reservation, lines } of found) {
            if (kind === 'reserve') open.set(idempotencyKey, lines[0]?.quantity ?? 0);
            else open.delete(reservation?.split('|')[1] ?? '');
          }
          const newest = bodyOf('3', 4).line_items[0]?.current_quantity ?? 0;
          const names = [...open.keys()].map((name) => name.split('.')[0]);
          expect([names, [...open.values()]]).toEqual([['3'], [newest * 1_000]]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
