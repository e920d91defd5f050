/**
 * Webhooks → requests to the single writer, like those of the API. A source tells its orders whole and again and again, late,
 * twice and out of order: only what is newer than what is known changes anything, and then the difference is asked for.
 */
import type { Request, Webhook } from '../../schemas/types.ts';
import { emptyRequest, requestKey, requests } from '../topics.ts';
import { type Agenda, addToAgenda, takeDue } from '../topology/agenda.ts';
import { type Emit, emit, type Input, type StateView, type Step } from '../topology/topology.ts';
import { readWebhook, type Said, type SaidLine } from './read.ts';
import type { WebhookSource } from './source.ts';
import { deliveryKey, type OrderState, orderKey, type WebhooksState } from './state.ts';

type View = StateView<WebhooksState>;
type SaidOrder = Extract<Said, { kind: 'order' }>;

const dayMs = 86_400_000;
/** A sender gives up after days; longer than that nothing comes again. */
const deliveriesKeptMs = 7 * dayMs;
const ordersKeptMs = 90 * dayMs;
/** As long as carts take: what neither the shop nor the ERP has ended by then is given up. */
const heldMs = 30 * dayMs;
/** An end is asked for again: the first time what it ends may still be under way. */
const endsAfterMs = [2_000, 30_000] as const;
/** New lines of an order are reserved when the old ones are free. */
const reservedAgainAfterMs = 1_000;

const due: Agenda = { name: 'a', slotMs: 1_000 };
const forgetting: Agenda = { name: 'f', slotMs: 600_000 };

const clientOf = (source: string): string => `webhook:${source}`;

export function webhooksStep(sources: readonly WebhookSource[]): Step<WebhooksState> {
  const byName = new Map(sources.map((source) => [source.name, source]));
  return (input: Input, state: View): readonly Emit[] => {
    if (input.kind === 'tick') return [...end(input.nowMs, state, byName), ...forget(input, state)];
    const { record } = input;
    if (record.value === undefined) return [];
    const webhook = record.value as Webhook;
    const source = byName.get(webhook.source);
    if (source === undefined) {
      const reason = `${webhook.source} is no source of webhooks any more`;
      return [{ kind: 'deadLetter', code: 'WEBHOOK_SOURCE_UNKNOWN', reason }];
    }
    return take(source, webhook, record.timestampMs, state);
  };
}

function take(
  source: WebhookSource,
  webhook: Webhook,
  nowMs: number,
  state: View,
): readonly Emit[] {
  const key = deliveryKey(source.name, webhook.deliveryId);
  if (state.get(key) !== undefined) return [{ kind: 'count', metric: 'repeated', by: 1 }];
  const said = readWebhook(source, webhook);
  // Not remembered: after a repair it is read again under the same id.
  if (said.kind === 'fault') {
    return [{ kind: 'deadLetter', code: said.code, reason: said.reason }];
  }
  state.put(key, { kind: 'delivered', keptUntil: nowMs + deliveriesKeptMs });
  addToAgenda(forgetting, state, nowMs + deliveriesKeptMs, key);
  switch (said.kind) {
    case 'nothing':
      return [{ kind: 'count', metric: 'ignored', by: 1 }];
    case 'order':
      return onOrder(source, said, nowMs, state);
    case 'adjustment':
      return [
        ask(source, webhook.deliveryId, {
          kind: 'adjust',
          lines: said.lines,
          reason: said.reason,
          occurredAt: webhook.receivedAt,
        }),
      ];
    case 'count':
      return [
        ask(source, webhook.deliveryId, {
          kind: 'count',
          lines: said.lines,
          reason: 'count',
          occurredAt: said.countedAt,
        }),
      ];
  }
}

function onOrder(
  source: WebhookSource,
  said: SaidOrder,
  nowMs: number,
  state: View,
): readonly Emit[] {
  const key = orderKey(source.name, said.id);
  const found = state.get(key);
  const known = found?.kind === 'order' ? found : undefined;
  // What has ended stays so: a shop that takes a cancellation back makes a new order of it.
  if (known !== undefined && (known.version > said.version || known.state !== 'open')) {
    return [{ kind: 'count', metric: 'outdated', by: 1 }];
  }
  const order: OrderState = {
    ...(known ?? { reservation: 0, ends: 0, waits: false }),
    kind: 'order',
    source: source.name,
    id: said.id,
    reference: said.reference,
    version: said.version,
    state: said.state,
    lines: said.lines,
    keptUntil: nowMs + ordersKeptMs,
  };
  if (known === undefined) addToAgenda(forgetting, state, order.keptUntil, key);
  const isChanged = !sameLines(known?.lines ?? [], said.lines);
  switch (said.state) {
    case 'cancelled':
      state.put(key, order);
      return endOf(source, order, 'release', nowMs, state);
    case 'fulfilled':
      return onFulfilled(source, order, nowMs, state);
    case 'open':
      if (!isChanged || order.waits) {
        state.put(key, order);
        return [];
      }
      if (order.reservation > 0) {
        state.put(key, { ...order, waits: true });
        addToAgenda(due, state, nowMs + reservedAgainAfterMs, `reserve|${key}`);
        return [endRequest(source, order, 'release', `changed${order.version}`)];
      }
      return reserve(source, order, nowMs, state);
  }
}

