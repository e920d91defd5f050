/** What the webhooks processor knows: orders of each source, and which deliveries it has had. */
import type { AgendaState } from '../topology/agenda.ts';
import { packedCodec } from '../topology/packed.ts';
import type { SaidLine } from './read.ts';

export type OrderState = {
  readonly kind: 'order';
  readonly source: string;
  readonly id: string;
  readonly reference: string;
  readonly version: number;
  readonly state: 'open' | 'cancelled' | 'fulfilled';
  readonly lines: readonly SaidLine[];
  /** Each time that its lines change it is reserved anew; 0: not yet. */
  readonly reservation: number;
  /** Its lines have changed: the old ones have been given up, the new ones are about to be reserved. */
  readonly waits: boolean;
  /** How often its end has been asked for: an end may come to the carts before what it ends. */
  readonly ends: number;
  readonly keptUntil: number;
};

export type WebhooksState =
  | OrderState
  | { readonly kind: 'delivered'; readonly keptUntil: number }
  | AgendaState;

export const orderKey = (source: string, id: string): string => `o|${source}|${id}`;
export const deliveryKey = (source: string, id: string): string => `d|${source}|${id}`;

export const webhooksStateCodec = packedCodec<WebhooksState>({
  version: 2,
  words: [
    ...['kind', 'order', 'source', 'id', 'reference', 'version', 'state', 'open', 'cancelled'],
    ...[
      'fulfilled',
      'lines',
      'sku',
      'location',
      'quantity',
      'reservation',
      'ends',
      'keptUntil',
      'waits',
    ],
    ...['delivered', 'due', 'key', 'slot', 'count', 'pending', 'at'],
  ],
});
