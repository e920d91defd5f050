/** What a request asks of each SKU: its commands, or why it cannot be asked at all. */
import type { Command, Request, RequestLine } from '../../schemas/types.ts';
import { requestKey } from '../topics.ts';
import { type Bundles, explodeLines } from './bundles.ts';

export type RequestRefusal =
  | 'LINES_MISSING'
  | 'LINES_TOO_MANY'
  | 'ONE_LINE_ONLY'
  | 'LINE_TWICE'
  | 'QUANTITY_INVALID'
  | 'LOCATION_MISSING'
  | 'RESERVATION_MISSING'
  | 'RESERVATION_UNKNOWN'
  | 'EXPIRY_INVALID'
  | 'IDEMPOTENCY_KEY_REUSED';

export type Plan =
  | { readonly kind: 'commands'; readonly commands: readonly Command[] }
  /** The lines of its reservation have to be asked for first. */
  | { readonly kind: 'ask' }
  | { readonly kind: 'refused'; readonly code: RequestRefusal; readonly reason: string };

const linesMax = 100;
/** How long a reservation lives when the request does not say, and at most. */
const lifeMs = 900_000;
const lifeMaxMs = 31 * 86_400_000;

const onReservation: ReadonlySet<Request['kind']> = new Set([
  'update',
  'commit',
  'release',
  'fulfil',
]);
const onCell: ReadonlySet<Request['kind']> = new Set([
  'adjust',
  'set',
  'count',
  'transfer',
  'dispatch',
  'receive',
  'return',
  'allocate',
]);

/** Acts on a reservation that another request has made, and not on cells. */
export const actsOnReservation = (kind: Request['kind']): boolean => onReservation.has(kind);
export const actsOnCells = (kind: Request['kind']): boolean => onCell.has(kind);

export function plan(request: Request, nowMs: number, bundles: Bundles): Plan {
  const { kind, lines } = request;
  if (onReservation.has(kind) && request.reservation === null) {
    return refused('RESERVATION_MISSING', `${kind} acts on a reservation: name it`);
  }
  const isWhole = kind === 'commit' || kind === 'release' || kind === 'fulfil';
  if (lines.length === 0) {
    return isWhole ? { kind: 'ask' } : refused('LINES_MISSING', `${kind} needs at least one line`);
  }
  if (lines.length > linesMax) {
    return refused('LINES_TOO_MANY', `${lines.length} lines, at most ${linesMax} are taken`);
  }
  const fault = lineFault(request) ?? expiryFault(request, nowMs);
  if (fault !== undefined) return fault;
  return { kind: 'commands', commands: commandsOf(request, explodeLines(lines, bundles), nowMs) };
}

function lineFault({ kind, lines, policy, reservation }: Request) {
  if (kind === 'reserve' && lines.some((line) => line.quantity <= 0)) {
    return refused('QUANTITY_INVALID', 'a line to reserve needs more than 0 units');
  }
  if (!onCell.has(kind)) return undefined;
  if (lines.some((line) => (line.location ?? '') === '')) {
    return refused('LOCATION_MISSING', `${kind} needs the location of each line`);
  }
  const cells = new Set(lines.map(({ sku, location }) => JSON.stringify([sku, location])));
  if ((kind === 'set' || kind === 'count') && cells.size < lines.length) {
    return refused('LINE_TWICE', `two lines ${kind} the same SKU at the same location`);
  }
  const isMove = kind === 'transfer' && reservation !== null;
  return lines.length > 1 && isMove && policy !== 'FillAllAvailable'
    ? refused(
        'ONE_LINE_ONLY',
        'what a reservation holds moves line by line: one line, or FillAllAvailable',
      )
    : undefined;
}

function expiryFault({ kind, expiresAt }: Request, nowMs: number) {
  if ((kind !== 'reserve' && kind !== 'update') || expiresAt === null) return undefined;
  return expiresAt <= nowMs || expiresAt > nowMs + lifeMaxMs
    ? refused('EXPIRY_INVALID', 'a reservation ends in the future, within 31 days')
    : undefined;
}

function commandsOf(
  request: Request,
  lines: readonly RequestLine[],
  nowMs: number,
): readonly Command[] {
  const { kind, client, idempotencyKey, policy } = request;
  const key = requestKey(client, idempotencyKey);
  // Of several lines, all or none: each waits until its cart has heard of all.
  const isTogether = kind === 'reserve' || kind === 'update' || onCell.has(kind);
  return lines.map((line, index) => ({
    id: `${key}#${index}`,
    client,
    idempotencyKey,
    kind,
    sku: line.sku,
    location: line.location ?? '',
    quantity: line.quantity,
    reservation: kind === 'reserve' ? key : request.reservation,
    channel: request.channel,
    expectedSequence: request.expectedSequence,
    changeFromQuantity: request.changeFromQuantity,
    expiresAt: kind === 'reserve' ? (request.expiresAt ?? nowMs + lifeMs) : request.expiresAt,
    reason: request.reason,
    reference: request.reference,
    actor: request.actor,
    // A client that repeats a request need not know when it first asked.
    occurredAt: request.occurredAt === 0 ? nowMs : request.occurredAt,
    policy,
    locations: request.locations,
    toLocation: request.toLocation,
    bucket: request.bucket,
    echoKey: request.echoKey,
    undecided: isTogether && policy !== 'FillAllAvailable' && lines.length > 1,
  }));
}

function refused(code: RequestRefusal, reason: string): Extract<Plan, { kind: 'refused' }> {
  return { kind: 'refused', code, reason };
}
