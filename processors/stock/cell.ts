/** One cell while a step is applied to it: reads and writes its state, and notes what changed for the ledger. */
import type { Change, Restatement } from '../../schemas/types.ts';
import { type Counted, isNews, latestCount, withCount } from '../domain/count.ts';
import { isAfter, type Place } from '../domain/history.ts';
import {
  type BucketName,
  type CellQuantities,
  noQuantities,
  withBucket,
} from '../domain/quantities.ts';
import type { StateView } from '../topology/topology.ts';
import { CellHistory } from './cell-history.ts';
import { type Cell, cellKey, itemKey, type StockState } from './state.ts';

const emptyCell: Cell = {
  kind: 'cell',
  quantities: noQuantities,
  opening: 0,
  counts: [],
  pages: [],
  sequence: 0,
};

/** A change of onHand that lies further back than this corrects a past that has been told. */
const toldAfterMs = 3_600_000;
const dayMs = 86_400_000;

export class OpenCell {
  cell: Cell;
  readonly changes: Change[] = [];
  /** The quantities before the step. */
  readonly before: CellQuantities;
  private readonly state: StateView<StockState>;
  private readonly sku: string;
  private readonly location: string;
  private readonly history: CellHistory;
  private readonly nowMs: number;
  private readonly isNew: boolean;
  private readonly known: Cell;
  private restatedFrom: number | undefined;

  constructor(state: StateView<StockState>, sku: string, location: string, nowMs: number) {
    this.state = state;
    this.sku = sku;
    this.location = location;
    this.history = new CellHistory(state, sku, location);
    this.nowMs = nowMs;
    const known = state.get(cellKey(sku, location));
    this.known = known?.kind === 'cell' ? known : emptyCell;
    this.isNew = this.known.sequence === 0;
    this.cell = this.known;
    this.before = this.cell.quantities;
  }

  get onHand(): number {
    return this.cell.quantities.onHand;
  }

  /**
   * A dated quantity of onHand, and one that the opening contains, which counts after a count that is news alone; returns
   * by how much onHand moved now.
   */
  addHistory(place: Place, quantity: number, contained = 0): number {
    if (quantity === 0 && contained === 0) return 0;
    const pages = this.history.add(this.cell.pages, place, quantity, contained);
    if (pages !== this.cell.pages) this.cell = { ...this.cell, pages };
    const anchor = latestCount(this.cell.counts);
    const moved = isNews(anchor) ? quantity + contained : quantity;
    if (moved === 0 || (anchor !== undefined && !isAfter(place, anchor))) return 0;
    this.setBucket('onHand', this.onHand + moved);
    this.noteTime(place.at);
    return moved;
  }

  /** A count comes or goes; returns by how much onHand moved now. */
  changeCounts(count: Counted, by: 1 | -1, told: 'news' | 'contained' = 'news'): number {
    const before = this.onHand;
    const counts = withCount(this.cell.counts, count, by, told);
    this.cell = { ...this.cell, counts };
    this.recompute();
    if (this.onHand !== before) this.noteTime(count.at);
    return this.onHand - before;
  }

  addOpening(quantity: number): number {
    const before = this.onHand;
    this.cell = { ...this.cell, opening: this.cell.opening + quantity };
    if (!isNews(latestCount(this.cell.counts))) this.setBucket('onHand', before + quantity);
    return this.onHand - before;
  }

  addToBucket(bucket: BucketName, quantity: number): number {
    this.setBucket(bucket, this.cell.quantities[bucket] + quantity);
    return quantity;
  }

  /** The dated part of a quantity that changes with it. */
  addToSchedule(bucket: 'incoming' | 'reserved', at: number, quantity: number): void {
    const day = String(Math.floor(at / dayMs));
    const { [day]: known = { incoming: 0, reserved: 0 }, ...others } = this.cell.schedule ?? {};
    const next = { ...known, [bucket]: known[bucket] + quantity };
    const isEmpty = next.incoming === 0 && next.reserved === 0;
    this.cell = { ...this.cell, schedule: isEmpty ? others : { ...others, [day]: next } };
  }

  /** A channel's own share grows or shrinks; noted, so that the ledger alone tells the shares. */
  changeAllocation(
    channel: string,
    quantity: number,
    told: { readonly reason: string; readonly effectId: string },
  ): void {
    if (quantity === 0) return;
    this.note({
      ...told,
      bucket: 'onHand',
      kind: 'allocation',
      quantity,
      applied: 0,
      occurredAt: this.nowMs,
      reference: channel,
      expectedAt: null,
    });
    const { [channel]: known = 0, ...others } = this.cell.allocations ?? {};
    const next = known + quantity;
    this.cell = {
      ...this.cell,
      allocations: next === 0 ? others : { ...others, [channel]: next },
    };
  }

  note(change: Change): void {
    this.changes.push(change);
  }

  /** Set when the step moved onHand by something that should have been told long before. */
  restatement(): Restatement | null {
    if (this.restatedFrom === undefined || this.onHand === this.before.onHand) return null;
    return { old: this.before.onHand, new: this.onHand, from: this.restatedFrom, to: this.nowMs };
  }

  /** Writes what was added to its past without a figure that has to be told. */
  keep(): void {
    const { counts, pages } = this.known;
    if (this.cell.counts === counts && this.cell.pages === pages) return;
    this.state.put(cellKey(this.sku, this.location), this.cell);
  }

  /** Writes the cell with one more step in its sequence. */
  finish(): Cell {
    this.cell = { ...this.cell, sequence: this.cell.sequence + 1 };
    this.state.put(cellKey(this.sku, this.location), this.cell);
    if (this.isNew) this.noteLocation();
    return this.cell;
  }

  private noteLocation(): void {
    const known = this.state.get(itemKey(this.sku));
    const locations = known?.kind === 'item' ? known.locations : [];
    this.state.put(itemKey(this.sku), { kind: 'item', locations: [...locations, this.location] });
  }

  private noteTime(at: number): void {
    if (at >= this.nowMs - toldAfterMs) return;
    if (this.restatedFrom === undefined || at < this.restatedFrom) this.restatedFrom = at;
  }

  private setBucket(bucket: BucketName, value: number): void {
    this.cell = { ...this.cell, quantities: withBucket(this.cell.quantities, bucket, value) };
  }

  private recompute(): void {
    this.setBucket('onHand', this.history.onHand(this.cell));
  }
}
