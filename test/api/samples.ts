/** A view with known figures, a single writer that answers at once, and a server over both. */

import { type Client, scopes } from '../../processors/api/access.ts';
import { problem } from '../../processors/api/problem.ts';
import { createServer, type ServerOptions } from '../../processors/api/server.ts';
import { StockView } from '../../processors/api/view.ts';
import { hashText } from '../../processors/domain/hash.ts';
import { noQuantities } from '../../processors/domain/quantities.ts';
import type { ChannelStock, Freshness, Outcome, Request, StockLevel } from '../../schemas/types.ts';

export const nowMs = Date.UTC(2026, 4, 20, 8);
const cause = {
  kind: 'movement',
  id: 'm1',
  system: 'erp',
  transaction: '7',
  position: '9',
  committedAt: nowMs - 500,
} as const;

export const level = (
  sku: string,
  location: string,
  available: number,
  sequence = 1,
): StockLevel => ({
  sku,
  location,
  quantities: { ...noQuantities, onHand: available, available },
  sequence,
  previousSequence: sequence - 1,
  cause,
  schedule: [],
  allocations: [],
});

const figure = (channel: string, sku: string, sellable: number): ChannelStock => ({
  channel,
  sku,
  sellable,
  status: sellable > 0 ? 'inStock' : 'out',
  sequence: 3,
  previousSequence: 2,
  formula: 'plain',
  formulaVersion: 1,
  cause,
});

export const told = (source: string, asOf: number, state: Freshness['state']): Freshness => ({
  source,
  hop: 'stock',
  position: '9',
  asOf,
  observedAt: nowMs,
  state,
  reason: state === 'fresh' ? '' : 'is paused',
});

export function filledView(changesKept = 100): StockView {
  const view = new StockView({ channels: ['shop'], changesKept });
  view.open('stock 0', 0);
  view.open('shop 0', 0);
  const levels = [level('A', 'L1', 5_000), level('A', 'L2', 1_500), level('B', 'L1', 0)];
  for (const [offset, one] of levels.entries()) {
    view.apply('stock 0', offset, { kind: 'stock', key: one, level: one });
  }
  const sellable = figure('shop', 'A', 6_000);
  view.apply('shop 0', 0, { kind: 'channel', channel: 'shop', sku: 'A', figure: sellable });
  view.followed(nowMs);
  view.restored();
  return view;
}

/** Who stands in the header Authorization, and what each may do. */
const clients: Readonly<Record<string, Client>> = {
  all: {
    id: 'shop',
    scopes: [...scopes],
  },
  reader: { id: 'reader', scopes: ['stock:read'] },
  narrow: { id: 'narrow', scopes: ['stock:read@L1'] },
};

export const outcomeOf = (request: Request, rest: Partial<Outcome> = {}): Outcome => ({
  client: request.client,
  idempotencyKey: request.idempotencyKey,
  accepted: true,
  code: '',
  reason: '',
  reservation: `${request.client}|${request.idempotencyKey}`,
  lines: [],
  decidedAt: nowMs,
  request: hashText(JSON.stringify(request)),
  state: 'held',
  ...rest,
});

/** `answer` says what comes of a request; undefined: nothing is heard. */
export async function sampleServer(
  answer: (request: Request) => Outcome | undefined = outcomeOf,
  options: Partial<ServerOptions> = {},
) {
  const asked: Request[] = [];
  const listeners: ((outcome: Outcome) => void)[] = [];
  const server = await createServer({
    view: filledView(),
    now: () => nowMs,
    deadlineMs: 50,
    authenticate: async ({ authorization }) =>
      clients[String(authorization)] ?? problem('UNAUTHENTICATED', 'no key was given'),
    requests: {
      write: async (request) => {
        asked.push(request);
        const outcome = answer(request);
        if (outcome !== undefined) setImmediate(() => tell(outcome));
      },
      onOutcome: (listener) => void listeners.push(listener),
    },
    ...options,
  });
  const tell = (outcome: Outcome): void => {
    for (const listener of listeners) listener(outcome);
  };
  return { server, asked, tell };
}
