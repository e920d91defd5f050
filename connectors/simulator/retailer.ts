/** The simulated retailer: everything the simulator remembers, as plain data that can be stored and gone on with. */
import type { Schedule } from './business-clock.ts';
import type { Day } from './local-time.ts';
import type { Random } from './random.ts';
import { type CellLedger, emptyLedger } from './stock-ledger.ts';

export type Article = {
  readonly artnr: string;
  readonly name: string;
  readonly byWeight: boolean;
  /** Thousandths in one pack. */
  readonly pack: number;
  readonly products: Product[];
  readonly eans: string[];
  /** False while the tills sell it already and the ERP has no barcode for it. */
  eanKnown: boolean;
};

export type Product = {
  readonly plu: number;
  readonly barcode: string;
  readonly priceCents: number;
  readonly article: Article;
};

export type Place = {
  readonly lagnr: number;
  readonly name: string;
  readonly shopId: number | null;
};

export type Cell = {
  readonly artnr: string;
  readonly lagnr: number;
  /** The ERP's balance and its blocked part. */
  book: number;
  blocked: number;
  damaged: number;
  qualityControl: number;
  /** The latest business day that a move of the ERP is dated. */
  lastMoveDay: Day;
  countDays: Day[];
  ledger: CellLedger;
};

export type ReceiptLine = {
  product: Product;
  readonly kind: 'sale' | 'return';
  quantity: number;
  voided: boolean;
};

export type Upload = {
  readonly id: number;
  readonly firstLineId: number;
  readonly lines: ReceiptLine[];
  voided: boolean;
};

export type Receipt = {
  readonly shopId: number;
  readonly lagnr: number;
  readonly till: number;
  readonly number: number;
  readonly soldMs: number;
  /** As printed by the till. */
  readonly printed: readonly ReceiptLine[];
  /** Ascending ids: the first one counts. */
  uploads: Upload[];
  posted: Posted | null;
};

export type Posted = {
  readonly day: Day;
  readonly lines: readonly { readonly artnr: string; readonly quantity: number }[];
};

export type Till = {
  readonly number: number;
  nextReceipt: number;
  /** Offline until the schedule has come so far. */
  offlineUntil: number | null;
  held: Receipt[];
};

export type Shop = {
  readonly place: Place;
  readonly shopId: number;
  readonly tills: readonly Till[];
  unposted: Receipt[];
  posted: Receipt[];
};

export type DocumentLine = { readonly posnr: number; artnr: string; menge: number; done: number };

export type SalesOrder = {
  readonly aufnr: number;
  lagnr: number;
  stat: 10 | 20;
  lines: DocumentLine[];
};

export type PurchaseOrder = {
  readonly bstnr: number;
  readonly lagnr: number;
  stat: 10 | 20;
  readonly lines: readonly DocumentLine[];
};

export type Transfer = {
  readonly umlnr: number;
  readonly from: number;
  readonly to: number;
  stat: 10 | 20;
  readonly lines: readonly {
    readonly posnr: number;
    readonly artnr: string;
    readonly menge: number;
    shipped: number;
    received: number;
  }[];
};

export type PhysicalCount = {
  readonly invnr: number;
  readonly lagnr: number;
  readonly day: Day;
  final: boolean;
  lines: {
    readonly posnr: number;
    readonly artnr: string;
    quantity: number;
    readonly atMs: number;
  }[];
};

export type CustomerReturn = {
  readonly rtnr: number;
  readonly lagnr: number;
  readonly day: Day;
  stat: 10 | 90;
  readonly lines: {
    readonly posnr: number;
    readonly artnr: string;
    readonly quantity: number;
    condition: 'A' | 'B' | 'Q';
  }[];
};

/** A free move (scrap, correction) that may turn out to be wrong. */
export type FreeMove = {
  readonly bewnr: number;
  artnr: string;
  lagnr: number;
  menge: number;
  readonly budat: Day;
  readonly enteredDay: Day;
};

export type TillPosting = {
  readonly scheduledDay: number;
  readonly day: Day;
  shopsLeft: Shop[];
  current: {
    readonly shop: Shop;
    readonly kbnr: number;
    nextLine: number;
    receipts: Receipt[];
  } | null;
};

export type Counters = Record<
  | 'receipt'
  | 'receiptLine'
  | 'bewnr'
  | 'aufnr'
  | 'bstnr'
  | 'umlnr'
  | 'invnr'
  | 'rtnr'
  | 'kbnr'
  | 'article'
  | 'plu',
  number
>;

export type Retailer = {
  readonly version: number;
  readonly seed: number;
  readonly random: Random;
  schedule: Schedule;
  /** Transactions planned so far; those that moved the clock. */
  planned: number;
  scheduled: number;
  nowMs: number;
  today: Day;
  /** True when the business day may be the real day of the commits. */
  isNow: boolean;
  /** False until both databases hold the master data. */
  seeded: boolean;
  readonly counters: Counters;
  articles: Article[];
  /** Articles by popularity, cumulated. */
  popularity: readonly number[];
  readonly places: readonly Place[];
  readonly shops: readonly Shop[];
  readonly cells: Map<string, Cell>;
  orders: SalesOrder[];
  purchases: PurchaseOrder[];
  transfers: Transfer[];
  counts: PhysicalCount[];
  returns: CustomerReturn[];
  freeMoves: FreeMove[];
  /** Receipts that their till will upload once more, and those that it has. */
  repeats: { readonly dueAt: number; readonly receipt: Receipt }[];
  repeated: Receipt[];
  newArticles: { readonly article: Article; step: 'article' | 'ean'; dueAt: number }[];
  posting: TillPosting | null;
  protocol: number[];
};

const neverDay: Day = -1;

export function cellKey(artnr: string, lagnr: number): string {
  return `${artnr}|${lagnr}`;
}

export function cellAt(retailer: Retailer, artnr: string, lagnr: number): Cell {
  const key = cellKey(artnr, lagnr);
  const known = retailer.cells.get(key);
  if (known !== undefined) return known;
  const cell: Cell = {
    artnr,
    lagnr,
    book: 0,
    blocked: 0,
    damaged: 0,
    qualityControl: 0,
    lastMoveDay: neverDay,
    countDays: [],
    ledger: emptyLedger(),
  };
  retailer.cells.set(key, cell);
  return cell;
}

/** A date without time cannot say whether it was before or after a count of that day: the ERP's people avoid such days. */
export function canMove(retailer: Retailer, artnr: string, lagnr: number, day: Day): boolean {
  const cell = retailer.cells.get(cellKey(artnr, lagnr));
  return cell === undefined || !cell.countDays.includes(day);
}

export function nextNumber(retailer: Retailer, counter: keyof Counters): number {
  retailer.counters[counter] += 1;
  return retailer.counters[counter];
}
