/** One cell while a movement is applied to it: reads and writes its state, and notes what changed for the ledger. */
import type { Change, Effect } from '../../schemas/types.ts';
import { type Count, latestCount, withCount } from '../domain/count.ts';
import { isAfter, type Place } from '../domain/history.ts';
import {
  type BucketName,
  type CellQuantities,
  noQuantities,
  withBucket,
} from '../domain/quantities.ts';
import type { StateView } from '../topology/topology.ts';
import { CellHistory } from './cell-history.ts';
import { type Cell, cellKey, type StockState } from './state.ts';

const emptyCell: Cell = {
  kind: 'cell',
  quantities: noQuantities,
  opening: 0,
  counts: [],
  pages: [],
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
  private readonly history: CellHistory;

  constructor(state: StateView<StockState>, sku: string, location: string) {
    this.state = state;
    this.sku = sku;
    this.location = location;
    this.history = new CellHistory(state, sku, location);
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
    const pages = this.history.add(this.cell.pages, place, quantity);
    if (pages !== this.cell.pages) this.cell = { ...this.cell, pages };
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
    this.setBucket('onHand', this.history.onHand(this.cell));
  }
}
