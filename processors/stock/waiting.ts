/** Commands that wait for goods, first come first served; found again by a change of their SKU or by time. */
import type { StateView } from '../topology/topology.ts';
import { type StockState, type WaitingCommand, waitingKey, waitingSkusKey } from './state.ts';

type View = StateView<StockState>;

export function waitingFor(state: View, sku: string): readonly WaitingCommand[] {
  if (!(sku in waitingSkus(state))) return none;
  const known = state.get(waitingKey(sku));
  return known?.kind === 'waiting' ? known.commands : none;
}

const none: readonly WaitingCommand[] = [];
const noSkus: Readonly<Record<string, number>> = {};

function waitingSkus(state: View): Readonly<Record<string, number>> {
  const known = state.get(waitingSkusKey);
  return known?.kind === 'waitingSkus' ? known.untilBySku : noSkus;
}

/** SKUs in which a command has waited long enough. */
export function overdueSkus(state: View, nowMs: number): readonly string[] {
  return Object.entries(waitingSkus(state))
    .filter(([, untilMs]) => untilMs <= nowMs)
    .map(([sku]) => sku);
}

/** Does somebody wait for a cart that is about to decide, and not for new goods? */
export function hasShortWaiters(state: View, sku: string, withinMs: number): boolean {
  return waitingFor(state, sku).some((one) => one.untilMs <= withinMs);
}

export function putWaiting(
  state: View,
  { command, askedAt, order, untilMs }: WaitingCommand,
): void {
  const waiting: WaitingCommand = { command, askedAt, order, untilMs };
  keepWaiting(state, command.sku, [...waitingFor(state, command.sku), waiting]);
}

export function keepWaiting(state: View, sku: string, commands: readonly WaitingCommand[]): void {
  const { [sku]: _replaced, ...others } = waitingSkus(state);
  if (commands.length === 0) {
    if (_replaced === undefined) return;
    state.delete(waitingKey(sku));
    if (Object.keys(others).length === 0) state.delete(waitingSkusKey);
    else state.put(waitingSkusKey, { kind: 'waitingSkus', untilBySku: others });
    return;
  }
  const untilMs = Math.min(...commands.map((one) => one.untilMs));
  state.put(waitingKey(sku), { kind: 'waiting', commands });
  state.put(waitingSkusKey, { kind: 'waitingSkus', untilBySku: { ...others, [sku]: untilMs } });
}

/** Takes out what a reservation waits for; returns it. */
export function dropWaiting(
  state: View,
  sku: string,
  reservation: string,
): readonly WaitingCommand[] {
  const commands = waitingFor(state, sku);
  const dropped = commands.filter((one) => one.command.reservation === reservation);
  if (dropped.length > 0) {
    keepWaiting(
      state,
      sku,
      commands.filter((one) => !dropped.includes(one)),
    );
  }
  return dropped;
}
