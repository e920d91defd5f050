/** One SKU while a step is applied to it: its open cells, then a ledger entry and a stock level for each that changed. */
import type { Alert, Cause, LedgerEntry, StockLevel } from '../../schemas/types.ts';
import { isExact } from '../domain/quantities.ts';
import { alerts, ledger, stockLevels } from '../topics.ts';
import { type Emit, emit, type StateView } from '../topology/topology.ts';
import { cellAlerts } from './alerts.ts';
import { OpenCell } from './cell.ts';
import { Overlay } from './overlay.ts';
import type { StockRules } from './rules.ts';
import { type Cell, itemKey, type StockState } from './state.ts';

export class OpenSku {
  readonly sku: string;
  readonly cause: Cause;
  readonly rules: StockRules;
  readonly state: Overlay;
  private readonly cells = new Map<string, OpenCell>();
  private readonly raised: Alert[] = [];

  constructor(state: StateView<StockState>, sku: string, cause: Cause, rules: StockRules) {
    this.state = new Overlay(state);
    this.sku = sku;
    this.cause = cause;
    this.rules = rules;
  }

  cell(location: string): OpenCell {
    const known = this.cells.get(location);
    if (known !== undefined) return known;
    const opened = new OpenCell(this.state, this.sku, location, this.cause.committedAt);
    this.cells.set(location, opened);
    return opened;
  }

  /** Where the SKU is, in the order in which its cells came. */
  locations(): readonly string[] {
    const item = this.state.get(itemKey(this.sku));
    return item?.kind === 'item' ? item.locations : [];
  }

  raise(alert: Omit<Alert, 'sku' | 'system' | 'raisedAt'>): void {
    const { system, committedAt } = this.cause;
    this.raised.push({ ...alert, sku: this.sku, system, raisedAt: committedAt });
  }

  /** Are all figures within what a quantity can hold? Otherwise the step must be given up. */
  isExact(): boolean {
    for (const { cell } of this.cells.values()) if (!isExact(cell.quantities)) return false;
    return true;
  }

  /** Makes the step last and tells it. */
  finish(): readonly Emit[] {
    const emits: Emit[] = [];
    for (const [location, open] of this.cells) {
      if (open.changes.length > 0) this.finishCell(location, open, emits);
      else open.keep();
    }
    for (const alert of this.raised) emits.push(emit(alerts, this.sku, alert));
    this.state.flush();
    return emits;
  }

  private finishCell(location: string, open: OpenCell, emits: Emit[]): void {
    const { sku, cause } = this;
    const restatement = open.restatement();
    const cell = open.finish();
    const { sequence, quantities } = cell;
    const entry: LedgerEntry = {
      sku,
      location,
      sequence,
      cause,
      changes: open.changes,
      quantities,
      restatement,
    };
    const level: StockLevel = {
      sku,
      location,
      quantities,
      sequence,
      previousSequence: sequence - 1,
      cause,
      schedule: scheduleOf(cell),
      allocations: allocationsOf(cell),
    };
    emits.push(emit(ledger, sku, entry), emit(stockLevels, { sku, location }, level));
    for (const alert of cellAlerts(this, location, open.before, entry)) {
      emits.push(emit(alerts, sku, alert));
    }
  }
}

const nothing: readonly never[] = [];

function scheduleOf({ schedule }: Cell): StockLevel['schedule'] {
  if (schedule === undefined) return nothing;
  return Object.entries(schedule)
    .map(([day, quantities]) => ({ day: Number(day), ...quantities }))
    .sort((one, other) => one.day - other.day);
}

function allocationsOf({ allocations }: Cell): StockLevel['allocations'] {
  if (allocations === undefined) return nothing;
  return Object.entries(allocations).map(([channel, quantity]) => ({ channel, quantity }));
}
