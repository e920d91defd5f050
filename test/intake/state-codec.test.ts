import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IntakeState } from '../../processors/intake/state.ts';
import { intakeStateCodec } from '../../processors/intake/state-codec.ts';
import { decodeState, encodeState } from '../../processors/runtime/state.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const place = fc.nat({ max: 2 ** 31 });
const quantity = fc.maxSafeInteger();
const column = fc.oneof(text, quantity, fc.double({ noNaN: true }), fc.constant(null));
const row = fc
  .array(fc.tuple(text, column), { maxLength: 6 })
  .map((columns) => Object.fromEntries(columns.filter(([name]) => name !== '__proto__')));
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const byText = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(text, value), { maxLength: 5 }).map((entries) => new Map(entries));
const storedRow = fc.record({ row: orNull(row), position: text });
const effect = fc.record(
  {
    kind: fc.constantFrom('event', 'level', 'count', 'opening'),
    bucket: fc.constantFrom(
      ...(['onHand', 'reserved', 'incoming', 'inTransit', 'damaged'] as const),
      ...(['qualityControl', 'safetyStock'] as const),
    ),
    sku: text,
    location: text,
    quantity,
    occurredAt: quantity,
    reason: text,
    reference: text,
    echo: fc.record({
      key: text,
      role: fc.constantFrom('till', 'posting'),
      rule: fc.constantFrom('supersede', 'max'),
      complete: fc.boolean(),
    }),
    order: text,
    toldAt: quantity,
  },
  {
    requiredKeys: [
      ...(['kind', 'bucket', 'sku', 'location', 'quantity', 'occurredAt', 'reason'] as const),
      ...(['reference', 'order', 'toldAt'] as const),
    ],
  },
);
const effects = fc.array(effect, { maxLength: 4 });
const change = fc.record({
  kind: fc.constant('change'),
  table: text,
  operation: fc.constantFrom('c', 'u', 'd', 'r', 't'),
  key: text,
  row: orNull(row),
  position: text,
  committedAt: quantity,
  transaction: orNull(fc.record({ id: text, totalOrder: place })),
});
const kind = <K extends string>(name: K) => fc.constant(name);
const state = fc.oneof(
  fc.record({
    kind: kind('document'),
    header: orNull(storedRow),
    lines: byText(storedRow),
    asserted: effects,
    resolved: byText(fc.oneof(text, quantity)),
    baseline: orNull(fc.record({ header: orNull(row), lines: byText(row), effects })),
    purgedThrough: text,
    waitsFor: text,
  }),
  fc.record({
    kind: fc.constantFrom('lines', 'waiting', 'once'),
    documents: fc.array(text, { maxLength: 70 }),
  }),
  fc.record({ kind: kind('lookup'), value: text }),
  fc.record({ kind: kind('lookupRow'), position: text, key: text, value: text }),
  fc.record({ kind: kind('dateLag'), lagMs: quantity }),
  fc.record({ kind: kind('held'), change }),
  fc.record({
    kind: kind('transaction'),
    arrived: place,
    orderMax: place,
    ended: fc.boolean(),
  }),
  fc.record({ kind: kind('queued'), id: text, changes: place, order: text, committedAt: quantity }),
  fc.record({ kind: kind('opened'), id: text }),
  fc.record({
    kind: kind('system'),
    snapshot: text,
    queueFrom: place,
    queueTo: place,
    openedFrom: place,
    openedTo: place,
    lastEnd: text,
    stuck: orNull(fc.record({ queue: place, opened: place, sinceMs: quantity })),
  }),
) as fc.Arbitrary<IntakeState>;

describe('the state of intake as bytes', () => {
  it('every value comes back as it was', () => {
    fc.assert(
      fc.property(state, (value) => {
        expect(intakeStateCodec.decode(intakeStateCodec.encode(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('state of version 1 is refused, by name', () => {
    const old = encodeState({ ...intakeStateCodec, version: 1 }, { kind: 'lookup', value: 'A1' });
    expect(() => decodeState(intakeStateCodec, old)).toThrow(/version 1/);
  });
});
