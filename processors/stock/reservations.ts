/** What becomes of a reservation: paid, given up, handed out, moved, run out. */
import type { Command } from '../../schemas/types.ts';
import { addToAgenda } from '../topology/agenda.ts';
import { tillEffect } from './adjustments.ts';
import { applyEcho } from './echoes.ts';
import {
  changeHold,
  claimOf,
  findHold,
  hasEnded,
  heldQuantity,
  holdEntry,
  openReservations,
} from './holds.ts';
import type { OpenSku } from './open-sku.ts';
import { type Asked, endedRefusal, reservationOf, roomAt, unknownReservation } from './reserve.ts';
import type { Hold, Part } from './state.ts';
import { accepted, refused, type Verdict } from './verdict.ts';

/** Paid: it does not run out any more. The order that the ERP will book for it may be named now. */
export function commitReservation(open: OpenSku, { command, nowMs }: Asked): Verdict {
  const known = findHold(open, reservationOf(command));
  if (known === undefined) return unknownReservation(command);
  if (known.state === 'ECHOED' || known.state === 'FULFILLED')
    return accepted(held(known), known.state);
  if (hasEnded(known)) return endedRefusal(known);
  const reference = command.reference === '' ? known.reference : command.reference;
  changeHold(open, known, { ...known, state: 'COMMITTED', reference }, 'commit');
  const overdueAt = nowMs + open.rules.reservationOpenAfterMs;
  addToAgenda(openReservations, open.state, overdueAt, holdEntry(open.sku, known.reservation));
  const now = findHold(open, known.reservation) ?? known;
  return accepted(held(now), now.state);
}

/** Gives up all of it, or so many units at a location. */
export function releaseReservation(open: OpenSku, { command }: Asked): Verdict {
  const known = findHold(open, reservationOf(command));
  if (known === undefined) return unknownReservation(command);
  // What the ERP has booked is given up by cancelling its order.
  if (known.state === 'ECHOED') return accepted([], known.state);
  if (hasEnded(known)) return endedRefusal(known);
  const taken = takeFrom(known, command);
  if (taken === undefined) return tooMuch(known, command);
  const parts = taken.left.map((part) => ({
    ...part,
    allocated: Math.min(part.allocated, claimOf(part)),
  }));
  const state = parts.length > 0 ? known.state : known.fulfilled > 0 ? 'FULFILLED' : 'RELEASED';
  changeHold(open, known, { ...known, parts, state }, 'release');
  return accepted(taken.shares, state);
}

/** The goods leave: a sale by us. With an echo key the ERP's later posting of it is the same sale. */
export function fulfilReservation(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  const known = findHold(open, reservationOf(command));
  if (known === undefined) return unknownReservation(command);
  if (hasEnded(known) && known.state !== 'ECHOED') return endedRefusal(known);
  const taken = takeFrom(known, command);
  if (taken === undefined) return tooMuch(known, command);
  for (const share of taken.shares) sell(open, asked, share);
  const quantity = taken.shares.reduce((sum, share) => sum + share.quantity, 0);
  const state = taken.left.length === 0 ? 'FULFILLED' : known.state;
  const fulfilled = known.fulfilled + quantity;
  changeHold(open, known, { ...known, parts: taken.left, state, fulfilled }, 'fulfil');
  return accepted(taken.shares, state);
}

function sell(
  open: OpenSku,
  asked: Asked,
  share: { readonly location: string; readonly quantity: number },
): void {
  const effect = tillEffect(asked, share.location, -share.quantity);
  const cell = open.cell(share.location);
  const place = { at: effect.occurredAt, system: open.cause.system, order: effect.order };
  const applied =
    effect.echo === null ? cell.addHistory(place, effect.quantity) : applyEcho(effect, place, open);
  const { bucket, quantity, occurredAt, reason, reference, id } = effect;
  const kind = effect.echo === null ? 'event' : 'echo';
  cell.note({
    ...{ bucket, kind, quantity, applied, occurredAt, reason, reference },
    effectId: id,
    expectedAt: null,
  });
}

/** Moves what a reservation holds to another location, if there is as much. */
export function moveReservation(open: OpenSku, command: Command): Verdict {
  const to = command.toLocation;
  if (to === null || to === command.location) {
    return refused('LOCATION_MISSING', 'a transfer needs another location to go to');
  }
  const known = findHold(open, reservationOf(command));
  if (known === undefined) return unknownReservation(command);
  if (hasEnded(known)) return endedRefusal(known);
  const taken = takeFrom(known, command);
  if (taken === undefined) return tooMuch(known, command);
  const quantity = taken.shares.reduce((sum, share) => sum + share.quantity, 0);
  const room = roomAt(open, to, known.channel);
  if (quantity > room) {
    const reason = `${quantity / 1000} of ${open.sku} wanted at ${to}, ${(quantity - room) / 1000} short`;
    return refused('INSUFFICIENT_STOCK', reason, quantity - room);
  }
  const there = taken.left.find((part) => part.location === to);
  const others = taken.left.filter((part) => part.location !== to);
  const own = open.cell(to).cell.allocations?.[known.channel ?? ''] ?? 0;
  const moved: Part = {
    location: to,
    quantity: (there?.quantity ?? 0) + quantity,
    target: null,
    allocated: (there?.allocated ?? 0) + Math.min(quantity, Math.max(0, own)),
  };
  changeHold(open, known, { ...known, parts: [...others, moved] }, 'transfer');
  return accepted([{ location: to, quantity }], known.state);
}

/** Takes a quantity (0: all) out of a reservation's parts at a location (empty: any). */
function takeFrom(
  hold: Hold,
  command: Command,
):
  | {
      readonly shares: readonly { location: string; quantity: number }[];
      readonly left: readonly Part[];
    }
  | undefined {
  const here = (part: Part): boolean =>
    command.location === '' || part.location === command.location;
  const all = hold.parts.filter(here).reduce((sum, part) => sum + claimOf(part), 0);
  const wanted = command.quantity === 0 ? all : command.quantity;
  if (wanted > all || wanted <= 0) return undefined;
  const shares: { location: string; quantity: number }[] = [];
  let rest = wanted;
  const left = hold.parts.flatMap((part): readonly Part[] => {
    const quantity = here(part) ? Math.min(rest, claimOf(part)) : 0;
    rest -= quantity;
    if (quantity > 0) shares.push({ location: part.location, quantity });
    if (quantity === claimOf(part)) return [];
    return [{ ...part, quantity: claimOf(part) - quantity, target: null }];
  });
  return { shares, left };
}

function tooMuch(hold: Hold, command: Command): Verdict {
  return refused(
    'QUANTITY_INVALID',
    `reservation ${hold.reservation} holds ${heldQuantity(hold) / 1000} of ${hold.sku}, ` +
      `${command.quantity / 1000} were named`,
  );
}

const held = (hold: Hold) =>
  hold.parts.map((part) => ({ location: part.location, quantity: claimOf(part) }));
