import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  correctCount,
  deleteCount,
  emptyLedger,
  foldLedger,
  onHand,
  recordCount,
  recordMovement,
} from '../../connectors/simulator/stock-ledger.ts';

it('without a count everything sums up', () => {
  const ledger = emptyLedger();
  recordMovement(ledger, 100, 5000);
  recordMovement(ledger, 50, -2000);
  expect(onHand(ledger)).toBe(3000);
});

it('a count anchors: only what is dated strictly after it is added', () => {
  const ledger = emptyLedger();
  recordMovement(ledger, 100, 5000);
  recordCount(ledger, { id: 'first', atMs: 100, quantity: 4000 });
  recordMovement(ledger, 100, -1000);
  recordMovement(ledger, 101, -500);
  expect(onHand(ledger)).toBe(3500);
});

it('a late sale from before the count changes nothing, its retraction neither', () => {
  const ledger = emptyLedger();
  recordCount(ledger, { id: 'first', atMs: 100, quantity: 4000 });
  recordMovement(ledger, 90, -1000);
  recordMovement(ledger, 90, 1000);
  expect(onHand(ledger)).toBe(4000);
});

it('a corrected count counts as corrected, a deleted one leaves the figure to the one before', () => {
  const ledger = emptyLedger();
  recordMovement(ledger, 10, 9000);
  recordCount(ledger, { id: 'first', atMs: 100, quantity: 4000 });
  recordCount(ledger, { id: 'second', atMs: 200, quantity: 7000 });
  recordMovement(ledger, 150, -1000);
  correctCount(ledger, 'second', 6000);
  expect(onHand(ledger)).toBe(6000);
  deleteCount(ledger, 'second');
  expect(onHand(ledger)).toBe(3000);
  deleteCount(ledger, 'first');
  expect(onHand(ledger)).toBe(8000);
});

it('folding old history never changes a figure, whatever comes later', () => {
  const foldMs = 500;
  const movement = fc.record({
    atMs: fc.integer({ min: 0, max: 1000 }),
    quantity: fc.integer({ min: -5000, max: 5000 }),
  });
  const counts = fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(movement),
      counts,
      fc.array(movement),
      fc.integer({ min: 0, max: 5 }),
      (before, countedAtMs, after, deleted) => {
        const folded = emptyLedger();
        const whole = emptyLedger();
        for (const ledger of [folded, whole]) {
          for (const { atMs, quantity } of before) recordMovement(ledger, atMs, quantity);
          for (const atMs of countedAtMs) {
            recordCount(ledger, { id: String(atMs), atMs, quantity: atMs * 3 });
          }
        }
        foldLedger(folded, foldMs);
        // Only counts that are young enough are deleted afterwards.
        const gone = countedAtMs[deleted];
        for (const ledger of [folded, whole]) {
          for (const { atMs, quantity } of after) recordMovement(ledger, atMs, quantity);
          if (gone !== undefined && gone >= foldMs) deleteCount(ledger, String(gone));
        }
        expect(onHand(folded)).toBe(onHand(whole));
      },
    ),
  );
});
