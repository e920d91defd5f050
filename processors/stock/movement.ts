/** A movement: all effects of one source transaction on one SKU, applied as one step. */
import type { Change, Effect, Movement } from '../../schemas/types.ts';
import type { BookedLine } from '../domain/order.ts';
import type { Emit, StateView } from '../topology/topology.ts';
import { applyEcho } from './echoes.ts';
import { changeReserved } from './holds.ts';
import { OpenSku } from './open-sku.ts';
import { authorityAt, type StockRules } from './rules.ts';
import { type Order, orderKey, type StockState } from './state.ts';

export function applyMovement(
  movement: Movement,
  state: StateView<StockState>,
  rules: StockRules,
): readonly Emit[] {
  const cause = {
    kind: 'movement',
    id: movement.id,
    system: movement.system,
    transaction: movement.transaction,
    position: movement.position,
    committedAt: movement.committedAt,
  } as const;
  const open = new OpenSku(state, movement.sku, cause, rules);
  for (const effect of movement.effects) applyEffect(effect, open);
  for (const effect of movement.contained) applyContained(effect, open);
  if (!open.isExact()) {
    const reason = `movement ${movement.id} would take ${movement.sku} beyond what a quantity can hold`;
    return [{ kind: 'deadLetter', code: 'QUANTITY_OVERFLOW', reason }];
  }
  checkBalance(movement, open);
  return open.finish();
}

function applyEffect(effect: Effect, open: OpenSku): void {
  const cell = open.cell(effect.location);
  const place = { at: effect.occurredAt, system: open.cause.system, order: effect.order };
  const isBalance =
    effect.bucket === 'onHand' && authorityAt(open.rules, effect.location) === 'balance';
  switch (effect.kind) {
    case 'opening':
      cell.note(changeOf(effect, 'opening', isBalance ? 0 : cell.addOpening(effect.quantity)));
      return;
    case 'count': {
      // Where the ERP's balance is the figure, counts and moves are in it already.
      const count = { ...place, quantity: effect.quantity };
      const applied = isBalance ? 0 : cell.changeCounts(count, effect.asserted ? 1 : -1);
      cell.note(changeOf(effect, 'count', applied));
      return;
    }
    case 'level':
      if (effect.booking !== null) book(effect, open);
      else cell.note(changeOf(effect, 'level', applyLevel(effect, open, isBalance)));
      return;
    case 'event':
      if (effect.echo !== null) cell.note(changeOf(effect, 'echo', applyEcho(effect, place, open)));
      else if (effect.bucket === 'onHand') {
        const applied = isBalance ? 0 : cell.addHistory(place, effect.quantity);
        cell.note(changeOf(effect, 'event', applied));
      } else {
        cell.note(changeOf(effect, 'event', cell.addToBucket(effect.bucket, effect.quantity)));
      }
      return;
  }
}

/**
 * What the opening balance contains. Only its figures are in the balance, not their times, so it is kept: a count that is
 * told later for the time before is followed by it, and one that is contained bounds what else is told for the time before.
 */
function applyContained(effect: Effect, open: OpenSku): void {
  if (authorityAt(open.rules, effect.location) === 'balance') return;
  const cell = open.cell(effect.location);
  const { quantity, occurredAt: at, order } = effect;
  const place = { at, system: open.cause.system, order };
  const applied =
    effect.kind === 'count'
      ? cell.changeCounts({ ...place, quantity }, effect.asserted ? 1 : -1, 'contained')
      : cell.addHistory(place, 0, quantity);
  if (applied !== 0) cell.note(changeOf(effect, 'contained', applied));
}

/** A level of onHand is the ERP's balance: the figure itself, or only something to compare with. */
function applyLevel(effect: Effect, open: OpenSku, isBalance: boolean): number {
  const cell = open.cell(effect.location);
  const { bucket, quantity } = effect;
  if (bucket === 'onHand') return isBalance ? cell.addOpening(quantity) : 0;
  if (effect.expectedAt !== null && (bucket === 'incoming' || bucket === 'reserved')) {
    cell.addToSchedule(bucket, effect.expectedAt, quantity);
  }
  return cell.addToBucket(bucket, quantity);
}

function changeOf(effect: Effect, kind: string, applied: number): Change {
  return {
    bucket: effect.bucket,
    kind,
    quantity: effect.quantity,
    applied,
    occurredAt: effect.occurredAt,
    reason: effect.reason,
    reference: effect.reference,
    effectId: effect.id,
    expectedAt: effect.kind === 'level' ? effect.expectedAt : null,
  };
}

/** The ERP books a line of an order: our own holds for that order shrink. */
function book(effect: Effect, open: OpenSku): void {
  const { booking } = effect;
  if (booking === null) return;
  const key = orderKey(open.sku, booking.order);
  const known = open.state.get(key);
  const order: Order =
    known?.kind === 'order' ? known : { kind: 'order', lines: {}, reservations: [] };
  const before = order.lines[booking.line]?.booked ?? 0;
  const line: BookedLine = {
    location: effect.location,
    booked: Math.max(before, effect.asserted ? booking.quantity : 0),
    open: effect.asserted ? booking.open : 0,
  };
  const next: Order = { ...order, lines: { ...order.lines, [booking.line]: line } };
  changeReserved(open, [booking.order], 'echo', () => open.state.put(key, next));
}

/** Within one source transaction the ERP's balance must change by what its moves say. */
function checkBalance(movement: Movement, open: OpenSku): void {
  const balances = movement.effects.filter(
    ({ kind, bucket, booking }) => kind === 'level' && bucket === 'onHand' && booking === null,
  );
  for (const { location, quantity } of balances) {
    const moves = movement.effects.filter(
      (effect) =>
        effect.location === location && effect.bucket === 'onHand' && effect.kind !== 'level',
    );
    const moved = moves.reduce((sum, effect) => sum + effect.quantity, 0);
    const isComparable = moves.length > 0 && moves.every(({ kind }) => kind === 'event');
    if (!isComparable || moved === quantity) continue;
    open.raise({
      id: `balanceMismatch|${movement.id}|${location}`,
      kind: 'balanceMismatch',
      severity: 'warning',
      location,
      message: `${movement.system} changed its balance of ${movement.sku} at ${location} by other than its moves say`,
      expected: String(moved / 1000),
      seen: String(quantity / 1000),
      open: true,
    });
  }
}
