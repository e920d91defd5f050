/** The state of the stock processor by key: cells, days of history, echo groups, holds, orders, waiting commands. */
import type { Command } from '../../schemas/types.ts';
import type { Count } from '../domain/count.ts';
import type { EchoGroup } from '../domain/echo.ts';
import type { HistoryPage } from '../domain/history.ts';
import type { BookedLine } from '../domain/order.ts';
import type { CellQuantities } from '../domain/quantities.ts';
import type { AgendaState } from '../topology/agenda.ts';
import { packedCodec } from '../topology/packed.ts';

export type Cell = {
  readonly kind: 'cell';
  readonly quantities: CellQuantities;
  /** Sum of the openings, or the ERP's balance where that is the figure; in thousandths. */
  readonly opening: number;
  readonly counts: readonly Count[];
  /** Where the pages of its history begin, in time. */
  readonly pages: readonly number[];
  /** Ledger steps so far. */
  readonly sequence: number;
  /** Dated parts of incoming and reserved, by day; absent when nothing is dated. */
  readonly schedule?: Readonly<Record<string, ScheduledQuantities>>;
  /** What is left of each channel's own share; absent when nothing is allocated. */
  readonly allocations?: Readonly<Record<string, number>>;
};

export type ScheduledQuantities = { readonly incoming: number; readonly reserved: number };

export type Group = {
  readonly kind: 'group';
  readonly group: EchoGroup;
  readonly mismatched: boolean;
  /** The alert that the ERP has not posted it in time is open. */
  readonly overdue?: boolean;
};

/** Where a reservation stands for one SKU. Only CREATED runs out; the last four are ends. */
export type HoldState =
  | 'CREATED'
  | 'COMMITTED'
  | 'FULFILLED'
  | 'RELEASED'
  | 'EXPIRED'
  /** The ERP's order has booked all of it. */
  | 'ECHOED';

/** What a reservation holds at one location, in thousandths. */
export type Part = {
  readonly location: string;
  readonly quantity: number;
  /** While the cart has not decided: what `quantity` becomes when it confirms. Both are held, so the larger one counts. */
  readonly target: number | null;
  /** How much of it was taken out of the channel's own share. */
  readonly allocated: number;
};

/** A reservation as far as one SKU goes. */
export type Hold = {
  readonly kind: 'hold';
  readonly sku: string;
  readonly reservation: string;
  readonly state: HoldState;
  readonly channel: string | null;
  /** The order that the ERP will book for it; empty when nobody has said. */
  readonly reference: string;
  /** When its cart asked: of two carts that wait for each other the younger one gives up first. */
  readonly askedAt: number;
  readonly expiresAt: number;
  readonly parts: readonly Part[];
  readonly fulfilled: number;
  /** The alert that is open because nobody takes it up. */
  readonly overdue?: 'reservationOpen' | 'reservationLeak';
};

/** What the ERP has booked of an order's SKU, and which of our reservations are for that order. */
export type Order = {
  readonly kind: 'order';
  readonly lines: Readonly<Record<string, BookedLine>>;
  readonly reservations: readonly string[];
};

/** A command that waits for goods: behind a cart that has not decided, or as long as its reservation lives. */
export type WaitingCommand = {
  readonly command: Command;
  /** Time and place of the command, as at its arrival. */
  readonly askedAt: number;
  readonly order: string;
  readonly untilMs: number;
};

/** A line that has been checked and is done when its cart confirms. */
export type PendingLine = { readonly command: Command; readonly order: string };

/** Of one SKU, by request. */
export type PendingLines = {
  readonly kind: 'pending lines';
  readonly requests: Readonly<Record<string, readonly PendingLine[]>>;
};

export type StockState =
  | Cell
  | { readonly kind: 'page'; readonly page: HistoryPage }
  | Group
  /** Locations of a SKU, as they came. */
  | { readonly kind: 'item'; readonly locations: readonly string[] }
  | Hold
  | Order
  /** Reservations that hold goods of a SKU and are not decided. */
  | { readonly kind: 'undecided'; readonly reservations: readonly string[] }
  | PendingLines
  | { readonly kind: 'waiting'; readonly commands: readonly WaitingCommand[] }
  /** SKUs with waiting commands, and when the first of them gives up. */
  | { readonly kind: 'waitingSkus'; readonly untilBySku: Readonly<Record<string, number>> }
  | AgendaState;

export const cellKey = (sku: string, location: string): string => `c|${sku}|${location}`;
export const pageKey = (sku: string, location: string, start: number): string =>
  `h|${sku}|${location}|${start}`;
export const groupKey = (
  sku: string,
  location: string,
  sign: '+' | '-' | '=',
  echoKey: string,
): string => `g|${sku}|${location}|${sign}|${echoKey}`;
export const itemKey = (sku: string): string => `i|${sku}`;
export const holdKey = (sku: string, reservation: string): string => `r|${sku}|${reservation}`;
export const orderKey = (sku: string, order: string): string => `o|${sku}|${order}`;
export const undecidedKey = (sku: string): string => `u|${sku}`;
export const pendingKey = (sku: string): string => `p|${sku}`;
export const waitingKey = (sku: string): string => `w|${sku}`;
export const waitingSkusKey = 'w';

/** What nearly every value holds. A part of the format: add at the end. */
export const stockWords: readonly string[] = [
  ...['kind', 'cell', 'quantities', 'onHand', 'reserved', 'incoming', 'inTransit', 'damaged'],
  ...['qualityControl', 'safetyStock', 'available', 'opening', 'counts', 'pages', 'sequence'],
  ...['page', 'group', 'till', 'postingPlaces', 'posted', 'lines', 'completeLines', 'contained'],
  ...['remainder', 'place', 'quantity', 'at', 'system', 'order', 'mismatched', 'standing', 'erp'],
  'pos',
  ...[
    'hold',
    'sku',
    'reservation',
    'state',
    'CREATED',
    'COMMITTED',
    'channel',
    'reference',
    'askedAt',
  ],
  ...[
    'expiresAt',
    'parts',
    'location',
    'target',
    'allocated',
    'fulfilled',
    'booked',
    'open',
    'due',
  ],
  ...[
    'key',
    'slot',
    'count',
    'pending',
    'item',
    'locations',
    'reservations',
    'undecided',
    'command',
  ],
  ...[
    'waiting',
    'commands',
    'untilMs',
    'schedule',
    'allocations',
    'FULFILLED',
    'RELEASED',
    'EXPIRED',
  ],
];

/** Version 3 counted texts behind the words, version 2 kept what an opening contains of a sale with its group, version 1 was JSON: they are refused. */
export const stockStateCodec = packedCodec<StockState>({ version: 4, words: stockWords });
