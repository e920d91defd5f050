/** The state of the stock processor by key: cells, days of history, echo groups. */
import type { Count } from '../domain/count.ts';
import type { EchoGroup } from '../domain/echo.ts';
import type { HistoryPage } from '../domain/history.ts';
import type { CellQuantities } from '../domain/quantities.ts';
import { packedCodec } from '../topology/packed.ts';

export type Cell = {
  readonly kind: 'cell';
  readonly quantities: CellQuantities;
  /** Sum of the openings, in thousandths. */
  readonly opening: number;
  readonly counts: readonly Count[];
  /** Where the pages of its history begin, in time. */
  readonly pages: readonly number[];
  /** Ledger steps so far. */
  readonly sequence: number;
};

export type StockState =
  | Cell
  | { readonly kind: 'page'; readonly page: HistoryPage }
  | { readonly kind: 'group'; readonly group: EchoGroup; readonly mismatched: boolean };

export const cellKey = (sku: string, location: string): string => `c|${sku}|${location}`;
export const pageKey = (sku: string, location: string, start: number): string =>
  `h|${sku}|${location}|${start}`;
export const groupKey = (sku: string, location: string, sign: '+' | '-', echoKey: string): string =>
  `g|${sku}|${location}|${sign}|${echoKey}`;

/** What nearly every value holds. A part of the format: add at the end. */
const words = [
  ...['kind', 'cell', 'quantities', 'onHand', 'reserved', 'incoming', 'inTransit', 'damaged'],
  ...['qualityControl', 'safetyStock', 'available', 'opening', 'counts', 'pages', 'sequence'],
  ...['page', 'group', 'till', 'postingPlaces', 'posted', 'lines', 'completeLines', 'contained'],
  ...['remainder', 'place', 'quantity', 'at', 'system', 'order', 'mismatched', 'standing', 'erp'],
  'pos',
];

/** Version 1 was JSON and kept history by day: it is refused. */
export const stockStateCodec = packedCodec<StockState>({ version: 2, words });
