/** What cannot be used as it comes: tables that changed, rows that wait, effects that are refused, a past that was wrong. */
import { describe, expect, it } from 'vitest';
import { freshness, movements } from '../../processors/topics.ts';
import type { Write } from '../support/debezium.ts';
import { commit, crash, runTopology, type ScriptItem, tick } from '../support/topology-driver.ts';
import { article, cornerShopIntake, ticket, ticketLine, toldBy } from './corner-shop.ts';
import { begin, kindsOf, moved, open, played, redriven, second, source } from './played.ts';

describe('a table that no longer fits the mapping', () => {
  const renamed = { id: 'id', sku: 'text', open_quantity: 'quantity' } as const;
  const broken: Write = {
    ...open(2, 0),
    row: { id: 2, sku: 'A', open_quantity: 2000 },
    written: renamed,
  };

  it('D3: stands still by itself, loudly, and its changes are kept as dead letters', () => {
    const from = source();
    const result = played(
      from.commit({ committedAt: begin, writes: [open(1, 1000)] }),
      from.commit({ committedAt: begin + second, writes: [broken, moved(1, 4000)] }),
      from.commit({ committedAt: begin + 2 * second, writes: [{ ...broken, operation: 'u' }] }),
    );
    expect(result.deadLetters.map(({ code, reason }) => [code, reason])).toEqual([
      ['TABLE_STOPPED', 'column open of ord is gone'],
      ['TABLE_STOPPED', 'column open of ord is gone'],
    ]);
    expect(kindsOf(result)).toEqual(['tableStopped true']);
    expect(toldBy(result)).toEqual({ 'level reserved A': 1000, [`event onHand A ${begin}`]: 4000 });
  });

  it('D3: resumes when it fits again, and a redriven change counts where no later one came', () => {
    const from = source();
    const [lost] = from.commit({
      committedAt: begin,
      writes: [{ ...open(1, 1000), headers: redriven }],
    });
    const [overtaken] = from.commit({
      committedAt: begin,
      writes: [{ ...open(2, 9000), headers: redriven }],
    });
    const result = played(
      from.commit({ committedAt: begin + second, writes: [broken] }),
      from.commit({ committedAt: begin + 2 * second, writes: [open(2, 2000, 'u')] }),
      [lost, overtaken].flatMap((one) => (one === undefined ? [] : [one])),
    );
    expect(kindsOf(result)).toEqual(['tableStopped true', 'tableStopped false']);
    expect(toldBy(result)).toEqual({ 'level reserved A': 3000 });
  });

  it('D3: is told to every answer while it does, and that it goes on again', () => {
    const from = source();
    const stops = from.commit({ committedAt: begin, writes: [broken] });
    const goesOn = from.commit({ committedAt: begin + second, writes: [open(2, 2000, 'c')] });
    const items = (logged: typeof stops) => logged.map(({ item }) => item);
    const { records } = runTopology(cornerShopIntake, [
      tick(begin),
      commit,
      ...items(stops),
      tick(begin + 1),
      commit,
      tick(begin + 2),
      commit,
      ...items(goesOn),
      tick(begin + 3),
    ]);
    const words = records(freshness).filter(({ partition }) => partition === 1);
    expect(words.map(({ value }) => [value?.hop, value?.state])).toEqual([
      ['tables', 'degraded'],
      ['tables', 'degraded'],
      ['tables', 'fresh'],
    ]);
    expect(words[0]?.value?.reason).toMatch(/^stands still: ord: /);
    expect(new Set(records(freshness).map(({ partition }) => partition)).size).toBe(
      freshness.partitions,
    );
  });
});

