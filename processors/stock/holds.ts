/** Reservations of one SKU: what they hold, the orders they are for, and how that moves `reserved`. */
import { isBooked, type OrderFigures, ownReserved } from '../domain/order.ts';
import { type Agenda, addToAgenda } from '../topology/agenda.ts';
import type { OpenSku } from './open-sku.ts';
import {
  type Hold,
  type HoldState,
  holdKey,
  type Order,
  orderKey,
  type Part,
  undecidedKey,
} from './state.ts';

/** Fine enough for an expiry within a second, ticks included. */
export const expiries: Agenda = { name: 'x', slotMs: 250 };
/** Committed reservations that should have left by then. */
export const openReservations: Agenda = { name: 'a', slotMs: 600_000 };
/** Reservations that have ended, until nobody asks for them any more. */
export const endedReservations: Agenda = { name: 'f', slotMs: 3_600_000 };
export const endedKeptMs = 7 * 86_400_000;

export const holdEntry = (sku: string, reservation: string): string =>
  JSON.stringify([sku, reservation]);

const ends: ReadonlySet<HoldState> = new Set(['FULFILLED', 'RELEASED', 'EXPIRED', 'ECHOED']);

export function hasEnded(hold: Hold): boolean {
  return ends.has(hold.state);
}

function isUndecided(hold: Hold): boolean {
  return hold.parts.some((part) => part.target !== null);
}

/** What a part takes away from others: while its cart has not decided, the larger of both. */
export function claimOf(part: Part): number {
  return Math.max(part.quantity, part.target ?? 0);
}

export function heldQuantity(hold: Hold): number {
  return hold.parts.reduce((sum, part) => sum + claimOf(part), 0);
}

export function findHold(open: OpenSku, reservation: string): Hold | undefined {
  const known = open.state.get(holdKey(open.sku, reservation));
  return known?.kind === 'hold' ? known : undefined;
}

function orderOf(open: OpenSku, order: string): Order {
  const known = open.state.get(orderKey(open.sku, order));
  return known?.kind === 'order' ? known : { kind: 'order', lines: {}, reservations: [] };
}

function figuresOf(open: OpenSku, order: string): OrderFigures {
  const { lines, reservations } = orderOf(open, order);
  const holds = reservations.flatMap((one) => findHold(open, one) ?? []);
  return {
    held: holds.flatMap(partsHeld),
    fulfilled: holds.reduce((sum, hold) => sum + hold.fulfilled, 0),
    lines: Object.values(lines),
  };
}

const partsHeld = (hold: Hold) =>
  hold.parts.map((part) => ({ location: part.location, quantity: claimOf(part) }));

/** Does `change`, and moves `reserved` by what it makes of our share in these orders and of `loose`. */
export function changeReserved(
  open: OpenSku,
  orders: readonly string[],
  reason: string,
  change: () => void,
  loose: { readonly before?: Hold | undefined; readonly after?: Hold } = {},
): void {
  const moved = new Map<string, number>();
  const count = (by: 1 | -1, hold: Hold | undefined): void => {
    const add = (quantity: number, location: string): void => {
      moved.set(location, (moved.get(location) ?? 0) + by * quantity);
    };
    for (const order of orders) ownReserved(figuresOf(open, order)).forEach(add);
    if (hold?.reference === '') {
      for (const part of partsHeld(hold)) add(part.quantity, part.location);
    }
  };
  count(-1, loose.before);
  change();
  count(1, loose.after);
  for (const [location, quantity] of moved) {
    if (quantity === 0) continue;
    const cell = open.cell(location);
    cell.addToBucket('reserved', quantity);
    cell.note({
      bucket: 'reserved',
      kind: 'hold',
      quantity,
      applied: quantity,
      occurredAt: open.cause.committedAt,
      reason,
      reference: loose.after?.reservation ?? orders[0] ?? '',
      effectId: '',
      expectedAt: null,
    });
  }
  for (const order of orders) endBooked(open, order);
}

/** What the ERP has booked whole is its own to hold from now on. */
function endBooked(open: OpenSku, order: string): void {
  if (!isBooked(figuresOf(open, order))) return;
  for (const reservation of orderOf(open, order).reservations) {
    const hold = findHold(open, reservation);
    if (hold === undefined || hasEnded(hold) || isUndecided(hold)) continue;
    open.state.put(holdKey(open.sku, reservation), ended(open, { ...hold, state: 'ECHOED' }));
  }
}

