/** A house whose stock processor is told what its sources tell: the step on a state in memory. */
import { plainRequest } from '../../processors/cli/stress/shoppers.ts';
import { noRules } from '../../processors/stock/rules.ts';
import type { StockState } from '../../processors/stock/state.ts';
import { stockStepBy } from '../../processors/stock/step.ts';
import {
  alerts,
  commands,
  decisions,
  ledger,
  movements,
  stockLevels,
} from '../../processors/topics.ts';
import type { Emit, Input } from '../../processors/topology/topology.ts';
import type {
  Alert,
  Command,
  Decision,
  Effect,
  LedgerEntry,
  Movement,
  StockLevel,
} from '../../schemas/types.ts';
import { effect } from '../carts/shop.ts';
import type { OrderBook } from './order-book.ts';
import { type BookedLine, lifeMs, type Told } from './random-orders.ts';

const hourMs = 3_600_000;
const thousand = 1_000;

type Ask = Extract<Told, { kind: 'ask' }>;

export class House {
  /** Reserving decisions that took a cell below zero. */
  readonly grantsBelowZero: LedgerEntry[] = [];
  readonly asked = new Set<string>();
  private readonly levels = new Map<string, StockLevel>();
  private readonly openAlerts = new Map<string, Alert>();
  private readonly lines = new Map<string, { quantity: number; open: number }>();
  private readonly handedOut = new Set<string>();
  private readonly sales = new Map<string, { isTold: boolean; posted: number }>();
  private readonly step = stockStepBy(noRules);
  private readonly kept = new Map<string, StockState>();
  private offset = 0n;

  level(sku: string, location: string): StockLevel | undefined {
    return this.levels.get(`${sku}|${location}`);
  }

  /** Time goes on, an hour at a time. */
  tickTo(fromMs: number, toMs: number): void {
    for (let nowMs = fromMs; nowMs < toMs; nowMs += hourMs) this.take({ kind: 'tick', nowMs });
    this.take({ kind: 'tick', nowMs: toMs });
  }

  /** Reservations for which an alert is open. */
  openReservations(): readonly string[] {
    return [...this.openAlerts.values()]
      .filter(({ kind }) => kind === 'reservationOpen' || kind === 'reservationLeak')
      .map(({ id }) => id.slice(id.lastIndexOf('web|') + 4))
      .sort();
  }

  move(sku: string, effects: readonly Partial<Effect>[], atMs: number, system: string): void {
    const order = String(this.offset).padStart(10, '0');
    const movement: Movement = {
      ...{ id: `m${order}`, sku, system, transaction: order, position: order, committedAt: atMs },
      effects: effects.map((one) => effect({ order, ...one })),
      contained: [],
    };
    this.feed(movements.name, sku, movement, atMs);
  }

  /** The sources tell it, and `book` learns what is known then. */
  tell(told: Told, book: OrderBook): void {
    const { sku, atMs, order } = told;
    switch (told.kind) {
      case 'ask':
        this.ask(told, book);
        return;
      case 'runsOut':
        book.letsGo(order);
        return;
      case 'books':
        this.move(sku, this.lineEffects(told, told.line, told.pieces, told.pieces), atMs, 'erp');
        book.books(order, told.line.name, told.pieces);
        return;
      case 'cancels':
        this.move(sku, this.lineEffects(told, told.line, 0, -told.pieces), atMs, 'erp');
        book.cancels(order, told.line.name, told.pieces);
        return;
      case 'ships':
      case 'posts':
        this.leave(told, book);
        return;
      case 'till': {
        const sold = { quantity: -told.pieces * thousand, occurredAt: atMs };
        this.move(sku, [{ ...sold, echo: echo(told.receipt, 'till') }], atMs, 'pos');
        this.learnSale(told, book, (sale) => ({ ...sale, isTold: true }));
        return;
      }
      case 'tillPosted':
        this.postTill(told, book);
        return;
    }
  }

  private leave(told: Extract<Told, { kind: 'ships' | 'posts' }>, book: OrderBook): void {
    const { sku, atMs, order, pieces, line } = told;
    const left = { location: line.location, quantity: -pieces * thousand, occurredAt: atMs };
    const posted = told.kind === 'posts' ? { ...left, echo: echo(told.parcel, 'posting') } : left;
    this.move(sku, [...this.lineEffects(told, line, 0, -pieces), posted], atMs, 'erp');
    if (told.kind === 'posts' && this.handedOut.has(told.parcel)) {
      book.posts(order, line.name, pieces);
    } else book.ships(order, line.name, `${sku}|${line.location}`, pieces);
  }

  private postTill(told: Extract<Told, { kind: 'tillPosted' }>, book: OrderBook): void {
    const { sku, atMs, receipt, pieces, isTakenBack } = told;
    const quantity = (isTakenBack ? 1 : -1) * pieces * thousand;
    const posting = { quantity, asserted: !isTakenBack, occurredAt: atMs };
    this.move(sku, [{ ...posting, echo: echo(receipt, 'posting') }], atMs, 'erp');
    const by = isTakenBack ? -1 : 1;
    this.learnSale(told, book, (sale) => ({ ...sale, posted: sale.posted + by }));
  }

