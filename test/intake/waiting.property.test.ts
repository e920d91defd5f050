/** Rows that wait for a lookup: on day zero, when not all of the snapshot has been read yet, and for what is named later. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DocumentMapping, dayMs } from '../../processors/intake/mapping.ts';
import { intakeTopology } from '../../processors/intake/topology.ts';
import { movements } from '../../processors/topics.ts';
import { DebeziumSource, interleave, type Logged, type Write } from '../support/debezium.ts';
import { commit, crash, redeliver, runTopology, tick } from '../support/topology-driver.ts';
import { article, balance, cornerShop, move, order, stocktake, toldBy } from './corner-shop.ts';
import { begin, second } from './played.ts';

/** Its rows hold codes: what a code is called is in a table that the snapshot reads too, or that is filled later. */
const byCode = (document: DocumentMapping): DocumentMapping => ({
  ...document,
  effects: (rows, resolver) =>
    document
      .effects(rows, resolver)
      .map((draft) => ({ ...draft, sku: resolver.lookup('sku-by-code', draft.sku) })),
});
const intake = intakeTopology({
  ...cornerShop,
  documents: cornerShop.documents.map((one) =>
    ['balance', 'move', 'order', 'stocktake'].includes(one.name) ? byCode(one) : one,
  ),
});

const named = (code: string, operation: Write['operation'] = 'c'): Write => ({
  table: article,
  operation,
  row: { code, sku: `sku-${code}` },
});
const holds = (sku: string, quantity: number, operation: Write['operation'] = 'u'): Write => ({
  table: balance,
  operation,
  row: { sku, quantity },
});
const moves = (id: number, sku: string, quantity: number): Write => ({
  table: move,
  operation: 'c',
  row: { id, sku, quantity, at: begin },
});
const orders = (id: number, sku: string, open: number): Write => ({
  table: order,
  operation: 'u',
  row: { id, sku, open },
});

const play = (...logs: readonly (readonly Logged[])[]) => {
  const items = logs.flat().flatMap(({ item }) => [item, commit]);
  return toldBy(runTopology(intake, items));
};

describe('what the snapshot showed opens a cell', () => {
  it('D1: though it was sold before the name of the article was read', () => {
    const source = new DebeziumSource('shop', intake as never);
    const [held, ...names] = source.snapshot({
      committedAt: begin,
      writes: [holds('a', 10_000), named('a')],
    });
    const sale = source.commit({
      committedAt: begin + second,
      writes: [holds('a', 7_000), moves(1, 'a', -3_000)],
    });
    if (held === undefined) throw new Error('nothing was read');
    const told = { 'opening onHand sku-a': 10_000, [`event onHand sku-a ${begin}`]: -3_000 };
    expect(play([held], sale, names)).toEqual(told);
  });

  it('D1: though the article is named only later', () => {
    const source = new DebeziumSource('shop', intake as never);
    const read = source.snapshot({ committedAt: begin, writes: [holds('a', 10_000)] });
    const sale = source.commit({
      committedAt: begin + second,
      writes: [holds('a', 7_000), moves(1, 'a', -3_000)],
    });
    const name = source.commit({ committedAt: begin + 2 * second, writes: [named('a')] });
    const told = { 'opening onHand sku-a': 10_000, [`event onHand sku-a ${begin}`]: -3_000 };
    expect(play(read, sale, name)).toEqual(told);
  });

  it('D1: and a balance that came up after it opens nothing', () => {
    const source = new DebeziumSource('shop', intake as never);
    const [other, ...names] = source.snapshot({
      committedAt: begin,
      writes: [orders(1, 'a', 2_000), named('a')],
    });
    const bought = source.commit({
      committedAt: begin + second,
      writes: [holds('a', 4_000, 'c'), moves(1, 'a', 4_000)],
    });
    if (other === undefined) throw new Error('nothing was read');
    expect(play([other], bought, names)).toEqual({
      'level reserved sku-a': 2_000,
      [`event onHand sku-a ${begin}`]: 4_000,
    });
  });
});

