/** Simulated clients of `stockline stress reservations`: what each asks next, from a seed. Pure. */
import type { Outcome, Request } from '../../../schemas/types.ts';
import { emptyRequest } from '../../topics.ts';

export type Range = {
  readonly skus: readonly string[];
  readonly bundles: readonly string[];
};

/** A reservation that a client may still do something with. */
export type Held = { readonly reservation: string };

export type Random = (below: number) => number;

/** A small generator of random numbers: the same seed, the same clients. */
export function randomFrom(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Longer than any run: what ends is judged at one moment, and nothing shall run out meanwhile. */
const longLifeMs = 6 * 3_600_000;
const shortLifeMs = 1_500;

export function plainRequest(client: string, idempotencyKey: string, nowMs: number): Request {
  return { ...emptyRequest(client, idempotencyKey), reason: 'stress', occurredAt: nowMs };
}

/** Mostly reservations of one to three lines or of bundles; now and then what becomes of an earlier one. */
export function nextRequest(base: Request, held: Held[], range: Range, random: Random): Request {
  const what = random(10);
  if (what >= 7 && held.length > 0) {
    const [one] = held.splice(random(held.length), 1);
    const kind = what === 7 ? 'commit' : what === 8 ? 'release' : 'fulfil';
    return { ...base, kind, reservation: one?.reservation ?? null };
  }
  const policies = [
    'FillOrKill',
    'FillOrKill',
    'FillOrKill',
    'FillAllAvailable',
    'FillAll',
  ] as const;
  const policy = policies[random(policies.length)] ?? 'FillOrKill';
  const isShort = policy === 'FillAll' || random(8) === 0;
  const lines = Array.from({ length: 1 + random(3) }, () => {
    const isBundle = random(5) === 0;
    const from = isBundle ? range.bundles : range.skus;
    return {
      sku: from[random(from.length)] ?? '',
      location: null,
      quantity: 1000 * (1 + random(3)),
    };
  });
  const expiresAt = base.occurredAt + (isShort ? shortLifeMs : longLifeMs);
  return { ...base, policy, lines, expiresAt };
}

/** What an ordinary shopper asks: one to three lines, all or nothing. */
export function lightRequest(base: Request, range: Range, random: Random): Request {
  const lines = Array.from({ length: 1 + random(3) }, () => ({
    sku: range.skus[random(range.skus.length)] ?? '',
    location: null,
    quantity: 1000,
  }));
  return { ...base, lines, expiresAt: base.occurredAt + longLifeMs };
}

/**
 * What clients were told they hold, by cell: granted, and neither given up, handed out nor run out by `nowMs`.
 */
export function heldByAnswers(
  answered: readonly { readonly request: Request; readonly outcome: Outcome }[],
  nowMs: number,
): ReadonlyMap<string, number> {
  const ends = new Map<string, Set<Request['kind']>>();
  for (const { request, outcome } of answered) {
    if (!outcome.accepted || request.reservation === null) continue;
    const kinds = ends.get(request.reservation) ?? new Set();
    kinds.add(request.kind);
    ends.set(request.reservation, kinds);
  }
  const held = new Map<string, number>();
  for (const { request, outcome } of answered) {
    if (request.kind !== 'reserve' || !outcome.accepted || outcome.reservation === null) continue;
    const kinds = ends.get(outcome.reservation) ?? new Set();
    if (kinds.has('release') || kinds.has('fulfil')) continue;
    if (!kinds.has('commit') && (request.expiresAt ?? 0) <= nowMs) continue;
    for (const line of outcome.lines) {
      if (line.quantity === 0) continue;
      const cell = `${line.sku}|${line.location}`;
      held.set(cell, (held.get(cell) ?? 0) + line.quantity);
    }
  }
  return held;
}
