/** Carts and stock together, commits and crashes anywhere: nothing oversold, nothing held for nobody, one answer each. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judge, type Observed } from '../../processors/cli/stress/witness.ts';
import type { Outcome, Request } from '../../schemas/types.ts';
import type { PipelineProcessor } from '../support/pipeline.ts';
import { linesOf, request, type Shop, shop } from './shop.ts';

const skus = ['A', 'B', 'C'] as const;
const locations = ['L1', 'L2'] as const;

const line = fc.record({
  sku: fc.constantFrom(...skus),
  units: fc.integer({ min: 1, max: 4 }),
  location: fc.option(fc.constantFrom(...locations), { nil: undefined, freq: 3 }),
});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('reserve' as const),
      lines: fc.array(line, { minLength: 1, maxLength: 3 }),
      policy: fc.constantFrom('FillOrKill', 'FillOrKill', 'FillAll', 'FillAllAvailable'),
      lifeMs: fc.constantFrom(500, 5_000, 600_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom('commit' as const, 'release' as const, 'fulfil' as const),
      of: fc.nat(30),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('again' as const), of: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('adjust' as const), line }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('goods' as const),
      kind: fc.constantFrom('transfer', 'dispatch', 'receive', 'allocate', 'adjust', 'set'),
      lines: fc.array(line, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.constantFrom(20, 100, 400) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const scenario = fc.record({
  steps: fc.array(step, { minLength: 5, maxLength: 40 }),
  chance: fc.infiniteStream(fc.nat(1_000)),
});

it('D2: whatever crashes when, nothing is oversold or held for nobody, and each request has one answer', () => {
  fc.assert(
    fc.property(scenario, ({ steps, chance }) => {
      const draw = (below: number): number => Number(chance.next().value) % below;
      const made = shop();
      const opening = skus.flatMap((sku) =>
        locations.map((location) =>
          request(`open ${sku} ${location}`, {
            kind: 'adjust',
            lines: linesOf([sku, 5, location]),
          }),
        ),
      );
      const sent: Request[] = [...opening];
      for (const one of opening) made.send(one);
      for (const one of steps) {
        play(made, one, sent);
        fault(made, draw);
      }
      made.wait(1_000);
      check(made, sent);
      expect(unitsOf(made)).toEqual(unitsTold(made, sent));
      // When all has run out or was handed out, only what was paid is still held.
      made.wait(1_000_000);
      expect(heldInTheEnd(made)).toEqual(paidFor(made));
    }),
    { numRuns: 300 },
  );
}, 120_000);

function play(made: Shop, one: Step, sent: Request[]): void {
  const key = `k${sent.length}`;
  const ask = (given: Partial<Request>): void => {
    const asked = request(key, { occurredAt: made.now(), ...given });
    sent.push(asked);
    made.send(asked);
  };
  switch (one.what) {
    case 'reserve': {
      const lines = linesOf(
        ...one.lines.map(({ sku, units, location }) => [sku, units, location] as const as never),
      );
      ask({
        lines,
        policy: one.policy as Request['policy'],
        expiresAt: made.now() + one.lifeMs,
      });
      return;
    }
    case 'commit':
    case 'release':
    case 'fulfil': {
      const target = sent.filter(({ kind }) => kind === 'reserve').at(-1 - (one.of % 5));
      if (target === undefined) return;
      ask({ kind: one.what, reservation: `web|${target.idempotencyKey}` });
      return;
    }
    case 'again': {
      const target = sent[one.of % sent.length];
      if (target !== undefined) made.send(target);
      return;
    }
    case 'adjust':
      ask({ kind: 'adjust', lines: linesOf([one.line.sku, one.line.units, 'L1']) });
      return;
    case 'goods': {
      const kind = one.kind as Request['kind'];
      const from = kind === 'receive' ? 'L2' : 'L1';
      ask({
        kind,
        lines: linesOf(...one.lines.map(({ sku, units }) => [sku, units, from] as const)),
        toLocation: 'L2',
        channel: kind === 'allocate' ? 'web' : null,
        changeFromQuantity: kind === 'set' ? 5_000 : null,
      });
      return;
    }
    case 'wait':
      made.pass(one.ms);
  }
}

/** Some records are taken, and then what is open is committed, or lost, or left. */
function fault(made: Shop, draw: (below: number) => number): void {
  for (let turn = draw(12); turn > 0; turn -= 1) {
    const processor = made.pipeline.processors[draw(2)] as PipelineProcessor;
    const what = draw(10);
    if (what < 6) processor.takeOne(draw);
    else if (what < 7) processor.tick(made.now());
    else if (what < 9) processor.commit();
    else processor.crash();
  }
}