/** Writes a hold in its new form. */
export function changeHold(
  open: OpenSku,
  before: Hold | undefined,
  after: Hold,
  reason: string,
): void {
  const orders = new Set([before?.reference ?? '', after.reference].filter((one) => one !== ''));
  const hold =
    hasEnded(after) && (before === undefined || !hasEnded(before)) ? ended(open, after) : after;
  const write = (): void => {
    open.state.put(holdKey(open.sku, hold.reservation), hold);
    if (before?.reference === hold.reference) return;
    if (before !== undefined && before.reference !== '') link(open, before, false);
    if (hold.reference !== '') link(open, hold, true);
  };
  changeReserved(open, [...orders], reason, write, { before, after: hold });
  if (reason !== 'fulfil') moveAllocations(open, before, hold, reason);
  noteUndecided(open, hold);
}

function link(open: OpenSku, hold: Hold, isLinked: boolean): void {
  const order = orderOf(open, hold.reference);
  const others = order.reservations.filter((one) => one !== hold.reservation);
  const reservations = isLinked ? [...others, hold.reservation] : others;
  open.state.put(orderKey(open.sku, hold.reference), { ...order, reservations });
}

/** What a hold takes out of its channel's own share, and gives back when it holds less; what has left is used up. */
function moveAllocations(
  open: OpenSku,
  before: Hold | undefined,
  after: Hold,
  reason: string,
): void {
  if (after.channel === null) return;
  const moved = new Map<string, number>();
  const add = (location: string, quantity: number): void => {
    moved.set(location, (moved.get(location) ?? 0) + quantity);
  };
  for (const part of before?.parts ?? []) add(part.location, part.allocated);
  for (const part of after.parts) add(part.location, -part.allocated);
  for (const [location, quantity] of moved) {
    open.cell(location).changeAllocation(after.channel, quantity, { reason, effectId: '' });
  }
}

function noteUndecided(open: OpenSku, hold: Hold): void {
  const key = undecidedKey(open.sku);
  const known = open.state.get(key);
  const reservations = known?.kind === 'undecided' ? known.reservations : [];
  const isListed = reservations.includes(hold.reservation);
  if (isUndecided(hold) === isListed) return;
  const next = isListed
    ? reservations.filter((one) => one !== hold.reservation)
    : [...reservations, hold.reservation];
  if (next.length === 0) open.state.delete(key);
  else open.state.put(key, { kind: 'undecided', reservations: next });
}

/** Reservations other than `reservation` that are not decided. */
export function undecidedHolds(open: OpenSku, reservation: string): readonly Hold[] {
  const known = open.state.get(undecidedKey(open.sku));
  if (known?.kind !== 'undecided') return [];
  return known.reservations
    .filter((one) => one !== reservation)
    .flatMap((one) => findHold(open, one) ?? []);
}

/** A hold that ends now: remembered for a while, so that whoever asks is told how it ended. */
function ended(open: OpenSku, hold: Hold): Hold {
  const forgetAt = open.cause.committedAt + endedKeptMs;
  addToAgenda(endedReservations, open.state, forgetAt, holdEntry(open.sku, hold.reservation));
  if (hold.overdue === undefined) return hold;
  const { overdue, ...rest } = hold;
  open.raise(openReservation(hold, overdue, false));
  return rest;
}

/** The alert for a committed reservation that nobody takes up. */
export function openReservation(
  hold: Hold,
  kind: 'reservationOpen' | 'reservationLeak',
  isOpen: boolean,
) {
  const why =
    kind === 'reservationLeak'
      ? 'the ERP has closed its order and booked less'
      : 'the ERP has not booked it and nobody has fulfilled it';
  return {
    id: `${kind}|${hold.sku}|${hold.reservation}`,
    kind,
    severity: 'warning',
    location: hold.parts[0]?.location ?? '',
    message: `reservation ${hold.reservation} still holds ${hold.sku}: ${isOpen ? why : 'no longer'}`,
    expected: 'taken up',
    seen: String(heldQuantity(hold) / 1000),
    open: isOpen,
  } as const;
}

/** Has the ERP closed every line of the order that it booked? */
export function isClosedOrder(open: OpenSku, reference: string): boolean {
  const lines = Object.values(orderOf(open, reference).lines);
  return lines.length > 0 && lines.every((line) => line.open === 0);
}
