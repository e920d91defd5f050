/** What clients ask, what was decided, and what was told outside → rows. Pure. */
import type {
  Decision,
  DeliveryAttempt,
  Freshness,
  Outcome,
  OutcomeLine,
  Request,
  RequestLine,
} from '../../schemas/types.ts';
import { type Feed, feed, type Valued, valued } from './feed.ts';

type AskedLine = Valued<Request> & { readonly line: RequestLine; readonly index: number };

export const requestFeed: Feed = feed<AskedLine>(
  'requests',
  [
    ['client', ({ value }) => value.client],
    ['idempotency_key', ({ value }) => value.idempotencyKey],
    ['kind', ({ value }) => value.kind],
    ['policy', ({ value }) => value.policy],
    ['line', ({ index }) => index],
    ['sku', ({ line }) => line.sku],
    ['location', ({ line }) => line.location ?? ''],
    ['quantity', ({ line }) => line.quantity],
    ['reservation', ({ value }) => value.reservation ?? ''],
    ['channel', ({ value }) => value.channel ?? ''],
    ['to_location', ({ value }) => value.toLocation ?? ''],
    ['bucket', ({ value }) => value.bucket],
    ['reason', ({ value }) => value.reason],
    ['reference', ({ value }) => value.reference],
    ['actor', ({ value }) => value.actor],
    ['occurred_at', ({ value }) => value.occurredAt],
  ],
  (delivery) =>
    valued<Request>(delivery).flatMap((row) =>
      orOne(row.value.lines, { sku: '', location: null, quantity: 0 }).map((line, index) => ({
        ...row,
        line,
        index,
      })),
    ),
);

type AnsweredLine = Valued<Outcome> & { readonly line: OutcomeLine; readonly index: number };
const noLine: OutcomeLine = {
  sku: '',
  location: '',
  quantity: 0,
  short: 0,
  sequence: 0,
  code: '',
  reason: '',
};

export const outcomeFeed: Feed = feed<AnsweredLine>(
  'outcomes',
  [
    ['client', ({ value }) => value.client],
    ['idempotency_key', ({ value }) => value.idempotencyKey],
    ['accepted', ({ value }) => value.accepted],
    ['code', ({ value }) => value.code],
    ['reason', ({ value }) => value.reason],
    ['reservation', ({ value }) => value.reservation ?? ''],
    ['state', ({ value }) => value.state],
    ['line', ({ index }) => index],
    ['sku', ({ line }) => line.sku],
    ['location', ({ line }) => line.location],
    ['quantity', ({ line }) => line.quantity],
    ['short', ({ line }) => line.short],
    ['line_code', ({ line }) => line.code],
    ['line_reason', ({ line }) => line.reason],
    ['sequence', ({ line }) => line.sequence],
    ['decided_at', ({ value }) => value.decidedAt],
  ],
  (delivery) =>
    valued<Outcome>(delivery).flatMap((row) =>
      orOne(row.value.lines, noLine).map((line, index) => ({ ...row, line, index })),
    ),
);

/** A request or an outcome without lines is a row too. */
function orOne<L>(lines: readonly L[], none: L): readonly L[] {
  return lines.length === 0 ? [none] : lines;
}

export const decisionFeed: Feed = feed<Valued<Decision>>(
  'decisions',
  [
    ['command_id', ({ value }) => value.commandId],
    ['sku', ({ value }) => value.sku],
    ['location', ({ value }) => value.location],
    ['accepted', ({ value }) => value.accepted],
    ['code', ({ value }) => value.code],
    ['reason', ({ value }) => value.reason],
    ['quantity', ({ value }) => value.quantity],
    ['short', ({ value }) => value.short ?? 0],
    ['sequence', ({ value }) => value.sequence],
    ['reservation', ({ value }) => value.reservation ?? ''],
    ['state', ({ value }) => value.state],
    ['decided_at', ({ value }) => value.decidedAt],
  ],
  valued<Decision>,
);

export const deliveryAttemptFeed: Feed = feed<Valued<DeliveryAttempt>>(
  'delivery_attempts',
  [
    ['destination', ({ value }) => value.destination],
    ['destination_kind', ({ value }) => value.destinationKind],
    ['channel', ({ value }) => value.channel],
    ['sku', ({ value }) => value.sku],
    ['sequence', ({ value }) => value.sequence],
    ['sellable', ({ value }) => value.sellable],
    ['delivery', ({ value }) => value.delivery],
    ['attempt', ({ value }) => value.attempt],
    ['outcome', ({ value }) => value.outcome],
    ['status', ({ value }) => value.status],
    ['took_ms', ({ value }) => value.tookMs],
    ['attempted_at', ({ value }) => value.attemptedAt],
    ['published_at', ({ value }) => value.publishedAt],
    ['reason', ({ value }) => value.reason],
  ],
  valued<DeliveryAttempt>,
);

export const freshnessFeed: Feed = feed<Valued<Freshness>>(
  'freshness',
  [
    ['source', ({ value }) => value.source],
    ['hop', ({ value }) => value.hop],
    ['position', ({ value }) => value.position],
    ['as_of', ({ value }) => value.asOf],
    ['observed_at', ({ value }) => value.observedAt],
    ['state', ({ value }) => value.state],
    ['reason', ({ value }) => value.reason],
  ],
  valued<Freshness>,
);
