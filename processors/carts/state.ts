/** The state of the carts processor: one cart per request, by client and idempotency key. */
import type { Decision, Outcome, Request } from '../../schemas/types.ts';
import type { AgendaState } from '../topology/agenda.ts';
import { packedCodec } from '../topology/packed.ts';

export type CartLine = {
  readonly sku: string;
  /** Empty: wherever it was found. */
  readonly location: string;
  readonly quantity: number;
  /** Null while the writer of the SKU has not said. */
  readonly decision: Decision | null;
};

export type Cart =
  /** It waits for the lines of the reservation that it acts on, which another cart knows. */
  | { readonly kind: 'asking'; readonly hash: string; readonly request: Request }
  | {
      readonly kind: 'deciding';
      readonly hash: string;
      readonly request: Request;
      readonly lines: readonly CartLine[];
    }
  | {
      readonly kind: 'decided';
      readonly hash: string;
      readonly outcome: Outcome;
      readonly keptUntil: number;
    };

export type CartsState = Cart | AgendaState;

export const cartKey = (key: string): string => `q|${key}`;

/** What nearly every value holds. A part of the format: add at the end. */
const words = [
  ...['kind', 'deciding', 'decided', 'hash', 'request', 'lines', 'outcome', 'keptUntil', 'sku'],
  ...['location', 'quantity', 'decision', 'client', 'idempotencyKey', 'policy', 'FillOrKill'],
  ...[
    'reservation',
    'channel',
    'toLocation',
    'expectedSequence',
    'changeFromQuantity',
    'expiresAt',
  ],
  ...['reason', 'reference', 'actor', 'occurredAt', 'locations', 'bucket', 'onHand', 'echoKey', ''],
  ...['askedBy', 'commandId', 'accepted', 'code', 'sequence', 'decidedAt', 'short', 'parts'],
  ...['available', 'state', 'CREATED', 'reserve', 'due', 'key', 'slot', 'count', 'pending', 'at'],
];

/** Version 1 counted texts behind the words: refused. */
export const cartsStateCodec = packedCodec<CartsState>({ version: 2, words });
