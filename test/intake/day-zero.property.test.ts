/** Day zero: what the opening balance contains, and what is told of it later, from the rows to the stock. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineMapping, type Table } from '../../processors/intake/mapping.ts';
import { intakeTopology } from '../../processors/intake/topology.ts';
import { movements, stockLevels } from '../../processors/topics.ts';
import { DebeziumSource, type Logged, type Write } from '../support/debezium.ts';
import { stockAsRun } from '../support/stock-as-run.ts';
import { commit, crash, record, runTopology } from '../support/topology-driver.ts';
import { balance, cornerShop, move } from './corner-shop.ts';
import { begin } from './played.ts';

const hourMs = 3_600_000;
const stock = stockAsRun();

const stocktake: Table = {
  name: 'stocktake',
  primaryKey: ['id'],
  columns: { id: 'id', sku: 'text', counted: 'quantity', at: 'localTime', final: 'integer' },
  onDelete: 'retract',
};

/** Its counts are in its balance, like its moves, and somebody makes them final. */
const intake = intakeTopology(
  defineMapping({
    ...cornerShop,
    documents: [
      ...cornerShop.documents.filter(({ name }) => ['balance', 'move'].includes(name)),
      {
        name: 'stocktake',
        header: stocktake,
        containedInOpening: true,
        effects: ({ header }) =>
          header.final !== 1
            ? []
            : [
                {
                  kind: 'count',
                  bucket: 'onHand',
                  sku: String(header.sku),
                  location: 'L1',
                  quantity: Number(header.counted),
                  occurredAt: Number(header.at),
                  reason: 'count',
                  reference: '',
                },
              ],
      },
    ],
  }),
);

type Row = { readonly id: number; readonly sku: 'A'; readonly at: number };
type Move = Row & { readonly quantity: number };
type Count = Row & { readonly counted: number; readonly final: 0 | 1 };

const holds = (quantity: number): Write => ({
  table: balance,
  operation: 'u',
  row: { sku: 'A', quantity },
});
/** Business times that no two rows share. */
const at = (hour: number, minute: number): number => begin + hour * hourMs + minute * 60_000;
const moves = (id: number, hour: number, quantity: number): Move => {
  return { id, sku: 'A', at: at(hour, id), quantity };
};
const counts = (id: number, hour: number, counted: number, final: 0 | 1): Count => {
  return { id, sku: 'A', at: at(hour, 30 + id), counted, final };
};
const write = (row: Move | Count, operation: Write['operation'] = 'u'): Write => ({
  table: 'counted' in row ? stocktake : move,
  operation,
  row,
});

/** From the rows to the figure of the one cell. */
function onHand(log: readonly (readonly Logged[])[], fault: () => number = () => 9): number {
  const told = runTopology(
    intake,
    log.flat().flatMap(({ item }) => [item, commit]),
  );
  expect(told.deadLetters).toEqual([]);
  const script = told.records(movements).flatMap(({ key, value }) => {
    const item = record(movements, key as string, value);
    return [item, ...([[crash], [commit]][fault()] ?? [])];
  });
  const result = runTopology(stock, script);
  const level = result.table(stockLevels).get(JSON.stringify({ sku: 'A', location: 'L1' }));
  return level?.quantities.onHand ?? 0;
}

describe('what is told after the opening balance of the time before it', () => {
  const shop = () => new DebeziumSource('shop', intake as never);

  it('D1: a count that is made final is followed by what moved between it and the opening', () => {
    const source = shop();
    const count = counts(1, -5, 20_000, 0);
    const read = [holds(9_000), write(moves(1, -6, 3_000)), write(moves(2, -4, -2_000))];
    const snapshot = source.snapshot({ committedAt: begin, writes: [...read, write(count)] });
    const final = source.commit({
      committedAt: begin + hourMs,
      writes: [write({ ...count, final: 1 })],
    });
    expect(onHand([snapshot])).toBe(9_000);
    expect(onHand([snapshot, final])).toBe(18_000);
  });

  it('D1: a count that is corrected is followed by it too', () => {
    const source = shop();
    const count = counts(1, -5, 20_000, 1);
    const read = [holds(18_000), write(count), write(moves(2, -4, -2_000))];
    const snapshot = source.snapshot({ committedAt: begin, writes: read });
    const corrected = source.commit({
      committedAt: begin + hourMs,
      writes: [write({ ...count, counted: 25_000 })],
    });
    expect(onHand([snapshot, corrected])).toBe(23_000);
  });

  it('D1: what is booked late for before a count that the opening contains is not booked again', () => {
    const source = shop();
    const read = [holds(20_000), write(counts(1, -5, 20_000, 1))];
    const snapshot = source.snapshot({ committedAt: begin, writes: read });
    const late = source.commit({
      committedAt: begin + hourMs,
      writes: [write(moves(1, -6, -1_000), 'c'), write(moves(2, -4, -3_000), 'c')],
    });
    expect(onHand([snapshot, late])).toBe(17_000);
  });
});