  /** Until it is posted a sale is what the till told; then it is the ERP's figure, twice if it stands there twice. */
  private learnSale(
    { sku, receipt, pieces }: Extract<Told, { kind: 'till' | 'tillPosted' }>,
    book: OrderBook,
    change: (sale: { isTold: boolean; posted: number }) => { isTold: boolean; posted: number },
  ): void {
    const before = this.sales.get(receipt) ?? { isTold: false, posted: 0 };
    const after = change(before);
    this.sales.set(receipt, after);
    const times = ({ isTold, posted }: typeof before) => (posted > 0 ? posted : isTold ? 1 : 0);
    book.moves(`${sku}|L1`, (times(before) - times(after)) * pieces);
  }

  private ask(told: Ask, book: OrderBook): void {
    const { sku, atMs, order, pieces, command } = told;
    const kind = String(command.kind);
    this.asked.add(kind);
    const { lines: _lines, askedBy: _asked, ...plain } = plainRequest('web', order, atMs);
    const isCounted = kind === 'reserve' || kind === 'fulfil';
    const decision = this.feed(
      commands.name,
      sku,
      {
        ...plain,
        ...{ id: `c${this.offset}`, sku, location: '', locations: ['L1'], undecided: false },
        quantity: isCounted ? pieces * thousand : 0,
        expiresAt: atMs + lifeMs,
        ...command,
      } satisfies Command,
      atMs,
    );
    if (decision?.accepted !== true) return;
    if (kind === 'reserve') book.reserves(order, pieces, command.reference === order);
    else if (kind === 'commit') book.pays(order);
    else if (kind === 'release') book.letsGo(order);
    else {
      this.handedOut.add(String(command.echoKey));
      book.handsOut(order, `${sku}|L1`, pieces);
    }
  }

  /** The ERP's line has so many more pieces, and so many more of them are open. */
  private lineEffects(
    { order, atMs }: Told,
    line: BookedLine,
    more: number,
    moreOpen: number,
  ): readonly Partial<Effect>[] {
    const name = `${order}/${line.name}`;
    const known = this.lines.get(name) ?? { quantity: 0, open: 0 };
    const next = { quantity: known.quantity + more, open: known.open + moreOpen };
    this.lines.set(name, next);
    const { location } = line;
    const common = { kind: 'level', bucket: 'reserved', location, occurredAt: atMs } as const;
    const booked = { quantity: next.quantity * thousand, open: next.open * thousand };
    return [
      { ...common, quantity: moreOpen * thousand },
      { ...common, quantity: 0, booking: { order, line: line.name, ...booked } },
    ];
  }

  private feed(
    topic: string,
    key: string,
    value: unknown,
    timestampMs: number,
  ): Decision | undefined {
    const { offset } = this;
    this.offset += 1n;
    const record = { topic, partition: 0, offset, timestampMs, key, value, headers: [] };
    return this.take({ kind: 'record', record });
  }

  private take(input: Input): Decision | undefined {
    const { kept } = this;
    const state = {
      get: (key: string) => kept.get(key),
      put: (key: string, value: StockState) => void kept.set(key, value),
      delete: (key: string) => void kept.delete(key),
      keys: (beginning: string) => [...kept.keys()].filter((key) => key.startsWith(beginning)),
    };
    let decision: Decision | undefined;
    for (const emit of this.step(input, state)) {
      if (emit.kind === 'deadLetter') throw new Error(emit.reason);
      if (emit.kind === 'record') decision = this.hear(emit) ?? decision;
    }
    return decision;
  }

  private hear({ topic, value }: Extract<Emit, { kind: 'record' }>): Decision | undefined {
    if (topic.name === stockLevels.name) {
      const level = value as StockLevel;
      this.levels.set(`${level.sku}|${level.location}`, level);
    } else if (topic.name === alerts.name) {
      const alert = value as Alert;
      if (alert.open) this.openAlerts.set(alert.id, alert);
      else this.openAlerts.delete(alert.id);
    } else if (topic.name === ledger.name && isGrantBelowZero(value as LedgerEntry)) {
      this.grantsBelowZero.push(value as LedgerEntry);
    }
    return topic.name === decisions.name ? (value as Decision) : undefined;
  }
}

const echo = (key: string, role: 'till' | 'posting') => ({
  ...{ key, role, rule: 'supersede' as const },
  ...{ complete: true, contained: false, netted: false },
});

function isGrantBelowZero({ cause, changes, quantities }: LedgerEntry): boolean {
  const isGrant = changes.some(({ bucket, applied }) => bucket === 'reserved' && applied > 0);
  return cause.kind === 'decision' && isGrant && quantities.available < 0;
}