/** It was sold whether there is enough or not: what there is, is held for it, so that it is not sold once more. */
function reserve(
  source: WebhookSource,
  order: OrderState,
  nowMs: number,
  state: View,
): readonly Emit[] {
  const reserved = { ...order, reservation: order.reservation + 1, waits: false };
  state.put(orderKey(source.name, order.id), reserved);
  if (order.lines.length === 0) return [];
  return [
    ask(source, reservationName(reserved), {
      kind: 'reserve',
      lines: order.lines,
      policy: 'FillAllAvailable',
      locations: source.locations,
      expiresAt: nowMs + heldMs,
      reason: 'order',
      reference: order.reference,
      occurredAt: nowMs,
    }),
  ];
}

/** One that we hear of only now was never held: it is, for the moment before it leaves. */
function onFulfilled(
  source: WebhookSource,
  order: OrderState,
  nowMs: number,
  state: View,
): readonly Emit[] {
  state.put(orderKey(source.name, order.id), order);
  // The ERP books the order and its shipment: our hold shrinks by what it books.
  if (source.fulfilledBy === 'erp') return [];
  if (order.reservation > 0 && !order.waits) return endOf(source, order, 'fulfil', nowMs, state);
  const held = reserve(source, order, nowMs, state);
  const reserved = state.get(orderKey(source.name, order.id)) as OrderState;
  return [...held, ...endOf(source, reserved, 'fulfil', nowMs, state)];
}

function endOf(
  source: WebhookSource,
  order: OrderState,
  kind: 'release' | 'fulfil',
  nowMs: number,
  state: View,
): readonly Emit[] {
  if (order.reservation === 0) return [];
  const key = orderKey(source.name, order.id);
  state.put(key, { ...order, ends: order.ends + 1 });
  const after = endsAfterMs[order.ends];
  if (after !== undefined) addToAgenda(due, state, nowMs + after, `${kind}|${key}`);
  return [endRequest(source, order, kind, String(order.ends))];
}

function endRequest(
  source: WebhookSource,
  order: OrderState,
  kind: 'release' | 'fulfil',
  attempt: string,
): Emit {
  return ask(source, `${reservationName(order)}.${kind}.${attempt}`, {
    kind,
    lines: [],
    reservation: requestKey(clientOf(source.name), reservationName(order)),
    reason:
      order.state === 'cancelled' ? 'cancelled' : kind === 'fulfil' ? 'sale' : 'order changed',
    reference: order.reference,
    occurredAt: order.version,
  });
}

/** What is due: ends that are asked for again, and changed orders that are reserved anew. */
function end(
  nowMs: number,
  state: View,
  sources: ReadonlyMap<string, WebhookSource>,
): readonly Emit[] {
  return takeDue(due, state, nowMs).flatMap((entry) => {
    const [verb, key] = [entry.slice(0, entry.indexOf('|')), entry.slice(entry.indexOf('|') + 1)];
    const order = state.get(key);
    const source = order?.kind === 'order' ? sources.get(order.source) : undefined;
    if (order?.kind !== 'order' || source === undefined) return [];
    if (verb !== 'reserve') return endOf(source, order, verb as 'release', nowMs, state);
    return order.state === 'open' && order.waits ? reserve(source, order, nowMs, state) : [];
  });
}

function forget({ nowMs }: { readonly nowMs: number }, state: View): readonly Emit[] {
  for (const key of takeDue(forgetting, state, nowMs)) {
    const known = state.get(key);
    if (known?.kind === 'order' && known.keptUntil > nowMs) {
      addToAgenda(forgetting, state, known.keptUntil, key);
    } else state.delete(key);
  }
  return [];
}

/** Keys of requests hold no `|`: they would end the client's name. */
const reservationName = (order: OrderState): string =>
  `${encodeURIComponent(order.id)}.${order.reservation}`;

function sameLines(some: readonly SaidLine[], others: readonly SaidLine[]): boolean {
  return (
    some.length === others.length &&
    some.every(
      ({ sku, quantity }, at) => others[at]?.sku === sku && others[at].quantity === quantity,
    )
  );
}

function ask(
  source: WebhookSource,
  name: string,
  asked: Pick<Request, 'kind' | 'lines' | 'reason' | 'occurredAt'> & Partial<Request>,
): Emit {
  const client = clientOf(source.name);
  const request: Request = {
    ...emptyRequest(client, name),
    ...asked,
    lines: asked.lines.map(({ sku, location, quantity }) => ({ sku, location, quantity })),
    channel: source.channel,
  };
  return emit(requests, requestKey(client, name), request);
}
