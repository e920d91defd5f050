/**
 * The state of one webhook subscription: what its receiver has of each SKU, what is on its way, and when what is tried
 * again. A function of what was offered, what was answered and the times given: no clock, no I/O.
 */
import type { DeliveryRange, Subscription } from '../../schemas/types.ts';
import type { Figure } from './figure.ts';
import { type WaitQueue, waitQueue } from './wait-queue.ts';

export type WebhookRules = {
  /** Pause before each attempt, in milliseconds; as many attempts as entries. */
  readonly attemptsMs: readonly number[];
  /** Deliveries at the same time per endpoint. */
  readonly concurrent: number;
  /** So many failures in a row open the circuit, for so long at first. */
  readonly failuresOpen: number;
  readonly openMs: number;
  readonly openMostMs: number;
  /** After the last delivery, a checkpoint is sent after each of these times, and then whenever the last of them has passed again. */
  readonly checkpointsMs: readonly number[];
};

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** The schedule that Standard Webhooks proposes. */
export const ordinaryWebhookRules: WebhookRules = {
  attemptsMs: [
    0,
    5 * secondMs,
    5 * minuteMs,
    30 * minuteMs,
    2 * hourMs,
    5 * hourMs,
    10 * hourMs,
    14 * hourMs,
    20 * hourMs,
    24 * hourMs,
  ],
  concurrent: 8,
  failuresOpen: 5,
  openMs: 30 * secondMs,
  openMostMs: 15 * minuteMs,
  checkpointsMs: [10 * secondMs, 2 * minuteMs, 30 * minuteMs],
};

/** A delivery: its content, id and index stay the same over its attempts. */
export type Going = {
  readonly figure: Figure;
  readonly id: string;
  readonly index: number;
  readonly type: string;
  readonly previousSequence: number;
  readonly attempts: number;
  /** Attempts of it that may have arrived: then its index is spent. */
  readonly reached: number;
};

/** What is kept durably of one SKU (of one channel) at one subscription. */
export type Slot = {
  /** The newest figure that the receiver took, and the index of its delivery. It only ever grows. */
  readonly taken: Pick<Figure, 'sequence' | 'status'> & { readonly index: number };
  readonly going: Going | null;
  /** Sequence of a figure that was given up after its last attempt; 0: none. */
  readonly givenUp: number;
};

const newSlot: Slot = {
  taken: { sequence: 0, status: 'inStock', index: 0 },
  going: null,
  givenUp: 0,
};

export type SlotPlace = {
  slot: Slot;
  wanted: Figure | undefined;
  isUnderWay: boolean;
  /** It is sent again though it was taken: somebody asked for it. */
  again: boolean;
};

/** A message that is about no SKU: a test, or how far deliveries have come. Lost with the process; then nothing is lost. */
export type Notice = {
  readonly id: string;
  readonly type: 'webhook.test' | 'webhook.checkpoint';
  readonly data: Readonly<Record<string, unknown>>;
  readonly attempts: number;
};

export type Replay = {
  readonly request: string;
  readonly ranges: readonly DeliveryRange[];
  readonly left: Set<string>;
};

export type Endpoint = {
  readonly id: string;
  readonly rules: WebhookRules;
  subscription: Subscription;
  readonly slots: Map<string, SlotPlace>;
  readonly ready: { readonly urgent: Set<string>; readonly rest: Set<string> };
  readonly waiting: WaitQueue;
  readonly notices: Map<string, Notice>;
  underWay: number;
  /** Counts the deliveries of this subscription. */
  lastIndex: number;
  /** The last request that was done, and the last one that was begun. */
  handledRequest: string;
  begunRequest: string;
  /** Replays whose deliveries are not all taken yet. */
  readonly replays: Replay[];
  closedUntilMs: number;
  failuresInARow: number;
  openings: number;
  /** Times at which a checkpoint is due. */
  checkpoints: number[];
  readonly changed: Set<string>;
};

const indexKey = '\u0001index';
const requestKey = '\u0001request';

export const slotKey = (figure: Pick<Figure, 'channel' | 'sku'>): string =>
  `${figure.channel}|${figure.sku}`;

export function openEndpoint(
  subscription: Subscription,
  rules: WebhookRules,
  kept: ReadonlyMap<string, string>,
  nowMs: number,
): Endpoint {
  const endpoint: Endpoint = {
    id: subscription.id,
    rules,
    subscription,
    slots: new Map(),
    ready: { urgent: new Set(), rest: new Set() },
    waiting: waitQueue(),
    notices: new Map(),
    underWay: 0,
    lastIndex: Number(kept.get(indexKey) ?? 0),
    handledRequest: kept.get(requestKey) ?? '',
    begunRequest: kept.get(requestKey) ?? '',
    replays: [],
    closedUntilMs: 0,
    failuresInARow: 0,
    openings: 0,
    checkpoints: [],
    changed: new Set(),
  };
  // The ones that an earlier process had still to send.
  if (endpoint.lastIndex > 0) {
    endpoint.checkpoints = rules.checkpointsMs.map((afterMs) => nowMs + afterMs);
  }
  for (const [key, text] of kept) {
    if (key === indexKey || key === requestKey) continue;
    const slot = JSON.parse(text) as Slot;
    endpoint.slots.set(key, { slot, wanted: undefined, isUnderWay: false, again: false });
    // It may have arrived: the same again, with the same id, unless something newer comes first.
    if (slot.going !== null) routeSlot(endpoint, key);
  }
  return endpoint;
}

