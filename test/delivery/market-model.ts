/**
 * A marketplace as a scheduler meets it, in virtual time and at the level of calls: it throttles, fails, loses answers,
 * does lost calls later, and does bulks after a while. It shares no code with the scheduler and keeps its own books.
 */
import type { Answer, Call, CallResult, Item, Limits } from '../../processors/delivery/calls.ts';

export type Shown = {
  readonly sku: string;
  readonly sequence: number;
  readonly units: number;
  readonly atMs: number;
};

export type MarketModel = {
  /** Hands a call over; its result comes with `results` once its time has come. */
  readonly take: (call: Call, nowMs: number) => void;
  readonly results: (nowMs: number) => readonly CallResult[];
  readonly nextMs: () => number;
  /** Everything that was ever shown, in the order in which it was. */
  readonly shown: Shown[];
  /** When each call came, by its kind: at any moment between its being sent and answered. */
  readonly calls: { readonly kind: Call['kind']; atMs: number }[];
  readonly revisions: { readonly sku: string; readonly atMs: number }[];
  /** The caller is gone: what it has sent has come by now. */
  readonly hangUp: (nowMs: number) => void;
  /** Somebody else changes a listing. */
  readonly meddle: (sku: string, units: number, nowMs: number) => void;
};

export type Troubles = {
  /** One call in so many has one of the troubles; 0: none. */
  readonly oneIn: number;
  readonly settleMs: number;
  readonly bulkMs: number;
};

export function marketModel(
  random: (below: number) => number,
  troubles: Troubles,
  limits: Limits,
): MarketModel {
  const shown: Shown[] = [];
  const current = new Map<string, number>();
  const calls: MarketModel['calls'] = [];
  const revisions: MarketModel['revisions'] = [];
  const happenings: { readonly atMs: number; readonly what: () => void }[] = [];
  const answers: { readonly atMs: number; readonly result: CallResult }[] = [];
  const bulks = new Map<string, { readonly createdAtMs: number; done: boolean }>();

  const apply = (items: readonly Item[], atMs: number): void => {
    for (const { figure, units } of items) {
      shown.push({ sku: figure.sku, sequence: figure.sequence, units, atMs });
      revisions.push({ sku: figure.sku, atMs });
      current.set(figure.sku, units);
    }
  };
  const later = (atMs: number, what: () => void): void => void happenings.push({ atMs, what });
  const answer = (call: Call, beganAtMs: number, atMs: number, given: Answer): void => {
    calls.push({ kind: call.kind, atMs: beganAtMs + random(atMs - beganAtMs + 1) });
    answers.push({ atMs, result: { call, beganAtMs, tookMs: atMs - beganAtMs, answer: given } });
  };
  const done: Answer = { kind: 'done', status: 200, items: new Map() };

  const write = (call: Call & { readonly items: readonly Item[] }, nowMs: number): void => {
    const isSlow = troubles.oneIn > 0 && random(troubles.oneIn) === 0;
    const tookMs = 20 + random(isSlow ? 2_000 : 100);
    const trouble = troubles.oneIn > 0 && random(troubles.oneIn) === 0 ? random(6) : -1;
    const first = call.items[0]?.figure.sku ?? '';
    const unknown: Answer = { kind: 'unknown', status: 0, reason: 'connection lost' };
    const at = nowMs + tookMs;
    switch (trouble) {
      case 0:
        answer(call, nowMs, at, { kind: 'throttled', status: 429, retryAfterMs: 500 });
        break;
      case 1:
        answer(call, nowMs, at, { kind: 'failed', status: 503, reason: 'down' });
        break;
      case 2:
        answer(call, nowMs, at, unknown);
        break;
      case 3:
        later(at, () => apply(call.items, at));
        answer(call, nowMs, at, unknown);
        break;
      case 4: {
        const lateMs = at + random(troubles.settleMs);
        later(lateMs, () => apply(call.items, lateMs));
        answer(call, nowMs, at, unknown);
        break;
      }
      case 5: {
        const others = call.items.slice(1);
        later(at, () => apply(others, at));
        const items = new Map([[first, { kind: 'failed' as const, reason: 'item error' }]]);
        answer(call, nowMs, at, { kind: 'done', status: 207, items });
        break;
      }
      default:
        later(at, () => apply(call.items, at));
        answer(call, nowMs, at, done);
        break;
    }
  };
  const bulk = (call: Call & { readonly items: readonly Item[] }, nowMs: number): void => {
    const at = nowMs + 200;
    const isLost = troubles.oneIn > 0 && random(troubles.oneIn) === 0;
    if (isLost && random(2) === 0) {
      answer(call, nowMs, at, { kind: 'unknown', status: 0, reason: 'lost' });
      return;
    }
    const doneAtMs = at + random(troubles.bulkMs);
    const kept = { createdAtMs: nowMs, done: false };
    bulks.set(call.id, kept);
    later(doneAtMs, () => {
      apply(call.items, doneAtMs);
      kept.done = true;
    });
    answer(
      call,
      nowMs,
      at,
      isLost
        ? { kind: 'unknown', status: 0, reason: 'lost' }
        : { kind: 'pending', status: 202, reference: call.id },
    );
  };
  const look = (call: Extract<Call, { readonly kind: 'look' }>, nowMs: number): void => {
    const { bulk: asked } = call;
    const at = nowMs + 20;
    later(at, () => {
      const found = bulks.get(asked.call);
      if (found?.done === true) answer(call, nowMs, at, done);
      else if (found !== undefined) {
        answer(call, nowMs, at, { kind: 'pending', status: 200, reference: asked.call });
      } else answer(call, nowMs, at, { kind: 'refused', status: 404, reason: 'no such bulk' });
    });
  };

  return {
    shown,
    calls,
    revisions,
    hangUp: (nowMs) => {
      for (const call of calls) call.atMs = Math.min(call.atMs, nowMs);
    },
    meddle: (sku, units, nowMs) => {
      current.set(sku, units);
      shown.push({ sku, sequence: 0, units, atMs: nowMs });
    },
    take: (call, nowMs) => {
      const skus = 'items' in call ? call.items.length : 1;
      if (skus > (call.kind === 'bulk' ? (limits.bulk?.itemsMax ?? 0) : limits.write.itemsMax)) {
        throw new Error(`a call with ${skus} items`);
      }
      switch (call.kind) {
        case 'write':
          write(call as Call & { readonly items: readonly Item[] }, nowMs);
          break;
        case 'bulk':
          bulk(call as Call & { readonly items: readonly Item[] }, nowMs);
          break;
        case 'look':
          look(call, nowMs);
          break;
        case 'read': {
          const at = nowMs + 20;
          later(at, () => {
            const units = current.get(call.sku);
            answer(call, nowMs, at, { kind: 'read', status: 200, units });
          });
        }
      }
    },
    results: (nowMs) => {
      happenings.sort((one, other) => one.atMs - other.atMs);
      while ((happenings[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) happenings.shift()?.what();
      answers.sort((one, other) => one.atMs - other.atMs);
      const due: CallResult[] = [];
      while ((answers[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
        due.push((answers.shift() as { readonly result: CallResult }).result);
      }
      return due;
    },
    nextMs: () =>
      Math.min(...[...happenings, ...answers].map(({ atMs }) => atMs), Number.POSITIVE_INFINITY),
  };
}
