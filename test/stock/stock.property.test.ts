/** The stock processor against an auditor who has all facts at once. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { alerts, ledger, movements, stockLevels } from '../../processors/topics.ts';
import type { Effect, Movement } from '../../schemas/types.ts';
import { stockAsRun } from '../support/stock-as-run.ts';
import { commit, crash, record, redeliver, runTopology } from '../support/topology-driver.ts';
import { auditedOnHand, type Fact } from './auditor.ts';

const begin = Date.UTC(2026, 4, 1);
const stock = stockAsRun();

const fact = fc.record({
  what: fc.nat(9),
  hour: fc.nat(60),
  quantity: fc.integer({ min: 1, max: 9 }).map((units) => units * 1000),
  ticket: fc.nat(2),
  isReturn: fc.boolean(),
  complete: fc.boolean(),
  isRetracted: fc.boolean(),
  isContained: fc.boolean(),
  isRetractionContained: fc.boolean(),
});
type Drawn = typeof fact extends fc.Arbitrary<infer T> ? T : never;

/** The facts of one drawing: stated, and perhaps taken back. */
function factsOf(drawn: Drawn, index: number): readonly Fact[] {
  const { what, hour, ticket, complete } = drawn;
  const isPosting = what === 6 || what === 7;
  const isTill = what === 4 || what === 5;
  // What a till tells is in no opening, and only what is dated and of onHand can be told so.
  const isContained = drawn.isContained && (isPosting || what < 2 || what > 7);
  const kind = what < 2 ? 'count' : what === 2 ? 'opening' : what === 3 ? 'level' : 'event';
  const signed = kind === 'event' && !drawn.isReturn ? -drawn.quantity : drawn.quantity;
  const effect: Effect = {
    id: `e${index}`,
    kind,
    asserted: true,
    bucket: kind === 'level' ? 'reserved' : 'onHand',
    location: 'L1',
    quantity: signed,
    occurredAt: begin + hour * 3_600_000,
    order: String(index).padStart(4, '0'),
    reason: 'test',
    reference: '',
    echo:
      isTill || isPosting
        ? {
            key: `t${ticket}`,
            role: isTill ? 'till' : 'posting',
            rule: ticket === 2 ? 'max' : 'supersede',
            complete: isTill || complete,
            contained: isContained,
            netted: false,
          }
        : null,
    expectedAt: null,
    booking: null,
  };
  const system = isPosting || kind === 'level' ? 'erp' : 'pos';
  const stated = { system, effect, isContained };
  if (!drawn.isRetracted) return [stated];
  const quantity = kind === 'count' ? signed : -signed;
  const retraction: Effect = { ...effect, id: `r${index}`, asserted: false, quantity };
  return [
    stated,
    // Taken back by the source after the opening, or not shown again by a snapshot that began anew.
    drawn.isRetractionContained ? { ...stated, effect: retraction } : newsOf(system, retraction),
  ];
}

const newsOf = (system: string, { echo, ...effect }: Effect): Fact => ({
  system,
  effect: { ...effect, echo: echo === null ? null : { ...echo, contained: false } },
  isContained: false,
});

const asMovement = ({ system, effect, isContained }: Fact): Movement => ({
  id: effect.id,
  sku: 'sku',
  system,
  transaction: effect.id,
  position: effect.order,
  committedAt: begin,
  ...(isContained && effect.echo === null
    ? { effects: [], contained: [effect] }
    : { effects: [effect], contained: [] }),
});

const scenario = fc.record({
  drawn: fc.array(fact, { minLength: 1, maxLength: 20 }),
  order: fc.infiniteStream(fc.nat(10_000)),
  faults: fc.infiniteStream(fc.nat(9)),
});