const drawnMove = fc.record({
  hour: fc.integer({ min: -40, max: 20 }),
  units: fc.integer({ min: -9, max: 9 }),
});
const drawnCount = fc.record({
  hour: fc.integer({ min: -40, max: 20 }),
  units: fc.nat(30),
  final: fc.constantFrom(0, 1),
});
const change = fc.record({
  what: fc.constantFrom('move', 'count', 'final', 'noMove', 'noCount'),
  which: fc.nat(5),
  units: fc.nat(30),
});
const scenario = fc.record({
  opening: fc.integer({ min: -20, max: 90 }),
  moves: fc.array(drawnMove, { maxLength: 6 }),
  counts: fc.array(drawnCount, { maxLength: 4 }),
  /** Of these the snapshot shows the first; the others come after it. */
  shown: fc.record({ moves: fc.nat(6), counts: fc.nat(4) }),
  /** What somebody does after a first snapshot broke off, before it begins again; undefined: it does not break off. */
  meanwhile: fc.option(fc.array(change, { maxLength: 4 }), { nil: undefined }),
  changes: fc.array(change, { maxLength: 6 }),
  faults: fc.infiniteStream(fc.nat(9)),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** The tables of the shop while somebody works on them, and which of its counts are news. */
class Shop {
  readonly moves = new Map<number, Move>();
  readonly counts = new Map<number, Count>();
  readonly news = new Set<number>();

  rows(): readonly (Move | Count)[] {
    return [...this.moves.values(), ...this.counts.values()];
  }

  /** An empty table is not seen by a snapshot (SPEC.md, gaps). */
  leavesRows({ what }: Change): boolean {
    if (what === 'noMove') return this.moves.size > 1;
    return what !== 'noCount' || this.counts.size > 1;
  }

  apply({ what, which, units }: Change): readonly Write[] {
    const move = this.moves.get(which);
    const count = this.counts.get(which);
    switch (what) {
      case 'move':
        return move === undefined ? [] : [this.put({ ...move, quantity: (units - 15) * 1000 })];
      case 'count':
        return count === undefined ? [] : [this.put({ ...count, counted: units * 1000 })];
      case 'final':
        return count === undefined
          ? []
          : [this.put({ ...count, final: count.final === 1 ? 0 : 1 })];
      case 'noMove':
        this.moves.delete(which);
        return move === undefined ? [] : [write(move, 'd')];
      case 'noCount':
        this.counts.delete(which);
        return count === undefined ? [] : [write(count, 'd')];
    }
  }

  put(row: Move | Count): Write {
    if ('quantity' in row) this.moves.set(row.id, row);
    else {
      const known = this.counts.get(row.id);
      if (known?.counted !== row.counted || known.final !== row.final) this.news.add(row.id);
      this.counts.set(row.id, row);
    }
    return write(row);
  }
}

/** The rows at the opening and now, read as a person would read them. */
function expected(opening: number, shown: ReadonlyMap<number, Move>, shop: Shop): number {
  const [last] = [...shop.counts.values()]
    .filter(({ final }) => final === 1)
    .sort((one, other) => other.at - one.at);
  const sum = (rows: ReadonlyMap<number, Move>): number =>
    [...rows.values()]
      .filter((row) => last === undefined || row.at > last.at)
      .reduce((total, { quantity }) => total + quantity, 0);
  return last !== undefined && shop.news.has(last.id)
    ? last.counted + sum(shop.moves)
    : opening + sum(shop.moves) - sum(shown);
}

it('D1: stock is the last count that is news and all after it, else the opening and what is new after the last count', () => {
  fc.assert(
    fc.property(scenario, (drawn) => {
      const shop = new Shop();
      const allMoves = drawn.moves.map(({ hour, units }, id) => moves(id, hour, units * 1000));
      const allCounts = drawn.counts.map(({ hour, units, final }, id) =>
        counts(id, hour, units * 1000, final as 0 | 1),
      );
      const shown = [
        ...allMoves.slice(0, drawn.shown.moves).filter((row) => row.at < begin),
        ...allCounts.slice(0, drawn.shown.counts).filter((row) => row.at < begin),
      ];
      const source = new DebeziumSource('shop', intake as never);
      const opening = drawn.opening * 1000;
      for (const row of shown) shop.put(row);
      const read = () => ({
        committedAt: begin,
        writes: [holds(opening), ...shop.rows().map((row) => write(row))],
      });
      const brokenOff = drawn.meanwhile && source.snapshot(read(), { isComplete: false });
      for (const one of drawn.meanwhile ?? []) if (shop.leavesRows(one)) shop.apply(one);
      const snapshot = [...(brokenOff ?? []), ...source.snapshot(read())];
      shop.news.clear();
      const shownMoves = new Map(shop.moves);
      const later = [
        ...[...allMoves, ...allCounts]
          .filter((row) => !shown.includes(row))
          .map((row) => [shop.put(row)]),
        ...drawn.changes.map((one) => shop.apply(one)),
      ];
      const log = later.map((writes, index) =>
        source.commit({ committedAt: begin + 24 * hourMs + index, writes }),
      );
      const figure = onHand([snapshot, ...log], () => Number(drawn.faults.next().value));
      expect(figure).toBe(expected(opening, shownMoves, shop));
    }),
    { numRuns: 300 },
  );
});
