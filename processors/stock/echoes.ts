/** The same sale told by the till and by the ERP: its group, what it adds to the history, its alerts. */
import type { Effect } from '../../schemas/types.ts';
import {
  type EchoGroup,
  emptyGroup,
  isMismatched,
  isPosted,
  remainderOf,
  tillSum,
  withPosting,
  withTill,
} from '../domain/echo.ts';
import type { Place } from '../domain/history.ts';
import { type Agenda, addToAgenda, takeDue } from '../topology/agenda.ts';
import type { Emit, StateView } from '../topology/topology.ts';
import { OpenSku } from './open-sku.ts';
import { authorityAt, type StockRules } from './rules.ts';
import { type Group, groupKey, type StockState } from './state.ts';

/** Sales that the ERP has to post by then. */
const openSales: Agenda = { name: 'e', slotMs: 600_000 };

/** Applies an effect that another system tells too; returns by how much onHand moved now. */
export function applyEcho(effect: Effect, place: Place, open: OpenSku): number {
  const { echo } = effect;
  if (echo === null) return 0;
  const cell = open.cell(effect.location);
  const asserted = effect.asserted ? effect.quantity : -effect.quantity;
  const sign = echo.netted ? '=' : asserted < 0 ? '-' : '+';
  const key = groupKey(open.sku, effect.location, sign, echo.key);
  const known = open.state.get(key);
  const before: Group =
    known?.kind === 'group' ? known : { kind: 'group', group: emptyGroup, mismatched: false };
  let applied = 0;
  let group = before.group;
  if (group.remainder !== null) {
    applied += cell.addHistory(group.remainder.place, -group.remainder.quantity);
  }
  if (echo.role === 'till') {
    group = withTill(group, place, effect.quantity);
    applied += cell.addHistory(place, effect.quantity);
  } else {
    group = withPosting(group, place, { ...echo, ...effect });
  }
  const authority = authorityAt(open.rules, effect.location);
  const remainder = remainderOf(group, echo.rule, authority);
  if (remainder !== null) applied += cell.addHistory(remainder.place, remainder.quantity);
  // The group counts it like any other sale, and the opening balance has it already.
  if (echo.contained && authority === 'ledger') {
    applied += cell.addHistory(place, -effect.quantity);
    applied += cell.addHistory(place, 0, effect.quantity);
  }
  const after = { ...group, remainder };
  open.state.put(key, watched(before, after, key, effect.location, open));
  return applied;
}

/** The group with the alerts that its change opens or closes. */
function watched(
  before: Group,
  group: EchoGroup,
  key: string,
  location: string,
  open: OpenSku,
): Group {
  const mismatched = isMismatched(group, open.rules.echoTolerance);
  const name = key.split('|').slice(4).join('|');
  if (mismatched !== before.mismatched) {
    open.raise({
      id: `echoMismatch|${key}`,
      kind: 'echoMismatch',
      severity: 'warning',
      location,
      message: `the till and the ERP tell sale ${name} differently`,
      expected: String(tillSum(group) / 1000),
      seen: String(group.posted / 1000),
      open: mismatched,
    });
  }
  const isFirst = before.group === emptyGroup;
  if (isFirst && group.lines === 0) {
    const deadline = open.cause.committedAt + open.rules.echoOpenAfterMs;
    addToAgenda(openSales, open.state, deadline, JSON.stringify([open.sku, location, key]));
  }
  const isOverdue = before.overdue === true && !isPosted(group);
  if (before.overdue === true && !isOverdue) open.raise(overdue(key, name, location, false));
  return { kind: 'group', group, mismatched, ...(isOverdue ? { overdue: true } : {}) };
}

function overdue(key: string, name: string, location: string, isOpen: boolean) {
  return {
    id: `echoOpen|${key}`,
    kind: 'echoOpen',
    severity: 'warning',
    location,
    message: isOpen
      ? `the ERP has not posted sale ${name} in time`
      : `the ERP has posted sale ${name} after all`,
    expected: 'posted',
    seen: isOpen ? 'only the till tells it' : 'posted',
    open: isOpen,
  } as const;
}

/** Raises an alert for each sale that should have been posted by now. */
export function findOverdueSales(
  state: StateView<StockState>,
  nowMs: number,
  rules: StockRules,
): readonly Emit[] {
  const emits: Emit[] = [];
  for (const due of takeDue(openSales, state, nowMs)) {
    const [sku, location, key] = JSON.parse(due) as [string, string, string];
    const group = state.get(key);
    if (group?.kind !== 'group' || isPosted(group.group) || tillSum(group.group) === 0) continue;
    const cause = tickCause('echoOpen', nowMs);
    const open = new OpenSku(state, sku, cause, rules);
    open.raise(overdue(key, key.split('|').slice(4).join('|'), location, true));
    open.state.put(key, { ...group, overdue: true });
    emits.push(...open.finish());
  }
  return emits;
}

/** What time did by itself. */
export function tickCause(id: string, nowMs: number) {
  return {
    kind: 'expiry',
    id,
    system: 'stockline',
    transaction: '',
    position: '',
    committedAt: nowMs,
  } as const;
}