describe('what waits and what is refused', () => {
  const sold = (id: number, code: string, soldAt = begin): readonly Write[] => [
    { table: ticket, operation: 'c', row: { id, number: `n${id}`, sold_at: soldAt, done: 1 } },
    { table: ticketLine, operation: 'c', row: { id, ticket_id: id, code, amount: 1000 } },
  ];
  const known: Write = { table: article, operation: 'c', row: { code: 'a', sku: 'A' } };

  it('D3: a bounded number of documents waits; the next is a dead letter, and goes on when redriven', () => {
    const from = source();
    const waiting = Array.from({ length: 21 }, (_, id) => sold(id, `c${id % 5}`)).flat();
    const logs = [
      from.commit({ committedAt: begin, writes: waiting.slice(0, 40) }),
      from.commit({ committedAt: begin + second, writes: waiting.slice(40) }),
    ];
    const items = logs.flat().map(({ item }) => item);
    const full = runTopology(cornerShopIntake, items);
    expect(full.deadLetters.map(({ code }) => code)).toEqual(['LOOKUP_MISSING']);
    const codes = Array.from(
      { length: 5 },
      (_, code): Write => ({
        table: article,
        operation: 'c',
        row: { code: `c${code}`, sku: 'A' },
      }),
    );
    const learnt = from.commit({ committedAt: begin + second, writes: codes });
    const again = items.at(-1);
    if (again?.kind !== 'record') throw new Error('an END is a record');
    const result = runTopology(cornerShopIntake, [
      ...items,
      ...learnt.map(({ item }) => item),
      { ...again, headers: redriven },
    ]);
    expect(toldBy(result)).toEqual({ [`event onHand A ${begin}`]: -21_000 });
  });

  it('D3: what was too late is told as of the redrive, as an adjustment, and once', () => {
    const from = source();
    const late = from.commit({
      committedAt: begin,
      writes: [known, ...sold(1, 'a', begin - 40 * 86_400_000)],
    });
    const end = late.at(-1)?.item;
    if (end?.kind !== 'record') throw new Error('an END is a record');
    const now = begin + 86_400_000;
    const again: ScriptItem = { ...end, headers: redriven, timestampMs: now };
    const result = runTopology(cornerShopIntake, [
      ...late.map(({ item }) => item),
      commit,
      again,
      crash,
      again,
    ]);
    expect(result.deadLetters.map(({ code }) => code)).toEqual(['LATE']);
    expect(toldBy(result)).toEqual({ [`event onHand A ${now}`]: -1000 });
  });

  it('D3: an effect that stock could not use is refused with its document, and all else goes on', () => {
    const from = source();
    const nameless: Write = { ...open(1, 1000), row: { id: 1, sku: '', open: 1000 } };
    const result = played(from.commit({ committedAt: begin, writes: [nameless, open(2, 2000)] }));
    expect(result.deadLetters.map(({ code, reason }) => [code, reason.slice(-12)])).toEqual([
      ['EFFECT_UNUSABLE', ':  is no SKU'],
    ]);
    expect(toldBy(result)).toEqual({ 'level reserved A': 2000 });
  });

  it('a transaction that is released by the deadline and refused ends in an alert', () => {
    const from = source();
    const rows = from.commit({ committedAt: begin, writes: [known, ...sold(1, 'a', 0)] });
    const later = from.commit({ committedAt: begin + second, writes: [open(2, 2000)] });
    const ticks = Array.from({ length: 13 }, (_, at) => tick(begin + at * second));
    const result = runTopology(cornerShopIntake, [
      ...[...rows.slice(0, -1), ...later].map(({ item }) => item),
      ...ticks,
    ]);
    expect(kindsOf(result)).toEqual(['late true', 'lostTransactionEnd true']);
  });
});

describe('telling the past anew', () => {
  it('D1: documents are computed again by the lookups of today, and the reason is told', () => {
    const from = source();
    const wrong: Write = { table: article, operation: 'c', row: { code: 'a', sku: 'WRONG' } };
    const right: Write = { table: article, operation: 'u', row: { code: 'a', sku: 'A' } };
    const sale: readonly Write[] = [
      { table: ticket, operation: 'c', row: { id: 1, number: 'n', sold_at: begin, done: 1 } },
      { table: ticketLine, operation: 'c', row: { id: 1, ticket_id: 1, code: 'a', amount: 1000 } },
    ];
    const logs = [
      from.commit({ committedAt: begin, writes: [wrong, ...sale] }),
      from.commit({ committedAt: begin + second, writes: [right] }),
    ].flat();
    const last = logs.at(-1)?.item;
    if (last?.kind !== 'record') throw new Error('an END is a record');
    const restate: ScriptItem = {
      ...last,
      value: undefined,
      timestampMs: begin + 2 * second,
      headers: [['restate', new TextEncoder().encode('wrong article')]],
    };
    const before = runTopology(
      cornerShopIntake,
      logs.map(({ item }) => item),
    );
    expect(toldBy(before)).toEqual({ [`event onHand WRONG ${begin}`]: -1000 });
    const after = runTopology(cornerShopIntake, [...logs.map(({ item }) => item), restate]);
    expect(toldBy(after)).toEqual({ [`event onHand A ${begin}`]: -1000 });
    const reasons = after.records(movements).flatMap(({ value }) => value?.effects ?? []);
    expect(reasons.map(({ reason }) => reason)).toEqual([
      'test',
      'restatement: wrong article',
      'restatement: wrong article',
    ]);
  });
});
