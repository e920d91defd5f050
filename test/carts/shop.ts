/** A shop in memory: carts and stock on one pipeline, with short words for what tests ask. */
import { type Bundles, noBundles } from '../../processors/carts/bundles.ts';
import { cartsTopology } from '../../processors/carts/topology.ts';
import { plainRequest } from '../../processors/cli/stress/shoppers.ts';
import type { StockRules } from '../../processors/stock/rules.ts';
import {
  alerts,
  decisions,
  ledger,
  movements,
  outcomes,
  requestKey,
  requests,
  stockLevels,
} from '../../processors/topics.ts';
import type { Topology } from '../../processors/topology/topology.ts';
import type { Effect, Movement, Outcome, Request, StockLevel } from '../../schemas/types.ts';
import { pipeline } from '../support/pipeline.ts';
import { stockAsRun } from '../support/stock-as-run.ts';

export const noon = Date.UTC(2026, 2, 2, 12);

export function request(key: string, given: Partial<Request> = {}): Request {
  return {
    ...plainRequest('web', key, noon),
    reason: 'test',
    actor: 'tester',
    ...given,
  };
}

/** `['A', 2]`: 2 of A wherever; `['A', 2, 'L1']`: at L1. */
export type Line = readonly [sku: string, units: number, location?: string];

export const linesOf = (...lines: readonly Line[]): Request['lines'] =>
  lines.map(([sku, units, location]) => ({
    sku,
    quantity: Math.round(units * 1000),
    location: location ?? null,
  }));

export function effect(given: Partial<Effect>): Effect {
  return {
    id: 'e',
    kind: 'event',
    asserted: true,
    bucket: 'onHand',
    location: 'L1',
    quantity: 0,
    occurredAt: noon,
    order: '1',
    reason: 'test',
    reference: '',
    echo: null,
    expectedAt: null,
    booking: null,
    ...given,
  };
}

let movementCount = 0;

export function movement(sku: string, effects: readonly Effect[], system = 'erp'): Movement {
  movementCount += 1;
  return {
    id: `m${movementCount}`,
    sku,
    system,
    transaction: `t${movementCount}`,
    position: String(movementCount).padStart(8, '0'),
    committedAt: noon,
    effects,
    contained: [],
  };
}

export type Shop = ReturnType<typeof shop>;

export function shop(
  given: { readonly rules?: Partial<StockRules>; readonly bundles?: Bundles } = {},
) {
  const topologies = [
    cartsTopology(given.bundles ?? noBundles),
    stockAsRun(given.rules),
  ] as unknown as readonly Topology<never>[];
  const line = pipeline(topologies);
  let nowMs = noon;
  const settle = (): void => line.drain(nowMs);
  return {
    pipeline: line,
    now: () => nowMs,
    send: (one: Request): void =>
      line.send(requests, requestKey(one.client, one.idempotencyKey), one, nowMs),
    /** Sends it and lets everything run; the last outcome of its key. */
    ask: (key: string, asked: Partial<Request>): Outcome => {
      const one = request(key, { occurredAt: nowMs, ...asked });
      line.send(requests, requestKey(one.client, one.idempotencyKey), one, nowMs);
      settle();
      const outcome = line
        .values(outcomes)
        .filter((made) => made.idempotencyKey === key)
        .at(-1);
      if (outcome === undefined) throw new Error(`no outcome for ${key} yet`);
      return outcome;
    },
    move: (sku: string, effects: readonly Partial<Effect>[], system = 'erp'): void => {
      line.send(movements, sku, movement(sku, effects.map(effect), system), nowMs);
      settle();
    },
    /** Lets time pass. */
    wait: (ms: number): void => {
      nowMs += ms;
      settle();
    },
    /** Time passes and nobody works. */
    pass: (ms: number): void => {
      nowMs += ms;
    },
    outcome: (key: string) =>
      line
        .values(outcomes)
        .filter((made) => made.idempotencyKey === key)
        .at(-1),
    /** Quantities of a cell in units. */
    cell: (sku: string, location = 'L1') => {
      const level = levels(line.values(stockLevels)).get(`${sku}|${location}`);
      return {
        onHand: (level?.quantities.onHand ?? 0) / 1000,
        reserved: (level?.quantities.reserved ?? 0) / 1000,
        available: (level?.quantities.available ?? 0) / 1000,
        sequence: level?.sequence ?? 0,
      };
    },
    level: (sku: string, location = 'L1') =>
      levels(line.values(stockLevels)).get(`${sku}|${location}`),
    ledger: () => line.values(ledger),
    alerts: () => line.values(alerts),
    decisions: () => line.values(decisions),
    outcomes: () => line.values(outcomes),
  };
}

function levels(all: readonly StockLevel[]): ReadonlyMap<string, StockLevel> {
  return new Map(all.map((level) => [`${level.sku}|${level.location}`, level]));
}

/** `accepted`, or the code of the refusal; then what was granted where. */
export function told(outcome: Outcome | undefined): string {
  if (outcome === undefined) return 'nothing';
  const granted = outcome.lines
    .filter((line) => line.quantity > 0)
    .map((line) => `${line.quantity / 1000} ${line.sku} at ${line.location}`);
  return [outcome.accepted ? 'accepted' : outcome.code, ...granted].join(', ');
}
