/** The decisions of all SKUs → one outcome, and what has to be told to the SKUs in the end. */
import type { Command, Decision, Outcome, OutcomeLine, Request } from '../../schemas/types.ts';
import { requestKey } from '../topics.ts';
import { actsOnCells, actsOnReservation } from './plan.ts';
import type { CartLine } from './state.ts';

export type Conclusion = {
  readonly outcome: Outcome;
  /** Lines that hold until they are told, and lines that have to be taken back. */
  readonly followUps: readonly {
    readonly kind: 'confirm' | 'abort' | 'release';
    readonly sku: string;
  }[];
};

/** Undefined while a decision is missing. */
export function conclude(
  request: Request,
  lines: readonly CartLine[],
  hash: string,
): Conclusion | undefined {
  const decisions = lines.flatMap((line) => line.decision ?? []);
  if (decisions.length < lines.length) return undefined;
  const refusals = decisions.filter((decision) => !decision.accepted);
  const isDivisible = request.kind === 'reserve' || actsOnCells(request.kind);
  const isPartial = request.policy === 'FillAllAvailable' && isDivisible;
  const isAccepted = isPartial ? refusals.length < decisions.length : refusals.length === 0;
  return {
    outcome: outcomeOf(request, lines, hash, isAccepted, refusals[0]),
    followUps: followUpsOf(request, decisions, isAccepted),
  };
}

function followUpsOf(
  { kind, policy }: Request,
  decisions: readonly Decision[],
  isAccepted: boolean,
): Conclusion['followUps'] {
  const skus = [...new Set(decisions.filter(({ accepted }) => accepted).map(({ sku }) => sku))];
  const isTogether = kind === 'reserve' || kind === 'update' || actsOnCells(kind);
  if (isTogether && policy !== 'FillAllAvailable' && decisions.length > 1) {
    return skus.map((sku) => ({ kind: isAccepted ? 'confirm' : 'abort', sku }));
  }
  // A reservation that has run out in part is given up whole: the rest would hold for nobody.
  if (kind === 'commit' && !isAccepted) return skus.map((sku) => ({ kind: 'release', sku }));
  return [];
}

function outcomeOf(
  request: Request,
  lines: readonly CartLine[],
  hash: string,
  isAccepted: boolean,
  refusal: Decision | undefined,
): Outcome {
  const key = requestKey(request.client, request.idempotencyKey);
  const state = lines.find((line) => line.decision?.accepted)?.decision?.state ?? '';
  return {
    client: request.client,
    idempotencyKey: request.idempotencyKey,
    accepted: isAccepted,
    code: isAccepted ? '' : (refusal?.code ?? ''),
    reason: isAccepted ? '' : (refusal?.reason ?? ''),
    reservation: request.kind === 'reserve' ? (isAccepted ? key : null) : request.reservation,
    lines: lines.flatMap((line) => outcomeLines(line, isAccepted)),
    decidedAt: Math.max(...lines.map((line) => line.decision?.decidedAt ?? 0)),
    request: hash,
    state: isAccepted ? state : '',
  };
}

/** One per location that granted something, else one that says what is missing. */
function outcomeLines(
  { sku, location, decision }: CartLine,
  isAccepted: boolean,
): readonly OutcomeLine[] {
  const short = decision?.short ?? 0;
  const { code = '', reason = '', sequence = 0 } = decision ?? {};
  const parts = isAccepted ? (decision?.parts ?? []) : [];
  if (parts.length === 0) return [{ sku, location, quantity: 0, short, sequence, code, reason }];
  return parts.map((part, index) => ({
    sku,
    location: part.location,
    quantity: part.quantity,
    short: index === parts.length - 1 ? short : 0,
    sequence: part.sequence,
    code,
    reason,
  }));
}

/** What is told to a SKU in the end; only what the writer of the SKU reads of it is set. */
export function followUp(
  request: Request,
  { kind, sku }: Conclusion['followUps'][number],
  index: number,
): Command {
  const key = requestKey(request.client, request.idempotencyKey);
  return {
    id: `${key}#${kind}${index}`,
    client: request.client,
    idempotencyKey: request.idempotencyKey,
    kind,
    sku,
    location: '',
    quantity: 0,
    reservation: actsOnReservation(request.kind) ? request.reservation : key,
    channel: request.channel,
    expectedSequence: null,
    changeFromQuantity: null,
    expiresAt: null,
    reason: request.reason,
    reference: request.reference,
    actor: request.actor,
    occurredAt: request.occurredAt,
    policy: request.policy,
    locations: [],
    toLocation: null,
    bucket: 'onHand',
    echoKey: null,
    undecided: false,
  };
}
