/** movement → one ledger entry and one stock level per cell that it touches, and the alerts that this opens or closes. */
import type {
  Alert,
  Cause,
  Effect,
  LedgerEntry,
  Movement,
  StockLevel,
} from '../../schemas/types.ts';
import {
  emptyGroup,
  isPosted,
  remainderOf,
  tillSum,
  withPosting,
  withTill,
} from '../domain/echo.ts';
import type { Place } from '../domain/history.ts';
import { isExact } from '../domain/quantities.ts';
import { alerts, ledger, stockLevels } from '../topics.ts';
import { type Emit, emit, type Input, type StateView } from '../topology/topology.ts';
import { OpenCell } from './cell.ts';
import { groupKey, type StockState } from './state.ts';

export function stockStep(input: Input, state: StateView<StockState>): readonly Emit[] {
  if (input.kind === 'tick' || input.record.value === undefined) return [];
  return applyMovement(input.record.value as Movement, state);
}

function applyMovement(movement: Movement, state: StateView<StockState>): readonly Emit[] {
  const written = new Overlay(state);
  const cells = new Map<string, OpenCell>();
  const raised: Alert[] = [];
  for (const effect of movement.effects) {
    const cell = cells.get(effect.location) ?? new OpenCell(written, movement.sku, effect.location);
    cells.set(effect.location, cell);
    applyEffect(movement, effect, cell, written, raised);
  }
  if ([...cells.values()].some((cell) => !isExact(cell.cell.quantities))) {
    const reason = `movement ${movement.id} would take ${movement.sku} beyond what a quantity can hold`;
    return [{ kind: 'deadLetter', code: 'QUANTITY_OVERFLOW', reason }];
  }
  const emits = [...cells].flatMap(([location, cell]) => finishCell(movement, location, cell));
  written.flush();
  return [...emits, ...raised.map((alert) => emit(alerts, movement.sku, alert))];
}

function applyEffect(
  movement: Movement,
  effect: Effect,
  cell: OpenCell,
  state: StateView<StockState>,
  raised: Alert[],
): void {
  const place = { at: effect.occurredAt, system: movement.system, order: effect.order };
  switch (effect.kind) {
    case 'opening':
      cell.note(effect, 'opening', cell.addOpening(effect.quantity));
      return;
    case 'count': {
      const count = { ...place, quantity: effect.quantity };
      cell.note(effect, 'count', cell.changeCounts(count, effect.asserted ? 1 : -1));
      return;
    }
    case 'level':
      cell.note(effect, 'level', cell.addToBucket(effect.bucket, effect.quantity));
      return;
    case 'event':
      if (effect.echo !== null) applyEcho(movement, effect, place, cell, state, raised);
      else if (effect.bucket === 'onHand') {
        cell.note(effect, 'event', cell.addHistory(place, effect.quantity));
      } else cell.note(effect, 'event', cell.addToBucket(effect.bucket, effect.quantity));
      return;
  }
}

function applyEcho(
  movement: Movement,
  effect: Effect,
  place: Place,
  cell: OpenCell,
  state: StateView<StockState>,
  raised: Alert[],
): void {
  const echo = effect.echo;
  if (echo === null) return;
  const asserted = effect.asserted ? effect.quantity : -effect.quantity;
  const key = groupKey(movement.sku, effect.location, asserted < 0 ? '-' : '+', echo.key);
  const known = state.get(key);
  const before = known?.kind === 'group' ? known : { group: emptyGroup, mismatched: false };
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
  const remainder = remainderOf(group, echo.rule);
  if (remainder !== null) applied += cell.addHistory(remainder.place, remainder.quantity);
  const mismatched = isPosted(group) && hasTill(group) && group.posted !== tillSum(group);
  cell.note(effect, 'echo', applied);
  state.put(key, { kind: 'group', group: { ...group, remainder }, mismatched });
  if (mismatched !== before.mismatched) {
    raised.push({
      id: `echoMismatch|${key}`,
      kind: 'echoMismatch',
      severity: 'warning',
      sku: movement.sku,
      location: effect.location,
      system: movement.system,
      message: `the till and the ERP tell sale ${echo.key} differently`,
      expected: String(tillSum(group) / 1000),
      seen: String(group.posted / 1000),
      raisedAt: movement.committedAt,
      open: mismatched,
    });
  }
}

function hasTill(group: { readonly till: Readonly<Record<string, number>> }): boolean {
  return Object.keys(group.till).length > 0;
}

function finishCell(movement: Movement, location: string, open: OpenCell): readonly Emit[] {
  if (open.changes.length === 0) return [];
  const before = open.before;
  const cell = open.finish();
  const { sku } = movement;
  const cause: Cause = {
    kind: 'movement',
    id: movement.id,
    system: movement.system,
    transaction: movement.transaction,
    position: movement.position,
    committedAt: movement.committedAt,
  };
  const entry: LedgerEntry = {
    sku,
    location,
    sequence: cell.sequence,
    cause,
    changes: open.changes,
    quantities: cell.quantities,
  };
  const level: StockLevel = {
    sku,
    location,
    quantities: cell.quantities,
    sequence: cell.sequence,
    previousSequence: cell.sequence - 1,
    cause,
  };
  const emits = [emit(ledger, sku, entry), emit(stockLevels, { sku, location }, level)];
  const wasNegative = before.available < 0;
  const isNegative = cell.quantities.available < 0;
  if (wasNegative !== isNegative) {
    emits.push(emit(alerts, sku, negativeAvailable(movement, location, cell.quantities.available)));
  }
  return emits;
}

function negativeAvailable(movement: Movement, location: string, available: number): Alert {
  return {
    id: `negativeAvailable|${movement.sku}|${location}`,
    kind: 'negativeAvailable',
    severity: 'critical',
    sku: movement.sku,
    location,
    system: movement.system,
    message:
      available < 0
        ? `${movement.sku} at ${location} is oversold`
        : `${movement.sku} at ${location} is no longer oversold`,
    expected: '0 or more',
    seen: String(available / 1000),
    raisedAt: movement.committedAt,
    open: available < 0,
  };
}

/** Writes of one movement, held back until it is known that all of it can be applied. */
class Overlay implements StateView<StockState> {
  private readonly written = new Map<string, StockState | undefined>();
  private readonly below: StateView<StockState>;

  constructor(below: StateView<StockState>) {
    this.below = below;
  }

  get(key: string): StockState | undefined {
    return this.written.has(key) ? this.written.get(key) : this.below.get(key);
  }

  put(key: string, value: StockState): void {
    this.written.set(key, value);
  }

  delete(key: string): void {
    this.written.set(key, undefined);
  }

  flush(): void {
    for (const [key, value] of this.written) {
      if (value === undefined) this.below.delete(key);
      else this.below.put(key, value);
    }
  }
}
