/**
 * Commands on the stock itself: adjust, set, count, transfer, dispatch, receive, return, allocate. Each is checked first
 * and then done, so that a line of a request over several lines can be checked now and done when all have been.
 */
import type { Command, Effect } from '../../schemas/types.ts';
import type { BucketName } from '../domain/quantities.ts';
import { applyEcho } from './echoes.ts';
import type { OpenSku } from './open-sku.ts';
import { pendingAt } from './pending-lines.ts';
import { type Asked, roomAt } from './reserve.ts';
import { authorityAt } from './rules.ts';
import { type Refused, refused } from './verdict.ts';

/** A time this much after now is wrong. */
const clockSkewMs = 300_000;
const adjustable: readonly string[] = ['onHand', 'damaged', 'qualityControl', 'safetyStock'];
/** What may become of goods that come in: sold again, thrown away, looked at. */
const dispositions: readonly string[] = ['onHand', 'damaged', 'qualityControl'];

type Granted = { readonly location: string; readonly quantity: number };

/** Undefined where nothing speaks against it. */
export function objection(open: OpenSku, asked: Asked): Refused | undefined {
  const { command } = asked;
  if (command.location === '') {
    return refused('LOCATION_MISSING', `${command.kind} needs a location`);
  }
  return elsewhere(open, command) ?? staleness(open, command) ?? fault(open, asked);
}

/** Where the ERP's balance is the figure, onHand is changed there and not here. */
function elsewhere(open: OpenSku, command: Command): Refused | undefined {
  const { kind, location, toLocation, bucket } = command;
  const isOnHand = kind === 'adjust' ? bucket === 'onHand' : kind !== 'allocate';
  const changed = [
    ...(isOnHand ? [location] : []),
    ...(kind === 'transfer' && toLocation !== null ? [toLocation] : []),
  ];
  const other = changed.find((one) => authorityAt(open.rules, one) === 'balance');
  if (other === undefined) return undefined;
  const reason = `at ${other} the ERP's balance is the figure: change it there`;
  return refused('AUTHORITY_ELSEWHERE', reason);
}

/** The caller's picture of the cell is an old one: undefined when it is not, or when he has not said. */
function staleness(open: OpenSku, command: Command): Refused | undefined {
  const { cell } = open.cell(command.location);
  const { expectedSequence, changeFromQuantity } = command;
  const where = `${command.sku} at ${command.location}`;
  if (expectedSequence === null && changeFromQuantity === null) return undefined;
  if (pendingAt(open, command).some((one) => one.kind !== 'allocate')) {
    return refused('SEQUENCE_STALE', `${where} is about to be changed by another request`);
  }
  if (expectedSequence !== null && expectedSequence !== cell.sequence) {
    const reason = `${where} is at sequence ${cell.sequence}, not ${expectedSequence}`;
    return refused('SEQUENCE_STALE', reason);
  }
  if (changeFromQuantity !== null && changeFromQuantity !== cell.quantities.onHand) {
    const reason = `${where} has ${cell.quantities.onHand / 1000} on hand, not ${changeFromQuantity / 1000}`;
    return refused('CHANGE_FROM_QUANTITY_STALE', reason);
  }
  return undefined;
}

function fault(open: OpenSku, asked: Asked): Refused | undefined {
  const { command } = asked;
  switch (command.kind) {
    case 'adjust':
      return adjustFault(command);
    case 'set':
      return command.expectedSequence === null && command.changeFromQuantity === null
        ? refused(
            'EXPECTATION_MISSING',
            'set needs expectedSequence or changeFromQuantity; adjust does without',
          )
        : undefined;
    case 'count':
      return countFault(asked);
    case 'transfer':
    case 'dispatch':
      return transferFault(open, command);
    case 'receive':
      return bucketFault(command, dispositions) ?? receiveFault(open, command);
    case 'return':
      return bucketFault(command, dispositions) ?? positiveFault(command);
    case 'allocate':
      return allocateFault(open, command);
    default:
      return refused('KIND_UNKNOWN', `${command.kind} is not a command`);
  }
}

function adjustFault(command: Command): Refused | undefined {
  if (command.quantity === 0) {
    return refused('QUANTITY_INVALID', 'an adjustment by 0 changes nothing');
  }
  return bucketFault(command, adjustable);
}

function bucketFault({ bucket, kind }: Command, known: readonly string[]): Refused | undefined {
  return known.includes(bucket)
    ? undefined
    : refused('BUCKET_UNKNOWN', `${kind} of ${bucket} is not known: ${known.join(', ')}`);
}

function positiveFault({ kind, quantity }: Command): Refused | undefined {
  return quantity > 0
    ? undefined
    : refused('QUANTITY_INVALID', `a ${kind} needs more than 0 units`);
}

function countFault({ command, nowMs }: Asked): Refused | undefined {
  if (command.quantity < 0) return refused('QUANTITY_INVALID', 'less than 0 cannot be counted');
  if (command.occurredAt <= nowMs + clockSkewMs) return undefined;
  return refused('TIME_IN_FUTURE', `counted at ${new Date(command.occurredAt).toISOString()}`);
}

function transferFault(open: OpenSku, command: Command): Refused | undefined {
  const { kind, quantity, location, toLocation } = command;
  if (toLocation === null || toLocation === location) {
    return refused('LOCATION_MISSING', `a ${kind} needs another location to go to`);
  }
  const invalid = positiveFault(command);
  if (invalid !== undefined) return invalid;
  const room = roomAt(open, location, command.channel, 0);
  if (quantity <= room) return undefined;
  const reason = `${quantity / 1000} of ${command.sku} wanted from ${location}, ${(quantity - room) / 1000} short`;
  return refused('INSUFFICIENT_STOCK', reason, quantity - room);
}