export function offerToEndpoint(endpoint: Endpoint, figure: Figure): void {
  const { channels, skus } = endpoint.subscription;
  if (channels.length > 0 && !channels.includes(figure.channel)) return;
  if (skus.length > 0 && !skus.includes(figure.sku)) return;
  const key = slotKey(figure);
  const place = endpoint.slots.get(key) ?? newPlace(endpoint, key);
  if (place.wanted !== undefined && figure.sequence <= place.wanted.sequence) return;
  place.wanted = figure;
  routeSlot(endpoint, key);
}

function newPlace(endpoint: Endpoint, key: string): SlotPlace {
  const place: SlotPlace = {
    slot: newSlot,
    wanted: undefined,
    isUnderWay: false,
    again: false,
  };
  endpoint.slots.set(key, place);
  return place;
}

/** What a figure is to a receiver that knows another one. */
export function eventOf(slot: Slot, figure: Figure): string {
  const isNew = slot.taken.sequence === 0;
  if (!isNew && slot.taken.status === figure.status) return 'stock.changed';
  switch (figure.status) {
    case 'out':
      return 'stock.out';
    case 'low':
      return 'stock.low';
    case 'inStock':
      return isNew ? 'stock.changed' : 'stock.in';
  }
}

/** All events of stock are changes: who wants changes gets each of them. */
export function isWanted(subscription: Pick<Subscription, 'events'>, event: string): boolean {
  const { events } = subscription;
  if (events.length === 0 || events.includes(event)) return true;
  return event.startsWith('stock.') && events.includes('stock.changed');
}

/** Puts a SKU among those that may be sent, or nowhere. One that waits for its next attempt goes on waiting. */
export function routeSlot(endpoint: Endpoint, key: string): void {
  const place = endpoint.slots.get(key) as SlotPlace;
  const figure = sendable(endpoint, key, place);
  endpoint.ready.urgent.delete(key);
  if (figure === undefined || endpoint.waiting.has(key)) {
    endpoint.ready.rest.delete(key);
    return;
  }
  if (figure.status === 'out') {
    endpoint.ready.rest.delete(key);
    endpoint.ready.urgent.add(key);
  } else endpoint.ready.rest.add(key);
}

/** The newest figure, where the receiver lacks it and wants to hear of it. */
function sendable(endpoint: Endpoint, key: string, place: SlotPlace): Figure | undefined {
  const { slot, wanted, isUnderWay } = place;
  if (isUnderWay) return undefined;
  const newest = wanted ?? slot.going?.figure;
  if (newest === undefined) return undefined;
  const isGoing = slot.going?.figure.sequence === newest.sequence;
  if (!isGoing && !place.again) {
    if (newest.sequence <= slot.taken.sequence) return undefined;
    if (newest.sequence === slot.givenUp) return undefined;
    if (!isWanted(endpoint.subscription, eventOf(slot, newest))) {
      const { sequence, status } = newest;
      setSlot(endpoint, key, {
        ...slot,
        going: null,
        taken: { ...slot.taken, sequence, status },
      });
      return undefined;
    }
  }
  return newest;
}

export function setSlot(endpoint: Endpoint, key: string, slot: Slot): void {
  (endpoint.slots.get(key) as SlotPlace).slot = slot;
  endpoint.changed.add(key);
}

export function nextIndex(endpoint: Endpoint): number {
  endpoint.lastIndex += 1;
  endpoint.changed.add(indexKey);
  return endpoint.lastIndex;
}

export function setHandled(endpoint: Endpoint, request: string): void {
  endpoint.handledRequest = request;
  endpoint.changed.add(requestKey);
}

/** The durable form of what has changed, to be written before the planned deliveries are made. */
export function takeSlotChanges(
  endpoint: Endpoint,
): readonly (readonly [key: string, value: string | undefined])[] {
  const changes = [...endpoint.changed].map((key): readonly [string, string] => {
    if (key === indexKey) return [key, String(endpoint.lastIndex)];
    if (key === requestKey) return [key, endpoint.handledRequest];
    return [key, JSON.stringify((endpoint.slots.get(key) as SlotPlace).slot)];
  });
  endpoint.changed.clear();
  return changes;
}

/** Figures that the receiver lacks and that are not given up. */
export function pendingSlots(endpoint: Endpoint): number {
  let pending = 0;
  for (const { slot, wanted } of endpoint.slots.values()) {
    const isGoing = slot.going !== null;
    const isNewer =
      wanted !== undefined &&
      wanted.sequence > slot.taken.sequence &&
      wanted.sequence !== slot.givenUp;
    if (isGoing || isNewer) pending += 1;
  }
  return pending;
}
