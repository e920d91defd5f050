/** What is true, from the simulator's own memory of what it has done. */
import { cellKey, type Retailer } from './retailer.ts';
import { onHand } from './stock-ledger.ts';

/** Thousandths of a unit. */
export type CellTruth = {
  readonly onHand: number;
  readonly reserved: number;
  readonly damaged: number;
  readonly qualityControl: number;
  readonly incoming: number;
  readonly inTransit: number;
};

/** By `sku|location`. */
export type StockTruth = { readonly cells: ReadonlyMap<string, CellTruth> };

export const emptyCell: CellTruth = {
  onHand: 0,
  reserved: 0,
  damaged: 0,
  qualityControl: 0,
  incoming: 0,
  inTransit: 0,
};

export function stockTruth(retailer: Retailer): StockTruth {
  const cells = new Map<string, CellTruth>();
  for (const [key, cell] of retailer.cells) {
    const { damaged, qualityControl } = cell;
    cells.set(key, { ...emptyCell, onHand: onHand(cell.ledger), damaged, qualityControl });
  }
  for (const order of retailer.orders) {
    for (const line of order.lines) {
      addTo(cells, cellKey(line.artnr, order.lagnr), 'reserved', line.menge - line.done);
    }
  }
  for (const purchase of retailer.purchases) {
    for (const line of purchase.lines) {
      addTo(cells, cellKey(line.artnr, purchase.lagnr), 'incoming', line.menge - line.done);
    }
  }
  for (const transfer of retailer.transfers) {
    if (transfer.stat !== 20) continue;
    for (const line of transfer.lines) {
      addTo(cells, cellKey(line.artnr, transfer.to), 'inTransit', line.shipped - line.received);
    }
  }
  return { cells };
}

function addTo(
  cells: Map<string, CellTruth>,
  key: string,
  quantity: 'reserved' | 'incoming' | 'inTransit',
  open: number,
): void {
  const cell = cells.get(key) ?? emptyCell;
  cells.set(key, { ...cell, [quantity]: cell[quantity] + Math.max(0, open) });
}
