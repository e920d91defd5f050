/** The state of the stock processor by key: cells, days of history, echo groups. */
import type { Count } from '../domain/count.ts';
import type { EchoGroup } from '../domain/echo.ts';
import type { HistoryDay } from '../domain/history.ts';
import type { CellQuantities } from '../domain/quantities.ts';
import type { StateCodec } from '../topology/topology.ts';

export type Cell = {
  readonly kind: 'cell';
  readonly quantities: CellQuantities;
  /** Sum of the openings, in thousandths. */
  readonly opening: number;
  readonly counts: readonly Count[];
  /** UTC days that have history. */
  readonly days: readonly number[];
  /** Ledger steps so far. */
  readonly sequence: number;
};

export type StockState =
  | Cell
  | { readonly kind: 'day'; readonly day: HistoryDay }
  | { readonly kind: 'group'; readonly group: EchoGroup; readonly mismatched: boolean };

export const cellKey = (sku: string, location: string): string => `c|${sku}|${location}`;
export const dayKey = (sku: string, location: string, day: number): string =>
  `h|${sku}|${location}|${day}`;
export const groupKey = (sku: string, location: string, sign: '+' | '-', echoKey: string): string =>
  `g|${sku}|${location}|${sign}|${echoKey}`;

const text = new TextEncoder();
const bytes = new TextDecoder();

export const stockStateCodec: StateCodec<StockState> = {
  version: 1,
  encode: (value) => text.encode(JSON.stringify(value)),
  decode: (stored) => JSON.parse(bytes.decode(stored)) as StockState,
};
