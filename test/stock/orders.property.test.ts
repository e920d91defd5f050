/** Thousands of orders that reach the ERP late, in parts, twice or never, against a book of single pieces. */
import { expect, it } from 'vitest';
import type { StockLevel } from '../../schemas/types.ts';
import { noon } from '../carts/shop.ts';
import { House } from './house.ts';
import { OrderBook } from './order-book.ts';
import { randomOrders, type Told } from './random-orders.ts';

const orderCount = Number(process.env.STOCKLINE_ORDERS ?? 400);
const seed = Number(process.env.STOCKLINE_SEED ?? 1);
const skus = Array.from({ length: Math.max(4, orderCount / 50) }, (_, index) => `S${index}`);
const hourMs = 3_600_000;
const thousand = 1_000;

it('D1, D2: orders that the ERP learns of late, in parts, twice or never: available is the truth known so far', () => {
  const house = new House();
  const books = new Map(skus.map((sku) => [sku, new OrderBook()]));
  const bookOf = (sku: string) => books.get(sku) as OrderBook;
  const all = randomOrders(seed, orderCount, skus);
  let nowMs = noon;
  const touched = new Set<string>();
  for (const [index, told] of all.entries()) {
    house.tickTo(nowMs, told.atMs);
    nowMs = told.atMs;
    replenish(told.sku, bookOf(told.sku), house, nowMs);
    house.tell(told, bookOf(told.sku));
    touched.add(told.sku);
    if (all[index + 1]?.atMs === told.atMs) continue;
    for (const sku of touched) compare(sku, house, bookOf(sku), told);
    touched.clear();
  }
  house.tickTo(nowMs, nowMs + 60 * hourMs);
  for (const sku of skus) compare(sku, house, bookOf(sku));
  expect(house.grantsBelowZero).toEqual([]);
  // Nothing is held for nobody: what still holds is waited for, and an alert says so.
  expect(house.openReservations()).toEqual(
    [...books.values()].flatMap((book) => book.awaited()).sort(),
  );
  expect([...house.asked].sort()).toEqual(['commit', 'fulfil', 'release', 'reserve']);
});

/** Goods come in before they run out, most of the time. */
function replenish(sku: string, book: OrderBook, house: House, nowMs: number): void {
  for (const location of ['L1', 'L2']) {
    const cell = `${sku}|${location}`;
    if (book.onHand(cell) >= 15) continue;
    book.moves(cell, 40);
    const received = { location, quantity: 40 * thousand, occurredAt: nowMs };
    house.move(sku, [received], nowMs, 'erp');
  }
}

function compare(sku: string, house: House, book: OrderBook, told?: Told): void {
  const levels = ['L1', 'L2'].map((location) => house.level(sku, location));
  const sum = (of: (level: StockLevel | undefined) => number | undefined): number =>
    levels.reduce((total, level) => total + (of(level) ?? 0), 0) / thousand;
  const seen = {
    onHand: levels.map((level) => (level?.quantities.onHand ?? 0) / thousand),
    reserved: sum((level) => level?.quantities.reserved),
    available: sum((level) => level?.quantities.available),
  };
  const onHand = [book.onHand(`${sku}|L1`), book.onHand(`${sku}|L2`)] as const;
  const reserved = book.reserved();
  const should = { onHand, reserved, available: onHand[0] + onHand[1] - reserved };
  expect(seen, JSON.stringify(told)).toEqual(should);
}