function receiveFault(open: OpenSku, command: Command): Refused | undefined {
  const { quantity, location, sku } = command;
  const promised = pendingAt(open, command)
    .filter((one) => one.kind === 'receive')
    .reduce((sum, one) => sum + one.quantity, 0);
  const coming = open.cell(location).cell.quantities.inTransit - promised;
  if (quantity <= coming) return positiveFault(command);
  const reason = `${quantity / 1000} of ${sku} received at ${location}, ${coming / 1000} are on their way`;
  return refused('INSUFFICIENT_STOCK', reason, quantity - Math.max(0, coming));
}

function allocateFault(open: OpenSku, command: Command): Refused | undefined {
  const { channel, location, quantity } = command;
  if (channel === null) return refused('ALLOCATION_TOO_LARGE', 'an allocation needs a channel');
  const share = open.cell(location).cell.allocations?.[channel] ?? 0;
  const free = roomAt(open, location, null, 0);
  if (quantity <= free && share + quantity >= 0) return undefined;
  const reason =
    quantity > free
      ? `${quantity / 1000} wanted for ${channel} at ${location}, ${free / 1000} are free`
      : `${channel} has ${share / 1000} of its own at ${location}`;
  return refused('ALLOCATION_TOO_LARGE', reason, Math.max(0, quantity - free));
}

/** Does what has no objection; tells what moved where. */
export function carryOut(open: OpenSku, asked: Asked): readonly Granted[] {
  const { command } = asked;
  const { location, quantity } = command;
  switch (command.kind) {
    case 'adjust':
      change(open, asked, location, quantity, command.bucket as BucketName);
      return [{ location, quantity }];
    case 'set': {
      // An adjustment by the new figure less the expected one; never an anchor.
      const by = quantity - open.cell(location).onHand;
      change(open, asked, location, by, 'onHand');
      return [{ location, quantity: by }];
    }
    case 'count':
      return [{ location, quantity: count(open, asked) }];
    case 'transfer':
    case 'dispatch': {
      const to = command.toLocation ?? location;
      change(open, asked, location, -quantity, 'onHand');
      change(open, asked, to, quantity, command.kind === 'transfer' ? 'onHand' : 'inTransit');
      return [{ location: to, quantity }];
    }
    case 'receive':
      change(open, asked, location, -quantity, 'inTransit');
      takeIn(open, asked);
      return [{ location, quantity }];
    case 'return':
      takeIn(open, asked);
      return [{ location, quantity }];
    case 'allocate': {
      const { reason, id } = command;
      const channel = command.channel ?? '';
      open.cell(location).changeAllocation(channel, quantity, { reason, effectId: id });
      return [{ location, quantity }];
    }
    default:
      return [];
  }
}

/** What was counted at a time; later movements add to it. */
function count(open: OpenSku, asked: Asked): number {
  const { command, nowMs, order } = asked;
  const { location, quantity } = command;
  const at = Math.min(command.occurredAt, nowMs);
  const place = { at, system: open.cause.system, order };
  const applied = open.cell(location).changeCounts({ ...place, quantity }, 1);
  note(open, asked, location, { kind: 'count', quantity, applied, at });
  return applied;
}

/** Goods that come in are on hand; damaged ones, and those to be looked at, cannot be sold. */
function takeIn(open: OpenSku, asked: Asked): void {
  const { command } = asked;
  const { location, quantity, bucket } = command;
  change(open, asked, location, quantity, 'onHand', command.kind === 'return');
  if (bucket !== 'onHand') change(open, asked, location, quantity, bucket as BucketName);
}

function change(
  open: OpenSku,
  asked: Asked,
  location: string,
  quantity: number,
  bucket: BucketName,
  mayEcho = false,
): void {
  const { command, nowMs, order } = asked;
  const cell = open.cell(location);
  const at = Math.min(command.occurredAt, nowMs);
  const place = { at, system: open.cause.system, order };
  if (mayEcho && command.echoKey !== null) {
    const applied = applyEcho(tillEffect(asked, location, quantity), place, open);
    note(open, asked, location, { kind: 'echo', quantity, applied, at });
    return;
  }
  const applied =
    bucket === 'onHand' ? cell.addHistory(place, quantity) : cell.addToBucket(bucket, quantity);
  note(open, asked, location, { kind: 'event', quantity, applied, at, bucket });
}

/** What we did and the ERP will post as well, under the command's echo key: the same goods move once. */
export function tillEffect(asked: Asked, location: string, quantity: number): Effect {
  const { command, nowMs, order } = asked;
  const { id, reason, reference, echoKey } = command;
  return {
    ...{ id, kind: 'event', asserted: true, bucket: 'onHand', location, quantity },
    occurredAt: Math.min(command.occurredAt, nowMs),
    ...{ order, reason, reference },
    echo:
      echoKey === null
        ? null
        : {
            ...{ key: echoKey, role: 'till', rule: 'supersede' },
            ...{ complete: true, contained: false, netted: false },
          },
    expectedAt: null,
    booking: null,
  };
}

function note(
  open: OpenSku,
  { command }: Asked,
  location: string,
  what: {
    readonly kind: string;
    readonly quantity: number;
    readonly applied: number;
    readonly at: number;
    readonly bucket?: BucketName;
  },
): void {
  open.cell(location).note({
    bucket: what.bucket ?? 'onHand',
    kind: what.kind,
    quantity: what.quantity,
    applied: what.applied,
    occurredAt: what.at,
    reason: command.reason,
    reference: command.reference,
    effectId: command.id,
    expectedAt: null,
  });
}
