/** Intake against a model that only knows the rows as they are at the end. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { intakeTopology } from '../../processors/intake/topology.ts';
import { type Commit, DebeziumSource, interleave, type Write } from '../support/debezium.ts';
import { commit, crash, redeliver, runTopology, tick } from '../support/topology-driver.ts';
import {
  article,
  cornerShop,
  cornerShopIntake,
  linesApart,
  order,
  ticket,
  ticketLine,
  toldBy,
} from './corner-shop.ts';

const begin = Date.UTC(2026, 4, 1);
const codes = ['a', 'b', 'c'];

type Rows = Map<string, Record<string, unknown>>;
type Shop = { readonly tickets: Rows; readonly lines: Rows; readonly orders: Rows };

/** One thing that a user of the legacy system does, chosen by numbers. */
type Act = {
  readonly what: number;
  readonly id: number;
  readonly other: number;
  readonly amount: number;
};

const act = fc.record({
  what: fc.nat(9),
  id: fc.nat(5),
  other: fc.nat(5),
  amount: fc.integer({ min: 1, max: 9 }),
});

function put(rows: Rows, table: Write['table'], row: Record<string, unknown>): Write {
  const key = String(row.id);
  const operation = rows.has(key) ? 'u' : 'c';
  rows.set(key, row);
  return { table, operation, row };
}

function remove(rows: Rows, table: Write['table'], id: number): readonly Write[] {
  const row = rows.get(String(id));
  if (row === undefined) return [];
  rows.delete(String(id));
  return [{ table, operation: 'd', row }];
}

function perform(shop: Shop, { what, id, other, amount }: Act): readonly Write[] {
  const line = () => ({ id, ticket_id: other, code: codes[amount % 3], amount: amount * 1000 });
  const header = () => ({ id, number: `n${other % 3}`, sold_at: begin - amount * 60_000, done: 1 });
  switch (what) {
    case 0:
    case 1:
      return [put(shop.tickets, ticket, header())];
    case 2:
    case 3:
    case 4:
      return [put(shop.lines, ticketLine, line())];
    case 5:
      return remove(shop.lines, ticketLine, id);
    case 6:
      return remove(shop.tickets, ticket, id);
    case 7:
      return [put(shop.tickets, ticket, { ...header(), done: 0 })];
    case 8:
      return [put(shop.orders, order, { id, sku: `sku-${other % 2}`, open: amount * 1000 })];
    default:
      return remove(shop.orders, order, id);
  }
}

/** The rows at the end, read as a person would read them. */
function expected(shop: Shop): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  const add = (name: string, quantity: number): void => {
    sums[name] = (sums[name] ?? 0) + quantity;
  };
  for (const header of shop.tickets.values()) {
    const twins = [...shop.tickets.values()].filter((one) => one.number === header.number);
    const first = Math.min(...twins.map((one) => Number(one.id)));
    if (header.done !== 1 || Number(header.id) !== first) continue;
    for (const line of shop.lines.values()) {
      if (line.ticket_id !== header.id) continue;
      add(`event onHand sku-${line.code} ${header.sold_at}`, -Number(line.amount));
    }
  }
  for (const row of shop.orders.values()) add(`level reserved ${row.sku}`, Number(row.open));
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
}

const scenario = fc.record({
  transactions: fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { maxLength: 14 }),
  /** After which transaction the articles become known; rows before it wait. */
  articlesAfter: fc.nat(14),
  /** From which transaction the connector sends everything again, as after its own crash. */
  againFrom: fc.nat(20),
  order: fc.infiniteStream(fc.nat(1000)),
  faults: fc.infiniteStream(fc.nat(11)),
});

it.each([
  { lines: 'kept with it', intake: cornerShopIntake },
  { lines: 'kept apart', intake: intakeTopology(linesApart(cornerShop)) },
])(
  'D1: what intake tells is a function of the rows at the end, whatever the order, the crashes and the redeliveries: lines $lines',
  ({ intake }) => {
    fc.assert(
      fc.property(scenario, ({ transactions, articlesAfter, againFrom, order: orders, faults }) => {
        const shop: Shop = { tickets: new Map(), lines: new Map(), orders: new Map() };
        const source = new DebeziumSource('shop', intake as never);
        const articles: Commit = {
          committedAt: begin,
          writes: codes.map((code) => ({
            table: article,
            operation: 'c',
            row: { code, sku: `sku-${code}` },
          })),
        };
        const commits: Commit[] = transactions.map((acts, index) => ({
          committedAt: begin + index * 1000,
          writes: acts.flatMap((one) => perform(shop, one)),
        }));
        commits.splice(Math.min(articlesAfter, commits.length), 0, articles);
        const logs = commits.map((one) => source.commit(one));
        const log = [...logs, ...logs.slice(againFrom)].flat();
        const choose = (below: number): number => Number(orders.next().value) % below;
        const script = interleave(log, choose).flatMap((item) => {
          const fault = Number(faults.next().value);
          if (fault === 0) return [item, crash];
          if (fault === 1) return [item, redeliver];
          if (fault <= 4) return [item, commit];
          return [item];
        });
        const result = runTopology(intake, [...script, tick(begin)]);
        expect(result.deadLetters).toEqual([]);
        expect(toldBy(result)).toEqual(expected(shop));
      }),
      { numRuns: 200 },
    );
  },
);
