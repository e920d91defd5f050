/** Single promises of intake, each with the smallest log that shows it. */
import { describe, expect, it } from 'vitest';
import { alerts, movements } from '../../processors/topics.ts';
import { DebeziumSource, type Write } from '../support/debezium.ts';
import { commit, crash, runTopology, type ScriptItem, tick } from '../support/topology-driver.ts';
import {
  article,
  cornerShopIntake,
  order,
  stocktake,
  ticket,
  ticketLine,
  toldBy,
} from './corner-shop.ts';

const begin = Date.UTC(2026, 4, 20, 8);
const day = 86_400_000;

/** Commits at given times, played one after the other. */
function shop() {
  const source = new DebeziumSource('shop', cornerShopIntake as never);
  const items: ScriptItem[] = [];
  return {
    source,
    items,
    commit: (committedAt: number, ...writes: readonly Write[]) => {
      const logged = source.commit({ committedAt, writes }).map(({ item }) => item);
      items.push(...logged);
      return logged;
    },
    run: () => runTopology(cornerShopIntake, items),
  };
}

const known: Write = { table: article, operation: 'c', row: { code: 'a', sku: 'A' } };
const sold = (id: number, soldAt: number, number = `n${id}`): readonly Write[] => [
  { table: ticket, operation: 'c', row: { id, number, sold_at: soldAt, done: 1 } },
  {
    table: ticketLine,
    operation: 'c',
    row: { id: id * 10, ticket_id: id, code: 'a', amount: 2000 },
  },
];

