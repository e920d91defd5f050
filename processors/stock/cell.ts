/** One cell while a movement is applied to it: reads and writes its state, and notes what changed for the ledger. */
import type { Change, Effect } from '../../schemas/types.ts';
import { type Count, latestCount, withCount } from '../domain/count.ts';
import {
  addToDay,
  dayOf,
  type HistoryDay,
  isAfter,
  type Place,
  sumAfter,
  sumOfDay,
} from '../domain/history.ts';
import {
  type BucketName,
  type CellQuantities,
  noQuantities,
  withBucket,
} from '../domain/quantities.ts';
import type { StateView } from '../topology/topology.ts';
import { type Cell, cellKey, dayKey, type StockState } from './state.ts';

const emptyCell: Cell = {
  kind: 'cell',
  quantities: noQuantities,
  opening: 0,
  counts: [],
  days: [],
  sequence: 0,
};

export class OpenCell {
  cell: Cell;
  readonly changes: Change[] = [];
  /** The quantities before the movement. */
  readonly before: CellQuantities;
  private readonly state: StateView<StockState>;
  private readonly sku: string;
  private readonly location: string;

  constructor(state: StateView<StockState>, sku: string, location: string) {
    this.state = state;
    this.sku = sku;
    this.location = location;
    const known = state.get(cellKey(sku, location));
    this.cell = known?.kind === 'cell' ? known : emptyCell;
    this.before = this.cell.quantities;
  }

  get onHand(): number {
    return this.cell.quantities.onHand;
  }

  /** A dated quantity of onHand; returns by how much onHand moved now. */
  addHistory(place: Place, quantity: number): number {
    if (quantity === 0) return 0;
    const day = dayOf(place.at);
    const next = addToDay(this.dayOf(day), place, quantity);
    this.putDay(day, next);
    const anchor = latestCount(this.cell.counts);
    if (anchor !== undefined && !isAfter(place, anchor)) return 0;
    this.setBucket('onHand', this.onHand + quantity);
    return quantity;
  }

  /** A count comes or goes; returns by how much onHand moved now. */
  changeCounts(count: Omit<Count, 'standing'>, by: 1 | -1): number {
    const before = this.onHand;
    const counts = withCount(this.cell.counts, count, by);
    this.cell = { ...this.cell, counts };
    this.recompute();
    return this.onHand - before;
  }

  addOpening(quantity: number): number {
    const before = this.onHand;
    this.cell = { ...this.cell, opening: this.cell.opening + quantity };
    if (latestCount(this.cell.counts) === undefined) this.setBucket('onHand', before + quantity);
    return this.onHand - before;
  }

  addToBucket(bucket: BucketName, quantity: number): number {
    this.setBucket(bucket, this.cell.quantities[bucket] + quantity);
    return quantity;
  }

  note(effect: Effect, kind: string, applied: number): void {
    this.changes.push({
      bucket: effect.bucket,
      kind,
      quantity: effect.quantity,
      applied,
      occurredAt: effect.occurredAt,
      reason: effect.reason,
      reference: effect.reference,
      effectId: effect.id,
    });
  }

  /** Writes the cell with one more step in its sequence. */
  finish(): Cell {
    this.cell = { ...this.cell, sequence: this.cell.sequence + 1 };
    this.state.put(cellKey(this.sku, this.location), this.cell);
    return this.cell;
  }

  private setBucket(bucket: BucketName, value: number): void {
    this.cell = { ...this.cell, quantities: withBucket(this.cell.quantities, bucket, value) };
  }

  private recompute(): void {
    const anchor = latestCount(this.cell.counts);
    let onHand = anchor?.quantity ?? this.cell.opening;
    const from = anchor === undefined ? Number.NEGATIVE_INFINITY : dayOf(anchor.at);
    for (const day of this.cell.days) {
      if (day < from) continue;
      const history = this.dayOf(day) ?? {};
      onHand +=
        anchor !== undefined && day === from ? sumAfter(history, anchor) : sumOfDay(history);
    }
    this.setBucket('onHand', onHand);
  }

  private dayOf(day: number): HistoryDay | undefined {
    const known = this.state.get(dayKey(this.sku, this.location, day));
    return known?.kind === 'day' ? known.day : undefined;
  }

  private putDay(day: number, history: HistoryDay | undefined): void {
    const key = dayKey(this.sku, this.location, day);
    const known = this.cell.days.includes(day);
    if (history === undefined) {
      this.state.delete(key);
      if (known) {
        this.cell = { ...this.cell, days: this.cell.days.filter((other) => other !== day) };
      }
      return;
    }
    this.state.put(key, { kind: 'day', day: history });
    if (!known) this.cell = { ...this.cell, days: [...this.cell.days, day] };
  }
}
