/** Sample values of each topic, small and complete. */
import { noQuantities } from '../../processors/domain/quantities.ts';
import type {
  Alert,
  Cause,
  ChannelStock,
  DeadLetter,
  Effect,
  LedgerEntry,
  Movement,
  Quantities,
  StockLevel,
} from '../../schemas/types.ts';

export const nine = Date.parse('2026-03-02T09:00:00.000Z');

export const cause: Cause = {
  kind: 'movement',
  id: 'm-1',
  system: 'pos',
  transaction: '0-1-17',
  position: 'bin.000001:000000001234',
  committedAt: nine,
};

export function effect(given: Partial<Effect> = {}): Effect {
  return {
    id: 'e-1',
    kind: 'event',
    asserted: true,
    bucket: 'onHand',
    location: 'S01',
    quantity: -1000,
    occurredAt: nine,
    order: 'bin.000001:000000001200',
    reason: 'sale',
    reference: 'receipt 1/1/100',
    echo: {
      key: '1/1/100',
      role: 'till',
      rule: 'supersede',
      complete: false,
      contained: false,
      netted: false,
    },
    expectedAt: null,
    booking: null,
    ...given,
  };
}

export function movement(sku: string, effects: readonly Effect[], id = `m ${sku}`): Movement {
  return {
    id,
    sku,
    system: 'pos',
    transaction: '0-1-17',
    position: 'bin.000001:000000001234',
    committedAt: nine,
    effects,
    contained: [],
  };
}

export function quantities(given: Partial<Quantities> = {}): Quantities {
  return { ...noQuantities, ...given };
}

export function level(sku: string, location: string, sequence: number, onHand: number): StockLevel {
  return {
    sku,
    location,
    quantities: quantities({ onHand, available: onHand }),
    sequence,
    previousSequence: sequence - 1,
    cause,
    schedule: [],
    allocations: [],
  };
}

export function entry(sku: string, sequence: number, onHand: number): LedgerEntry {
  return {
    sku,
    location: 'S01',
    sequence,
    cause,
    restatement: null,
    quantities: quantities({ onHand, available: onHand }),
    changes: [1000, -3000].map((applied, index) => ({
      bucket: 'onHand',
      kind: 'event',
      quantity: applied,
      applied,
      occurredAt: nine + index,
      reason: 'sale',
      reference: 'receipt 1/1/100',
      effectId: `e-${sequence}-${index}`,
      expectedAt: null,
    })),
  };
}

export function channelFigure(
  channel: string,
  sku: string,
  sequence: number,
  sellable: number,
): ChannelStock {
  return {
    channel,
    sku,
    sellable,
    status: sellable > 0 ? 'inStock' : 'out',
    sequence,
    previousSequence: sequence - 1,
    formula: `${channel}-policy`,
    formulaVersion: 3,
    cause,
  };
}

export function alert(id: string, given: Partial<Alert> = {}): Alert {
  return {
    id,
    kind: 'negativeAvailable',
    severity: 'warning',
    sku: 'A',
    location: 'S01',
    system: '',
    message: 'A is oversold at S01',
    expected: '0 or more',
    seen: '-2',
    raisedAt: nine,
    open: true,
    ...given,
  };
}

export const deadLetter: DeadLetter = {
  processor: 'intake',
  code: 'UNKNOWN_SKU',
  reason: 'tab\there, line\nthere, "quotes" and \\ too; 一',
  topic: 'pos.pos.receipt_line',
  partition: 0,
  offset: 41,
  timestamp: nine,
  key: null,
  value: Uint8Array.from([0, 255, 10, 92, 39]),
  headers: [{ name: 'traceparent', value: Uint8Array.from([1, 2]) }],
  redrives: 1,
};
