import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isAfter } from '../../processors/domain/history.ts';
import { noQuantities } from '../../processors/domain/quantities.ts';
import { CellHistory } from '../../processors/stock/cell-history.ts';
import type { Cell, StockState } from '../../processors/stock/state.ts';

const orders = fc.record({
  at: fc.integer({ min: -50, max: 50 }),
  system: fc.constantFrom('erp', 'pos'),
  order: fc.integer({ min: 10, max: 40 }).map(String),
  quantity: fc.constantFrom(-2_000, -1_000, 1_000, 2_000),
});

it('what lies after a count is what a plain list says, however the pages are cut', () => {
  const moves = fc.oneof(
    fc.array(orders, { maxLength: 400 }),
    // Time that only goes on, and time that only goes back.
    fc.array(orders, { maxLength: 400 }).map((some) => some.map((one, at) => ({ ...one, at }))),
    fc
      .array(orders, { maxLength: 400 })
      .map((some) => some.map((one, at) => ({ ...one, at: -at }))),
  );
  fc.assert(
    fc.property(moves, orders, (added, anchor) => {
      const values = new Map<string, StockState>();
      const history = new CellHistory(
        {
          get: (key) => values.get(key),
          put: (key, value) => void values.set(key, value),
          delete: (key) => void values.delete(key),
        },
        'A1',
        'L1',
      );
      let pages: Cell['pages'] = [];
      for (const { quantity, ...place } of added) pages = history.add(pages, place, quantity);
      expect([...pages].sort((one, other) => one - other)).toEqual(pages);
      expect(values.size).toBe(pages.length);
      const cell: Cell = {
        kind: 'cell',
        quantities: noQuantities,
        opening: 5_000,
        counts: [],
        pages,
        sequence: 1,
      };
      const sum = (some: typeof added) => some.reduce((total, one) => total + one.quantity, 0);
      expect(history.onHand(cell)).toBe(5_000 + sum(added));
      const counted = { ...cell, counts: [{ ...anchor, standing: 1 }] };
      const after = added.filter((place) => isAfter(place, anchor));
      expect(history.onHand(counted)).toBe(anchor.quantity + sum(after));
    }),
    { numRuns: 300 },
  );
});
