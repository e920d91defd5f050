/**
 * request → commands → decisions → one outcome. The cart's state, its commands and its outcome are written in one
 * transaction with the input that caused them, so a crash at any step leaves nothing held for nobody.
 */
import type { Decision, Outcome, Request } from '../../schemas/types.ts';
import { fingerprintOf } from '../domain/hash.ts';
import { commands, decisions, outcomes, requestKey, requests } from '../topics.ts';
import { type Agenda, addToAgenda, takeDue } from '../topology/agenda.ts';
import { type Emit, emit, type Input, type StateView, type Step } from '../topology/topology.ts';
import type { Bundles } from './bundles.ts';
import { conclude, followUp } from './decide.ts';
import { type Plan, plan } from './plan.ts';
import { type Cart, type CartsState, cartKey } from './state.ts';

type View = StateView<CartsState>;

/** A key answers the same for so long, and a reservation's lines are known for so long after it runs out. */
const keptMs = 3 * 86_400_000;
const decidedCarts: Agenda = { name: 'f', slotMs: 600_000 };

export function cartsStep(bundles: Bundles): Step<CartsState> {
  return (input: Input, state: View): readonly Emit[] => {
    if (input.kind === 'tick') return forget(input.nowMs, state);
    const { record } = input;
    if (record.value === undefined) return [];
    if (record.topic === decisions.name)
      return onDecision(record.value as Decision, String(record.key), state);
    const request = record.value as Request;
    const key = requestKey(request.client, request.idempotencyKey);
    if (request.askedBy === null) return onRequest(request, record.timestampMs, state, bundles);
    return record.key === key
      ? onLines(request, record.timestampMs, state, bundles)
      : tellLines(request, String(record.key), state);
  };
}

function cartAt(state: View, key: string): Cart | undefined {
  const known = state.get(cartKey(key));
  switch (known?.kind) {
    case 'asking':
    case 'deciding':
    case 'decided':
      return known;
    default:
      return undefined;
  }
}

function onRequest(
  request: Request,
  nowMs: number,
  state: View,
  bundles: Bundles,
): readonly Emit[] {
  const key = requestKey(request.client, request.idempotencyKey);
  const hash = fingerprintOf(request);
  const known = cartAt(state, key);
  if (known === undefined) return begin(request, hash, plan(request, nowMs, bundles), nowMs, state);
  if (known.hash !== hash) {
    const reason = `key ${request.idempotencyKey} was used for another request: take a new one`;
    const refusal = { kind: 'refused', code: 'IDEMPOTENCY_KEY_REUSED', reason } as const;
    return [emit(outcomes, key, refusedOutcome(request, hash, refusal, nowMs))];
  }
  return known.kind === 'decided'
    ? [emit(outcomes, key, known.outcome), { kind: 'count', metric: 'repeated', by: 1 }]
    : [];
}

function begin(
  request: Request,
  hash: string,
  planned: Plan,
  nowMs: number,
  state: View,
): readonly Emit[] {
  const key = requestKey(request.client, request.idempotencyKey);
  switch (planned.kind) {
    case 'refused':
      return finish(request, refusedOutcome(request, hash, planned, nowMs), hash, nowMs, state);
    case 'ask': {
      const owner = request.reservation ?? '';
      state.put(cartKey(key), { kind: 'asking', hash, request });
      return [emit(requests, owner, { ...request, askedBy: key })];
    }
    case 'commands': {
      const lines = planned.commands.map(({ sku, location, quantity }) => ({
        sku,
        location,
        quantity,
        decision: null,
      }));
      state.put(cartKey(key), { kind: 'deciding', hash, request, lines });
      return planned.commands.map((command) => emit(commands, command.sku, command));
    }
  }
}

/** Another cart asks for the lines of a reservation that was made here. */
function tellLines(request: Request, owner: string, state: View): readonly Emit[] {
  const known = cartAt(state, owner);
  const isHere = known?.kind === 'decided' && known.outcome.accepted;
  const skus = new Set(
    isHere ? known.outcome.lines.filter((line) => line.quantity > 0).map((line) => line.sku) : [],
  );
  const lines = [...skus].map((sku) => ({ sku, location: null, quantity: 0 }));
  return [
    emit(requests, requestKey(request.client, request.idempotencyKey), { ...request, lines }),
  ];
}

/** The lines that were asked for. */
function onLines(answer: Request, nowMs: number, state: View, bundles: Bundles): readonly Emit[] {
  const known = cartAt(state, requestKey(answer.client, answer.idempotencyKey));
  if (known?.kind !== 'asking') return [];
  const reason = `reservation ${answer.reservation} is not known`;
  const planned =
    answer.lines.length === 0
      ? ({ kind: 'refused', code: 'RESERVATION_UNKNOWN', reason } as const)
      : plan({ ...known.request, lines: answer.lines }, nowMs, bundles);
  return begin(known.request, known.hash, planned, nowMs, state);
}

function onDecision(decision: Decision, key: string, state: View): readonly Emit[] {
  const known = cartAt(state, key);
  // What is told in the end is answered too, when the cart is done.
  if (known?.kind !== 'deciding') return [];
  const index = Number(decision.commandId.slice(key.length + 1));
  if (known.lines[index]?.decision !== null) return [];
  const lines = known.lines.map((line, at) => (at === index ? { ...line, decision } : line));
  const { request, hash } = known;
  const conclusion = conclude(request, lines, hash);
  if (conclusion === undefined) {
    state.put(cartKey(key), { ...known, lines });
    return [];
  }
  return [
    ...conclusion.followUps.map((one, at) => emit(commands, one.sku, followUp(request, one, at))),
    ...finish(request, conclusion.outcome, hash, decision.decidedAt, state),
  ];
}

function finish(
  request: Request,
  outcome: Outcome,
  hash: string,
  nowMs: number,
  state: View,
): readonly Emit[] {
  const key = requestKey(request.client, request.idempotencyKey);
  const keptUntil = Math.max(nowMs, request.expiresAt ?? 0) + keptMs;
  state.put(cartKey(key), { kind: 'decided', hash, outcome, keptUntil });
  addToAgenda(decidedCarts, state, keptUntil, key);
  return [emit(outcomes, key, outcome)];
}

function refusedOutcome(
  request: Request,
  hash: string,
  refusal: Extract<Plan, { readonly kind: 'refused' }>,
  nowMs: number,
): Outcome {
  return {
    client: request.client,
    idempotencyKey: request.idempotencyKey,
    accepted: false,
    code: refusal.code,
    reason: refusal.reason,
    reservation: request.reservation,
    lines: [],
    decidedAt: nowMs,
    request: hash,
    state: '',
  };
}

function forget(nowMs: number, state: View): readonly Emit[] {
  for (const key of takeDue(decidedCarts, state, nowMs)) {
    const known = cartAt(state, key);
    if (known?.kind === 'decided' && known.keptUntil <= nowMs) state.delete(cartKey(key));
  }
  return [];
}
