/** Movements as a retailer's systems make them: which cell moves when, the same for every contender. */
import type { Movement } from '../../schemas/types.ts';
import { seeded } from './random.ts';
import { zipf } from './zipf.ts';

export type Workload = {
  readonly name: 'W1' | 'W2' | 'W3' | 'W4';
  readonly what: string;
  readonly skus: number;
  readonly locations: number;
  /** Of Zipf's law; 0: every SKU sells alike. */
  readonly exponent: number;
  /** The share of one SKU that sells beyond the law. */
  readonly hotShare: number;
};

const base: Workload = {
  name: 'W1',
  what: '1 M cells, Zipf 0.99',
  skus: 200_000,
  locations: 5,
  exponent: 0.99,
  hotShare: 0,
};

/** W4, the storm of duplicates, is the base load behind a connector that delivers again: see `debeziumLoad`. */
export const workloads = {
  W1: base,
  W2: { ...base, name: 'W2', what: '10 M cells, Zipf 0.99', skus: 2_000_000 },
  W3: { ...base, name: 'W3', what: '1 M cells, one SKU is 30 %', hotShare: 0.3 },
} as const satisfies Record<string, Workload>;

/** Every cell once, in order: to fill a state. */
export const everyCell = (cells: number): Workload => ({
  ...base,
  name: 'W2',
  what: `${cells} cells, each once`,
  skus: cells / base.locations,
});

const firstMs = Date.UTC(2026, 2, 2, 6);
/** The movements of a run lie within so many days of business. */
const days = 30;
const dayMs = 86_400_000;

export type Sale = {
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  readonly atMs: number;
  readonly number: number;
};

/** `each`: every cell once, in order, instead of by chance. */
export function* sales(
  workload: Workload,
  options: { readonly count: number; readonly seed: number; readonly each?: boolean },
): Generator<Sale> {
  const random = seeded(options.seed);
  const draw =
    workload.exponent === 0
      ? () => random.below(workload.skus)
      : zipf(workload.skus, workload.exponent, random);
  for (let number = 0; number < options.count; number += 1) {
    const isHot = workload.hotShare > 0 && random.fraction() < workload.hotShare;
    const rank = options.each ? Math.floor(number / workload.locations) : isHot ? 0 : draw();
    const place = options.each ? number % workload.locations : random.below(workload.locations);
    yield {
      sku: `SKU-${String(rank).padStart(8, '0')}`,
      location: `L${101 + place}`,
      quantity: (random.below(5) === 0 ? 1 : -1) * 1_000 * (1 + random.below(4)),
      atMs: firstMs + Math.floor((number / options.count) * days * dayMs),
      number,
    };
  }
}

export function movementOf(sale: Sale): Movement {
  const position = sale.number.toString(16).padStart(16, '0');
  return {
    id: `${position}${position}`,
    sku: sale.sku,
    system: 'erp',
    transaction: String(sale.number),
    position,
    committedAt: sale.atMs + 1_500,
    effects: [
      {
        id: `${position}${position}-0+`,
        kind: 'event',
        asserted: true,
        bucket: 'onHand',
        location: sale.location,
        quantity: sale.quantity,
        occurredAt: sale.atMs,
        order: position,
        reason: sale.quantity < 0 ? 'shipment' : 'receipt',
        reference: `lagbew/${sale.number}`,
        echo: null,
        expectedAt: null,
        booking: null,
      },
    ],
    contained: [],
  } as Movement;
}

/** What stock has to say in the end of a cell. */
export type ExpectedCell = { onHand: number; sequence: number };

/** By `sku|location`. */
export function expectedCells(sold: Iterable<Sale>): Map<string, ExpectedCell> {
  const cells = new Map<string, ExpectedCell>();
  for (const { sku, location, quantity } of sold) {
    const key = `${sku}|${location}`;
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, { onHand: quantity, sequence: 1 });
    else {
      cell.onHand += quantity;
      cell.sequence += 1;
    }
  }
  return cells;
}
