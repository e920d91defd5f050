import { deserialize, serialize } from 'node:v8';
import { expect, it } from 'vitest';
import { businessTimeMs, scheduledMoment } from '../../connectors/simulator/business-clock.ts';
import { planNext } from '../../connectors/simulator/day-plan.ts';
import {
  defaultOptions,
  erpMasterData,
  newRetailer,
} from '../../connectors/simulator/master-data.ts';
import type { Retailer } from '../../connectors/simulator/retailer.ts';
import type { PlannedTransaction } from '../../connectors/simulator/transaction.ts';

const realMs = Date.UTC(2026, 10, 10, 12);
const presentMs = 48 * 3_600_000;

function begin(seed: number, transactionsPerDay = defaultOptions.transactionsPerDay): Retailer {
  const retailer = newRetailer(seed, realMs, { ...defaultOptions, transactionsPerDay });
  erpMasterData(retailer);
  return retailer;
}

function plan(retailer: Retailer, count: number, rowsMax: number): readonly PlannedTransaction[] {
  return Array.from({ length: count }, () => {
    const scheduledMs = scheduledMoment(retailer.schedule, retailer.scheduled).atMs;
    const nowMs = businessTimeMs({ scheduledMs, realMs, previousMs: retailer.nowMs });
    return planNext(retailer, { nowMs, isNow: nowMs > realMs - presentMs, rowsMax });
  });
}

it('the same seed plans the same transactions, another seed others', () => {
  const first = plan(begin(7), 3000, 5000);
  expect(plan(begin(7), 3000, 5000)).toEqual(first);
  expect(plan(begin(8), 3000, 5000)).not.toEqual(first);
});

it('a retailer that was stored and read back goes on as if nothing had been', () => {
  const retailer = begin(3);
  plan(retailer, 3000, 5000);
  const restored = deserialize(serialize(retailer)) as Retailer;
  expect(plan(restored, 3000, 5000)).toEqual(plan(retailer, 3000, 5000));
});

it('keeps to the rows of a transaction that it is allowed', () => {
  const rows = plan(begin(2), 10_000, 100).map((planned) => planned.rows);
  expect(Math.max(...rows)).toBeLessThanOrEqual(100);
  expect(Math.min(...rows)).toBeGreaterThan(0);
});

it('does in a few weeks all that a retailer does', () => {
  const kinds = new Set(plan(begin(1, 600), 15_000, 5000).map((planned) => planned.kind));
  expect([...kinds].sort()).toEqual(everything);
});

const everything = [
  'balance rebuild',
  'correction',
  'count',
  'count correction',
  'count deletion',
  'count final',
  'count lines',
  'goods receipt',
  'housekeeping',
  'late upload',
  'line correction',
  'line void',
  'move change',
  'move deletion',
  'new article',
  'new barcode',
  'new product',
  'order',
  'order cancellation',
  'order change',
  'posting',
  'posting lines',
  'protocol',
  'purchase cancellation',
  'purchase order',
  'receipt deletion',
  'receipt void',
  'repeat deletion',
  'repeated upload',
  'return',
  'return booked in',
  'return judged',
  'sale',
  'scrap',
  'shipment',
  'transfer',
  'transfer cancellation',
  'transfer receipt',
  'transfer shipment',
];