function check(made: Shop, sent: readonly Request[]): void {
  const answers = new Map<string, Outcome[]>();
  for (const outcome of made.outcomes()) {
    const known = answers.get(outcome.idempotencyKey) ?? [];
    answers.set(outcome.idempotencyKey, [...known, outcome]);
  }
  for (const [key, all] of answers) {
    expect(new Set(all.map((one) => JSON.stringify(one))).size, key).toBe(1);
  }
  const isPending = (one: Request): boolean =>
    one.policy === 'FillAll' && (one.expiresAt ?? 0) > made.now();
  const observed = sent
    .filter((one) => !isPending(one))
    .map((one): Observed => {
      const outcome = answers.get(one.idempotencyKey)?.[0];
      return { request: one, outcome, askedAt: 0, answeredAt: 0 };
    });
  const verdict = judge(observed, made.ledger(), made.decisions());
  expect(verdict).toEqual({ oversold: 0, doubled: 0, unanswered: 0, faults: [] });
}

/** Units of each SKU that are somewhere or on their way. */
function unitsOf(made: Shop): Readonly<Record<string, number>> {
  return Object.fromEntries(
    skus.map((sku) => {
      const figures = locations.map((location) => made.level(sku, location)?.quantities);
      const units = figures.map((one) => ((one?.onHand ?? 0) + (one?.inTransit ?? 0)) / 1000);
      return [sku, units.reduce((sum, one) => sum + one, 0)];
    }),
  );
}

/** What came in and went out by what clients were told; goods that only move change nothing. */
function unitsTold(made: Shop, sent: readonly Request[]): Readonly<Record<string, number>> {
  const units = new Map<string, number>(skus.map((sku) => [sku, 0]));
  const kinds = new Map(sent.map((one) => [one.idempotencyKey, one.kind]));
  const outcomes = new Map(made.outcomes().map((one) => [one.idempotencyKey, one]));
  for (const [key, { accepted, lines }] of outcomes) {
    const kind = kinds.get(key);
    const sign = kind === 'adjust' || kind === 'set' ? 1 : kind === 'fulfil' ? -1 : 0;
    if (!accepted) continue;
    for (const { sku, quantity } of lines) {
      units.set(sku, (units.get(sku) ?? 0) + (sign * quantity) / 1000);
    }
  }
  return Object.fromEntries(units);
}

/** Units held by cell at the end, where any are. */
function heldInTheEnd(made: Shop): Readonly<Record<string, number>> {
  const cells = skus.flatMap((sku) => locations.map((location) => `${sku}|${location}`));
  return Object.fromEntries(
    cells
      .map((cell) => [cell, made.cell(...(cell.split('|') as [string, string])).reserved] as const)
      .filter(([, reserved]) => reserved !== 0),
  );
}

/** What clients were told they hold for good: paid, and neither given up nor handed out. */
function paidFor(made: Shop): Readonly<Record<string, number>> {
  const held = new Map<string, number>();
  const byReservation = new Map<string, Set<string>>();
  const outcomes = new Map(made.outcomes().map((one) => [one.idempotencyKey, one]));
  for (const outcome of outcomes.values()) {
    if (!outcome.accepted || outcome.reservation === null) continue;
    const states = byReservation.get(outcome.reservation) ?? new Set<string>();
    states.add(outcome.state);
    byReservation.set(outcome.reservation, states);
  }
  for (const [reservation, states] of byReservation) {
    if (!states.has('COMMITTED') || states.has('RELEASED') || states.has('FULFILLED')) continue;
    const created = outcomes.get(reservation.slice('web|'.length));
    for (const part of created?.lines ?? []) {
      if (part.quantity === 0) continue;
      const cell = `${part.sku}|${part.location}`;
      held.set(cell, (held.get(cell) ?? 0) + part.quantity / 1000);
    }
  }
  return Object.fromEntries([...held].sort());
}