it('D1: what waited has the time of its own commit, and its own place', () => {
  const source = new DebeziumSource('shop', intake as never);
  const names = source.snapshot({ committedAt: begin - second, writes: [named('a')] });
  const counted = { id: 1, sku: 'a', counted: 2_000, day: Math.floor(begin / dayMs) };
  const writes: readonly Write[] = [{ table: stocktake, operation: 'c', row: counted }];
  const count = source.commit({ committedAt: begin, writes });
  const places = (log: readonly Logged[]) => {
    const items = log.map(({ item }) => item);
    const told = runTopology(intake, items).records(movements);
    return told.flatMap(({ value }) => value?.effects.map((one) => [one.occurredAt, one.order]));
  };
  expect(places([...count, ...names])).toEqual(places([...names, ...count]));
  expect(places([...count, ...names])).toEqual([[begin, expect.any(String)]]);
});

const codes = ['a', 'b', 'c'];
const day = fc.record({
  opened: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }),
  /** Which articles the snapshot finds, and after how many sales the others are named. */
  found: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  namedAfter: fc.nat(8),
  sales: fc.array(fc.record({ of: fc.nat(2), pieces: fc.integer({ min: -5, max: 5 }) }), {
    maxLength: 8,
  }),
  order: fc.infiniteStream(fc.nat(1000)),
  faults: fc.infiniteStream(fc.nat(9)),
});

it('D1: what opens and what is added to it are the same in whatever order the tables arrive', () => {
  fc.assert(
    fc.property(day, ({ opened, found, namedAfter, sales, order: choices, faults }) => {
      const source = new DebeziumSource('shop', intake as never);
      const balances = opened.map((pieces) => pieces * 1000);
      const expected = new Map(
        codes.map((code, of) => [`opening onHand sku-${code}`, balances[of] ?? 0]),
      );
      const add = (name: string, quantity: number): void => {
        expected.set(name, (expected.get(name) ?? 0) + quantity);
      };
      const logs = [
        source.snapshot({
          committedAt: begin,
          writes: [
            ...codes.map((code, of) => holds(code, balances[of] ?? 0)),
            ...codes.map((code, of) => moves(-1 - of, code, balances[of] ?? 0)),
            ...codes.map((code, of) => orders(of, code, 1000)),
            ...codes.filter((_, of) => found[of]).map((code) => named(code)),
          ],
        }),
      ];
      const name = (): void => {
        const writes = codes.filter((_, of) => !found[of]).map((code) => named(code));
        if (writes.length > 0) logs.push(source.commit({ committedAt: begin + second, writes }));
      };
      const open = codes.map(() => 1000);
      for (const [id, { of, pieces }] of sales.entries()) {
        if (id === namedAfter) name();
        const code = codes[of] ?? '';
        balances[of] = (balances[of] ?? 0) + pieces * 1000;
        open[of] = (id + 2) * 1000;
        const writes = [
          moves(id, code, pieces * 1000),
          holds(code, balances[of] ?? 0),
          orders(of, code, open[of] ?? 0),
        ];
        logs.push(source.commit({ committedAt: begin + second, writes }));
        add(`event onHand sku-${code} ${begin}`, pieces * 1000);
      }
      if (namedAfter >= sales.length) name();
      for (const [of, code] of codes.entries()) add(`level reserved sku-${code}`, open[of] ?? 0);
      const choose = (below: number): number => Number(choices.next().value) % below;
      const script = interleave(logs.flat(), choose).flatMap((item) => {
        const fault = Number(faults.next().value);
        return fault < 3 ? [item, ([crash, redeliver, commit] as const)[fault] ?? commit] : [item];
      });
      const result = runTopology(intake, [...script, tick(begin)]);
      expect(result.deadLetters).toEqual([]);
      expect(toldBy(result)).toEqual(
        Object.fromEntries([...expected].filter(([, quantity]) => quantity !== 0)),
      );
    }),
    { numRuns: 150 },
  );
});
