/** Reserving, and changing what is reserved: from where, how much there is, and who has to wait for whom. */
import type { Command } from '../../schemas/types.ts';
import { addToAgenda } from '../topology/agenda.ts';
import {
  changeHold,
  claimOf,
  expiries,
  findHold,
  hasEnded,
  holdEntry,
  undecidedHolds,
} from './holds.ts';
import type { OpenSku } from './open-sku.ts';
import { backOrderOf } from './rules.ts';
import type { Hold, Part } from './state.ts';
import { accepted, refused, type Verdict } from './verdict.ts';

/** A command with the time and the place of its record. */
export type Asked = {
  readonly command: Command;
  readonly askedAt: number;
  readonly nowMs: number;
  /** Orders commands of one time, as the place of its record does. */
  readonly order: string;
};

/** A line that is blocked only by a cart that has not decided waits so long. */
export const waitMaxMs = 200;
/** Behind an older cart a younger one gives up first, so that of two that wait for each other one goes on. */
const youngerWaitMs = 100;

/** What a channel may still reserve at a location: shares of other channels are not for it. */
export function roomAt(
  open: OpenSku,
  location: string,
  channel: string | null,
  backOrder = backOrderOf(open.rules, open.sku),
): number {
  const { quantities, allocations } = open.cell(location).cell;
  let room = quantities.available + backOrder;
  for (const [owner, share] of Object.entries(allocations ?? {})) {
    if (owner !== channel) room -= share;
  }
  return Math.max(0, room);
}

/** Where a command may take goods from, best first. */
function sourcesOf(open: OpenSku, command: Command): readonly string[] {
  if (command.location !== '') return [command.location];
  return command.locations.length > 0 ? command.locations : open.locations();
}

export function reserve(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  const known = findHold(open, reservationOf(command));
  if (command.quantity <= 0)
    return refused('QUANTITY_INVALID', 'a reservation needs more than 0 units');
  if (known !== undefined && hasEnded(known)) return endedRefusal(known);
  if (command.expiresAt !== null && command.expiresAt <= asked.nowMs) {
    return refused(
      'RESERVATION_EXPIRED',
      'its time had run out before it was decided',
      command.quantity,
    );
  }
  const wanted = command.quantity;
  const shares = splitOver(open, command, sourcesOf(open, command), wanted);
  const short = wanted - shares.reduce((sum, share) => sum + share.quantity, 0);
  if (short > 0 && !(command.policy === 'FillAllAvailable' && shares.length > 0)) {
    return blocked(open, asked, sourcesOf(open, command), short);
  }
  const hold = known ?? newHold(asked);
  const parts = shares.reduce(
    (list: readonly Part[], share) => withPart(open, list, share, command),
    hold.parts,
  );
  changeHold(open, known, { ...hold, parts }, 'reserve');
  if (known === undefined) {
    addToAgenda(expiries, open.state, hold.expiresAt, holdEntry(open.sku, hold.reservation));
  }
  return accepted(shares, hold.state, short);
}

/** Sets what a reservation holds at a location to another quantity. */
export function update(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  const known = findHold(open, reservationOf(command));
  if (known === undefined) return unknownReservation(command);
  if (hasEnded(known)) return endedRefusal(known);
  if (command.quantity < 0) return refused('QUANTITY_INVALID', 'less than 0 units cannot be held');
  const location = command.location !== '' ? command.location : known.parts[0]?.location;
  if (location === undefined)
    return refused('LOCATION_MISSING', 'the reservation holds nothing: say where');
  const part = known.parts.find((one) => one.location === location) ?? emptyPart(location);
  const more = command.quantity - claimOf(part);
  const room = roomAt(open, location, known.channel);
  if (more > room) return blocked(open, asked, [location], more - room);
  const others = known.parts.filter((one) => one.location !== location);
  const share = Math.max(0, open.cell(location).cell.allocations?.[known.channel ?? ''] ?? 0);
  const allocated =
    more > 0 ? part.allocated + Math.min(more, share) : Math.min(part.allocated, command.quantity);
  const changed: Part = command.undecided
    ? { ...part, target: command.quantity, allocated: Math.max(part.allocated, allocated) }
    : { ...part, quantity: command.quantity, allocated };
  const parts = claimOf(changed) === 0 && changed.target === null ? others : [...others, changed];
  const expiresAt = command.expiresAt ?? known.expiresAt;
  changeHold(open, known, { ...known, parts, expiresAt }, 'update');
  if (expiresAt !== known.expiresAt) {
    addToAgenda(expiries, open.state, expiresAt, holdEntry(open.sku, known.reservation));
  }
  return accepted([{ location, quantity: command.quantity }], known.state);
}

/** The cart has decided for it: what it asked for is what it holds. */
export function confirm(open: OpenSku, command: Command): void {
  const known = findHold(open, reservationOf(command));
  if (known === undefined || hasEnded(known)) return;
  settle(open, known, (part) => part.target ?? part.quantity, 'confirm');
}

/** The cart has decided against it: all is as before. */
export function abort(open: OpenSku, command: Command): void {
  const known = findHold(open, reservationOf(command));
  if (known === undefined || hasEnded(known)) return;
  settle(open, known, (part) => part.quantity, 'abort');
}