it('D1: stock is what an auditor computes from all facts, in whatever order they come', () => {
  fc.assert(
    fc.property(scenario, ({ drawn, order, faults }) => {
      const facts = drawn.flatMap(factsOf);
      const shuffled = facts
        .map((one) => ({ one, at: Number(order.next().value) }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one);
      const script = shuffled.flatMap((one) => {
        const item = record(movements, 'sku', asMovement(one));
        const fault = Number(faults.next().value);
        if (fault === 0) return [item, crash];
        if (fault === 1) return [item, redeliver];
        return fault < 5 ? [item, commit] : [item];
      });
      const result = runTopology(stock, script);
      const level = result.table(stockLevels).get(JSON.stringify({ sku: 'sku', location: 'L1' }));
      const reserved = facts
        .filter(({ effect }) => effect.kind === 'level')
        .reduce((sum, { effect }) => sum + effect.quantity, 0);
      // A cell whose past alone is told has no figure yet.
      expect(level?.quantities.onHand ?? 0).toBe(auditedOnHand(facts));
      expect(level?.quantities.reserved ?? 0).toBe(reserved);
      expect(level?.quantities.available ?? 0).toBe(auditedOnHand(facts) - reserved);
    }),
    { numRuns: 400 },
  );
});

it('E1: the ledger holds each movement once, without a gap, and its steps add up to the stock', () => {
  fc.assert(
    fc.property(scenario, ({ drawn, faults }) => {
      const facts = drawn.flatMap(factsOf);
      const script = facts.flatMap((one) => {
        const item = record(movements, 'sku', asMovement(one));
        const fault = Number(faults.next().value);
        return fault < 3 ? [item, crash] : fault < 6 ? [item, commit] : [item];
      });
      const result = runTopology(stock, script);
      const entries = result.records(ledger).map(({ value }) => value);
      const causes = new Set(entries.map((entry) => entry?.cause.id));
      // What the opening contains moves nothing by itself, and is no step then.
      const told = facts.filter(
        ({ effect, isContained }) => causes.has(effect.id) || !isContained || effect.echo !== null,
      );
      expect(entries.map((entry) => entry?.sequence)).toEqual(told.map((_, index) => index + 1));
      expect(entries.map((entry) => entry?.cause.id)).toEqual(told.map(({ effect }) => effect.id));
      const steps = entries.flatMap((entry) => entry?.changes ?? []);
      const moved = steps
        .filter((step) => step.bucket === 'onHand')
        .reduce((sum, step) => sum + step.applied, 0);
      expect(moved).toBe(entries.at(-1)?.quantities.onHand ?? 0);
      const published = result.records(stockLevels).map(({ value }) => value);
      let seen = 0;
      for (const level of published) {
        expect(level?.previousSequence).toBe(seen);
        seen = level?.sequence ?? 0;
      }
    }),
    { numRuns: 200 },
  );
});

const plain = { isRetracted: false, isContained: false, isRetractionContained: false };

it('O1: a movement that touches two locations is one ledger entry in each, in one transaction', () => {
  const [first] = factsOf(
    {
      what: 9,
      hour: 1,
      quantity: 5000,
      ticket: 0,
      isReturn: false,
      complete: true,
      ...plain,
    },
    0,
  );
  if (first === undefined) throw new Error('no fact');
  const incoming = { ...first.effect, id: 'in', location: 'L2', quantity: 5000 };
  const transfer = { ...asMovement(first), effects: [first.effect, incoming] };
  const result = runTopology(stock, [record(movements, 'sku', transfer)]);
  expect(result.transactions).toBe(1);
  const moved = result
    .records(ledger)
    .map(({ value }) => [value?.location, value?.quantities.onHand]);
  expect(moved).toEqual([
    ['L1', -5000],
    ['L2', 5000],
  ]);
});

it('raises an alert when a cell is oversold and closes it when it is not any more', () => {
  const sale = { what: 9, hour: 1, quantity: 5000, ticket: 0, isReturn: false, complete: true };
  const facts = [
    ...factsOf({ ...sale, ...plain }, 0),
    ...factsOf({ ...sale, ...plain, isReturn: true }, 1),
  ];
  const result = runTopology(
    stock,
    facts.map((one) => record(movements, 'sku', asMovement(one))),
  );
  expect(
    result.records(alerts).map(({ value }) => [value?.kind, value?.open, value?.seen]),
  ).toEqual([
    ['negativeAvailable', true, '-5'],
    ['negativeAvailable', false, '0'],
  ]);
});

it('D3: a movement beyond what a quantity can hold is a dead letter and changes nothing', () => {
  const sale = { what: 9, hour: 1, ticket: 0, isReturn: true, complete: true, ...plain };
  const huge = factsOf({ ...sale, quantity: Number.MAX_SAFE_INTEGER }, 0);
  const more = factsOf({ ...sale, quantity: 1000 }, 1);
  const less = factsOf({ ...sale, quantity: 1000, isReturn: false }, 2);
  const result = runTopology(
    stock,
    [...huge, ...more, ...less].map((one) => record(movements, 'sku', asMovement(one))),
  );
  expect(result.deadLetters.map(({ code }) => code)).toEqual(['QUANTITY_OVERFLOW']);
  expect(result.records(ledger).map(({ value }) => value?.quantities.onHand)).toEqual([
    Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER - 1000,
  ]);
});
