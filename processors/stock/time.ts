/** What time does: reservations run out, waiting commands are served or refused, alerts open, what has ended is forgotten. */
import { addToAgenda, takeDue } from '../topology/agenda.ts';
import type { Emit, StateView } from '../topology/topology.ts';
import { decide, isGrant, openFor, settleCommand } from './command.ts';
import { findOverdueSales, tickCause } from './echoes.ts';
import {
  changeHold,
  endedKeptMs,
  endedReservations,
  expiries,
  hasEnded,
  holdEntry,
  isClosedOrder,
  openReservation,
  openReservations,
} from './holds.ts';
import { OpenSku } from './open-sku.ts';
import { waitMaxMs } from './reserve.ts';
import type { StockRules } from './rules.ts';
import { type Hold, holdKey, orderKey, type StockState, type WaitingCommand } from './state.ts';
import { refused } from './verdict.ts';
import { keepWaiting, overdueSkus, waitingFor } from './waiting.ts';

type View = StateView<StockState>;

export function applyTime(nowMs: number, state: View, rules: StockRules): readonly Emit[] {
  const emits: Emit[] = [];
  const freed = new Set<string>();
  for (const hold of dueHolds(takeDue(expiries, state, nowMs), state)) {
    if (hold.state !== 'CREATED' || hold.expiresAt > nowMs) continue;
    emits.push(...expire(hold, nowMs, state, rules));
    freed.add(hold.sku);
  }
  for (const sku of overdueSkus(state, nowMs)) freed.add(sku);
  for (const sku of freed) emits.push(...serveWaiting(sku, nowMs, state, rules));
  emits.push(...findOverdueSales(state, nowMs, rules));
  for (const hold of dueHolds(takeDue(openReservations, state, nowMs), state)) {
    if (hold.state === 'COMMITTED') emits.push(...alertOpen(hold, nowMs, state, rules));
  }
  for (const hold of dueHolds(takeDue(endedReservations, state, nowMs), state)) {
    forget(hold, nowMs, state);
  }
  return emits;
}

function dueHolds(entries: readonly string[], state: View): readonly Hold[] {
  return entries.flatMap((entry) => {
    const [sku, reservation] = JSON.parse(entry) as [string, string];
    const hold = state.get(holdKey(sku, reservation));
    return hold?.kind === 'hold' ? [hold] : [];
  });
}

function expire(hold: Hold, nowMs: number, state: View, rules: StockRules): readonly Emit[] {
  const open = new OpenSku(state, hold.sku, tickCause(hold.reservation, nowMs), rules);
  const ended = hold.fulfilled > 0 ? 'FULFILLED' : 'EXPIRED';
  changeHold(open, hold, { ...hold, parts: [], state: ended }, 'expiry');
  return open.finish();
}

/**
 * Decides the waiting commands of a SKU again, first come first served. Behind one that still waits for an undecided
 * cart nobody is served; those that wait for new goods let others pass.
 */
export function serveWaiting(
  sku: string,
  nowMs: number,
  state: View,
  rules: StockRules,
): readonly Emit[] {
  const waiting = waitingFor(state, sku);
  if (waiting.length === 0) return nobody;
  const emits: Emit[] = [];
  const left: WaitingCommand[] = [];
  keepWaiting(state, sku, []);
  let isBlocked = false;
  for (const one of waiting) {
    const asked = { ...one, nowMs };
    const isOver = one.untilMs <= nowMs;
    if (isBlocked && !isOver && isGrant(one.command)) {
      left.push(one);
      continue;
    }
    const open = openFor(asked, state, rules);
    const verdict = decide(open, asked);
    if (verdict.kind !== 'waits') emits.push(...settleCommand(asked, verdict, open, state));
    else if (isOver) {
      const { reason, short } = verdict;
      emits.push(
        ...settleCommand(asked, refused('INSUFFICIENT_STOCK', reason, short), open, state),
      );
    } else {
      const untilMs = Math.min(one.untilMs, verdict.untilMs);
      left.push({ ...one, untilMs });
      if (untilMs <= nowMs + waitMaxMs) isBlocked = true;
    }
  }
  keepWaiting(state, sku, left);
  return emits;
}

const nobody: readonly Emit[] = [];

function alertOpen(hold: Hold, nowMs: number, state: View, rules: StockRules): readonly Emit[] {
  const open = new OpenSku(state, hold.sku, tickCause(hold.reservation, nowMs), rules);
  const overdue = isClosedOrder(open, hold.reference) ? 'reservationLeak' : 'reservationOpen';
  open.raise(openReservation(hold, overdue, true));
  open.state.put(holdKey(hold.sku, hold.reservation), { ...hold, overdue });
  return open.finish();
}

/** An ended reservation is kept while the ERP's order for it is open: what has left is reckoned with it. */
function forget(hold: Hold, nowMs: number, state: View): void {
  if (!hasEnded(hold)) return;
  const key = orderKey(hold.sku, hold.reference);
  const order = state.get(key);
  if (order?.kind === 'order') {
    if (Object.values(order.lines).some((line) => line.open > 0)) {
      const entry = holdEntry(hold.sku, hold.reservation);
      addToAgenda(endedReservations, state, nowMs + endedKeptMs, entry);
      return;
    }
    const reservations = order.reservations.filter((one) => one !== hold.reservation);
    state.put(key, { ...order, reservations });
  }
  state.delete(holdKey(hold.sku, hold.reservation));
}