describe('intake', () => {
  it('O1: tells a source transaction only when all of it is there, as one movement per SKU', () => {
    const one = shop();
    const rows = one.commit(begin, known, ...sold(1, begin));
    const partly = runTopology(cornerShopIntake, rows.slice(0, -1));
    expect(partly.records(movements)).toEqual([]);
    expect(one.run().records(movements)).toHaveLength(1);
  });

  it('tells nothing of a transaction that deletes all and inserts it again', () => {
    const one = shop();
    one.commit(begin, known, ...sold(1, begin));
    const [header, line] = sold(1, begin);
    if (header === undefined || line === undefined) throw new Error('no ticket');
    const gone: Write[] = [
      { ...line, operation: 'd' },
      { ...header, operation: 'd' },
    ];
    one.commit(begin + 1000, ...gone, header, line);
    expect(one.run().records(movements)).toHaveLength(1);
  });

  it('waits with a document until the article is known, and tells it then at its own time', () => {
    const one = shop();
    one.commit(begin, ...sold(1, begin));
    one.commit(begin + 60_000, known);
    const result = one.run();
    expect(result.counts.waiting).toBe(1);
    expect(toldBy(result)).toEqual({ [`event onHand A ${begin}`]: -2000 });
  });

  it('takes back what it told when a row is deleted', () => {
    const one = shop();
    one.commit(begin, known, ...sold(1, begin));
    one.commit(begin + 1000, { table: ticketLine, operation: 'd', row: { id: 10 } });
    expect(toldBy(one.run())).toEqual({});
  });

  it('changes nothing when housekeeping deletes old tickets, and counts them', () => {
    const one = shop();
    one.commit(begin, known, ...sold(1, begin));
    one.commit(begin + 20 * day, ...sold(2, begin + 20 * day));
    one.commit(begin + 20 * day, { table: ticket, operation: 'd', row: { id: 1 } });
    one.commit(begin + 20 * day, { table: ticketLine, operation: 'd', row: { id: 10 } });
    const result = one.run();
    expect(result.counts.purged).toBe(2);
    expect(Object.keys(toldBy(result))).toHaveLength(2);
  });

  it('knows a quiet month from housekeeping: the age counts on while nothing is sold', () => {
    const one = shop();
    one.commit(begin, known, ...sold(1, begin));
    one.commit(begin + 30 * day, { table: ticket, operation: 'd', row: { id: 1 } });
    expect(one.run().counts.purged).toBe(1);
  });

  it('takes back a wrong ticket in a history that is caught up with long after', () => {
    const one = shop();
    one.commit(begin + 25 * day, known, ...sold(1, begin));
    one.commit(begin + 25 * day + 1000, { table: ticket, operation: 'd', row: { id: 1 } });
    expect(toldBy(one.run())).toEqual({});
  });

  it('counts a ticket that was uploaded twice once: the one with the lowest id', () => {
    const one = shop();
    one.commit(begin, known, ...sold(2, begin, 'same'));
    one.commit(begin + 1000, ...sold(1, begin + 500, 'same'));
    expect(toldBy(one.run())).toEqual({ [`event onHand A ${begin + 500}`]: -2000 });
  });

  it('counts the second upload never, though housekeeping has removed the first and it changes', () => {
    const one = shop();
    one.commit(begin, known, ...sold(1, begin - 20 * day, 'same'), ...sold(2, begin, 'same'));
    one.commit(begin + 1000, { table: ticket, operation: 'd', row: { id: 1 } });
    one.commit(
      begin + 2000,
      ...sold(2, begin, 'same').map((one): Write => ({ ...one, operation: 'u' })),
    );
    expect(toldBy(one.run())).toEqual({ [`event onHand A ${begin - 20 * day}`]: -2000 });
  });

  it('D3: puts a change that is too late into the dead letters, with an alert, and goes on', () => {
    const one = shop();
    one.commit(begin, known, ...sold(1, begin - 36 * day));
    one.commit(begin + 1000, ...sold(2, begin));
    const result = one.run();
    expect(result.deadLetters.map(({ code }) => code)).toEqual(['LATE']);
    expect(result.records(alerts).map(({ value }) => value?.kind)).toEqual(['late']);
    expect(toldBy(result)).toEqual({ [`event onHand A ${begin}`]: -2000 });
  });

  it('D3: puts a row that it cannot read into the dead letters, and the rest of its transaction counts', () => {
    const one = shop();
    const broken: Write = {
      table: order,
      operation: 'c',
      row: { id: null, sku: 'A', open: 1000 },
    };
    one.commit(begin, known, broken, ...sold(1, begin));
    const result = one.run();
    expect(result.deadLetters.map(({ code, reason }) => [code, reason])).toEqual([
      ['CHANGE_UNUSABLE', 'ord.id is part of the key and is missing'],
    ]);
    expect(toldBy(result)).toEqual({ [`event onHand A ${begin}`]: -2000 });
  });

  it('releases a transaction whose END never comes, flagged, ten seconds after the log has gone on', () => {
    const one = shop();
    const rows = one.commit(begin, known, ...sold(1, begin)).slice(0, -1);
    const later = one.commit(begin + 1_000, ...sold(2, begin));
    const ticks = Array.from({ length: 13 }, (_, second) => tick(begin + second * 1000));
    const result = runTopology(cornerShopIntake, [...rows, ...later, ...ticks]);
    expect(toldBy(result)).toEqual({ [`event onHand A ${begin}`]: -4000 });
    expect(result.records(alerts).map(({ value }) => value?.kind)).toEqual(['lostTransactionEnd']);
  });

  it('O1: waits for the rest of a transaction while the log stands still, and tells nothing of its part', () => {
    const one = shop();
    const rows = one.commit(begin, known, ...sold(1, begin));
    const minutes = (from: number, to: number) =>
      Array.from({ length: (to - from) * 6 }, (_, at) => tick(begin + from * 60_000 + at * 10_000));
    const waiting = [...rows.slice(0, -1), ...minutes(0, 9)];
    expect(runTopology(cornerShopIntake, waiting).records(movements)).toEqual([]);
    const result = runTopology(cornerShopIntake, [...waiting, ...rows.slice(-1)]);
    expect(result.records(movements)).toHaveLength(1);
    expect(result.records(alerts)).toEqual([]);
    const given = runTopology(cornerShopIntake, [...waiting, ...minutes(9, 12)]);
    expect(given.records(alerts).map(({ value }) => value?.kind)).toEqual(['lostTransactionEnd']);
  });

  it('O1: waits for a transaction whose rows come for longer than the deadline, though others stand behind it', () => {
    const one = shop();
    const many = Array.from({ length: 30 }, (_, at) => sold(at + 1, begin)).flat();
    const rows = one.commit(begin, known, ...many);
    const later = one.commit(begin + 1_000, ...sold(99, begin));
    // ENDs have a topic of their own, which may be read far ahead.
    const slow = rows.slice(0, -1).flatMap((row, at) => [row, tick(begin + at * 2_000)]);
    const result = runTopology(cornerShopIntake, [...rows.slice(-1), ...later, ...slow]);
    expect(result.records(alerts)).toEqual([]);
    expect(toldBy(result)).toEqual({ [`event onHand A ${begin}`]: -62_000 });
  });

  it('dates a movement from the future as of its commit', () => {
    const one = shop();
    one.commit(begin, known, ...sold(1, begin + 3_600_000));
    expect(toldBy(one.run())).toEqual({ [`event onHand A ${begin}`]: -2000 });
  });

  it("gives a date without time the commit's time on its own day, and else the end of that day", () => {
    const one = shop();
    const today = Math.floor(begin / day);
    const counted = (id: number, on: number): Write => ({
      table: stocktake,
      operation: 'c',
      row: { id, sku: 'A', counted: 5000, day: on },
    });
    one.commit(begin, counted(1, today), counted(2, today - 1));
    const yesterdayEnds = Date.UTC(2026, 4, 19, 21, 59, 59, 999);
    expect(toldBy(one.run())).toEqual({
      [`count onHand A ${begin} 5000`]: 1,
      [`count onHand A ${yesterdayEnds} 5000`]: 1,
    });
  });

  it('moves a level by its change, at the time of the change', () => {
    const one = shop();
    const open = (quantity: number, operation: 'c' | 'u'): Write => ({
      table: order,
      operation,
      row: { id: 1, sku: 'A', open: quantity },
    });
    one.commit(begin, open(5000, 'c'));
    one.commit(begin + 1000, open(2000, 'u'));
    const steps = one
      .run()
      .records(movements)
      .flatMap(({ value }) => value?.effects ?? []);
    expect(steps.map(({ quantity, occurredAt }) => [quantity, occurredAt])).toEqual([
      [5000, begin],
      [-3000, begin + 1000],
    ]);
  });

  it('D1: counts each redelivered row as a duplicate and tells nothing again', () => {
    const one = shop();
    const first = one.commit(begin, known, ...sold(1, begin));
    one.items.push(commit, ...first, crash, ...first);
    const result = one.run();
    expect(result.counts.duplicates).toBe(6);
    expect(result.records(movements)).toHaveLength(1);
  });
});