function settle(
  open: OpenSku,
  known: Hold,
  quantityOf: (part: Part) => number,
  reason: string,
): void {
  const parts = known.parts
    .map((part) => {
      const quantity = quantityOf(part);
      return { ...part, quantity, target: null, allocated: Math.min(part.allocated, quantity) };
    })
    .filter((part) => part.quantity > 0);
  const isEmpty = parts.length === 0 && known.fulfilled === 0;
  changeHold(open, known, { ...known, parts, state: isEmpty ? 'RELEASED' : known.state }, reason);
}

export const reservationOf = (command: Command): string => command.reservation ?? command.id;

function newHold({ command, askedAt }: Asked): Hold {
  return {
    kind: 'hold',
    sku: command.sku,
    reservation: reservationOf(command),
    state: 'CREATED',
    channel: command.channel,
    reference: command.reference,
    askedAt,
    expiresAt: command.expiresAt ?? askedAt,
    parts: [],
    fulfilled: 0,
  };
}

const emptyPart = (location: string): Part => ({
  location,
  quantity: 0,
  target: null,
  allocated: 0,
});

/** Takes what is wanted from the locations in their order. */
function splitOver(
  open: OpenSku,
  { channel }: Command,
  locations: readonly string[],
  wanted: number,
): readonly { readonly location: string; readonly quantity: number }[] {
  const shares: { location: string; quantity: number }[] = [];
  let left = wanted;
  for (const location of locations) {
    const quantity = Math.min(left, roomAt(open, location, channel));
    if (quantity > 0) shares.push({ location, quantity });
    left -= Math.max(0, quantity);
  }
  return shares;
}

function withPart(
  open: OpenSku,
  parts: readonly Part[],
  share: { readonly location: string; readonly quantity: number },
  command: Command,
): readonly Part[] {
  const known = parts.find((part) => part.location === share.location) ?? emptyPart(share.location);
  const others = parts.filter((part) => part.location !== share.location);
  const own = open.cell(share.location).cell.allocations?.[command.channel ?? ''] ?? 0;
  const allocated = known.allocated + Math.min(share.quantity, Math.max(0, own));
  const held = claimOf(known) + share.quantity;
  return [
    ...others,
    command.undecided
      ? { ...known, target: held, allocated }
      : { ...known, quantity: held, allocated },
  ];
}

/** Not enough: waits where goods may come free, else is refused with what is short and where. */
function blocked(
  open: OpenSku,
  { command, askedAt, nowMs }: Asked,
  locations: readonly string[],
  short: number,
): Verdict {
  const reason = shortage(open, command, locations, short);
  const holders = undecidedHolds(open, reservationOf(command)).filter((hold) =>
    hold.parts.some((part) => locations.includes(part.location)),
  );
  const tentative = holders
    .flatMap((hold) => hold.parts)
    .filter((part) => locations.includes(part.location))
    .reduce((sum, part) => sum + claimOf(part) - part.quantity, 0);
  const reservation = reservationOf(command);
  const isYounger = holders.some(
    (hold) =>
      hold.askedAt < askedAt || (hold.askedAt === askedAt && hold.reservation < reservation),
  );
  if (short <= tentative && (isYounger || command.policy !== 'FillAll')) {
    return {
      kind: 'waits',
      untilMs: nowMs + (isYounger ? youngerWaitMs : waitMaxMs),
      reason,
      short,
    };
  }
  if (command.policy === 'FillAll' && command.expiresAt !== null) {
    // Before its other lines run out, so that it is decided while they still hold.
    return { kind: 'waits', untilMs: command.expiresAt - waitMaxMs, reason, short };
  }
  return refused('INSUFFICIENT_STOCK', reason, short);
}

function shortage(
  open: OpenSku,
  command: Command,
  locations: readonly string[],
  short: number,
): string {
  const places = locations.map((location) => {
    const { quantities } = open.cell(location).cell;
    return `${location} (${roomAt(open, location, command.channel) / 1000} of ${quantities.available / 1000} available for it)`;
  });
  const where = places.length === 0 ? 'any location' : places.join(', ');
  return `${command.quantity / 1000} of ${command.sku} wanted, ${short / 1000} short at ${where}`;
}

export function unknownReservation(command: Command): Verdict {
  return refused(
    'RESERVATION_UNKNOWN',
    `reservation ${reservationOf(command)} holds nothing of ${command.sku}`,
  );
}

export function endedRefusal(hold: Hold): Verdict {
  const code = {
    FULFILLED: 'RESERVATION_FULFILLED',
    RELEASED: 'RESERVATION_RELEASED',
    EXPIRED: 'RESERVATION_EXPIRED',
    ECHOED: 'RESERVATION_ECHOED',
    CREATED: 'RESERVATION_UNKNOWN',
    COMMITTED: 'RESERVATION_UNKNOWN',
  } as const;
  return refused(
    code[hold.state],
    `reservation ${hold.reservation} of ${hold.sku} is ${hold.state} already`,
  );
}
