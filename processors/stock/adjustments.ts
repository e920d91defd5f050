/** Commands on the stock itself: adjust, set, count, transfer, allocate. */
import type { Command } from '../../schemas/types.ts';
import type { BucketName } from '../domain/quantities.ts';
import type { OpenSku } from './open-sku.ts';
import { moveReservation } from './reservations.ts';
import { type Asked, roomAt } from './reserve.ts';
import { accepted, refused, type Verdict } from './verdict.ts';

/** A time this much after now is wrong. */
const clockSkewMs = 300_000;
const adjustable: readonly string[] = ['onHand', 'damaged', 'qualityControl', 'safetyStock'];

/** The caller's picture of the cell is an old one: undefined when it is not, or when he has not said. */
export function staleness(open: OpenSku, command: Command): Verdict | undefined {
  const { cell } = open.cell(command.location);
  const { expectedSequence, changeFromQuantity } = command;
  const where = `${command.sku} at ${command.location}`;
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

export function adjust(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  if (!adjustable.includes(command.bucket)) {
    return refused(
      'BUCKET_UNKNOWN',
      `${command.bucket} cannot be adjusted: ${adjustable.join(', ')}`,
    );
  }
  if (command.quantity === 0)
    return refused('QUANTITY_INVALID', 'an adjustment by 0 changes nothing');
  change(open, asked, command.location, command.quantity, command.bucket as BucketName);
  return accepted([{ location: command.location, quantity: command.quantity }]);
}

/** An adjustment by the new figure less the expected one; never an anchor. */
export function setQuantity(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  if (command.expectedSequence === null && command.changeFromQuantity === null) {
    const reason = 'set needs expectedSequence or changeFromQuantity; adjust does without';
    return refused('EXPECTATION_MISSING', reason);
  }
  const by = command.quantity - open.cell(command.location).onHand;
  change(open, asked, command.location, by, 'onHand');
  return accepted([{ location: command.location, quantity: by }]);
}

/** What was counted at a time; later movements add to it. */
export function count(open: OpenSku, asked: Asked): Verdict {
  const { command, nowMs, order } = asked;
  if (command.quantity < 0) return refused('QUANTITY_INVALID', 'less than 0 cannot be counted');
  if (command.occurredAt > nowMs + clockSkewMs) {
    return refused('TIME_IN_FUTURE', `counted at ${new Date(command.occurredAt).toISOString()}`);
  }
  const cell = open.cell(command.location);
  const at = Math.min(command.occurredAt, nowMs);
  const place = { at, system: open.cause.system, order };
  const applied = cell.changeCounts({ ...place, quantity: command.quantity }, 1);
  note(open, asked, command.location, { kind: 'count', quantity: command.quantity, applied, at });
  return accepted([{ location: command.location, quantity: applied }]);
}

/** Goods, or what a reservation holds, move to another location of the same SKU in one step. */
export function transfer(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  const to = command.toLocation;
  if (to === null || to === command.location) {
    return refused('LOCATION_MISSING', 'a transfer needs another location to go to');
  }
  if (command.reservation !== null) return moveReservation(open, command, to);
  const { quantity, location } = command;
  if (quantity <= 0) return refused('QUANTITY_INVALID', 'a transfer needs more than 0 units');
  const room = roomAt(open, location, command.channel, 0);
  if (quantity > room) {
    const reason = `${quantity / 1000} of ${command.sku} wanted from ${location}, ${(quantity - room) / 1000} short`;
    return refused('INSUFFICIENT_STOCK', reason, quantity - room);
  }
  change(open, asked, location, -quantity, 'onHand');
  change(open, asked, to, quantity, 'onHand');
  return accepted([{ location: to, quantity }]);
}

/** Moves units between the free pool and a channel's own share; negative gives back. */
export function allocate(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  const { channel, location, quantity } = command;
  if (channel === null) return refused('ALLOCATION_TOO_LARGE', 'an allocation needs a channel');
  const cell = open.cell(location);
  const share = cell.cell.allocations?.[channel] ?? 0;
  const free = roomAt(open, location, null, 0);
  if (quantity > free || share + quantity < 0) {
    const reason =
      quantity > free
        ? `${quantity / 1000} wanted for ${channel} at ${location}, ${free / 1000} are free`
        : `${channel} has ${share / 1000} of its own at ${location}`;
    return refused('ALLOCATION_TOO_LARGE', reason, Math.max(0, quantity - free));
  }
  cell.changeAllocation(channel, quantity, { reason: command.reason, effectId: command.id });
  return accepted([{ location, quantity }]);
}

function change(
  open: OpenSku,
  asked: Asked,
  location: string,
  quantity: number,
  bucket: BucketName,
): void {
  const { command, nowMs, order } = asked;
  const cell = open.cell(location);
  const at = Math.min(command.occurredAt, nowMs);
  const applied =
    bucket === 'onHand'
      ? cell.addHistory({ at, system: open.cause.system, order }, quantity)
      : cell.addToBucket(bucket, quantity);
  note(open, asked, location, { kind: 'event', quantity, applied, at, bucket });
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
