/** A typed client of the API, for Node and browsers: fetch, and the types of `models.ts`. */
import type { z } from 'zod';
import type * as models from './models.ts';

type In<S extends z.ZodType> = z.input<S>;
type Out<S extends z.ZodType> = z.output<S>;
type Query = Readonly<Record<string, string | number | undefined>>;

/** What the API refused, or could not tell. */
export class ApiError extends Error {
  readonly problem: Out<typeof models.problemAnswer>;

  constructor(problem: Out<typeof models.problemAnswer>) {
    super(`${problem.code}: ${problem.detail}`);
    this.problem = problem;
  }
}

export type InventoryClient = ReturnType<typeof inventoryClient>;

/** `key`: an API key or a JWT. Every call throws `ApiError` for a problem. */
export function inventoryClient(url: string, key: string) {
  const call = async <T>(method: string, path: string, more: CallOptions = {}): Promise<T> => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(more.query ?? {})) {
      if (value !== undefined) query.set(name, String(value));
    }
    const response = await fetch(`${url}${path}${query.size === 0 ? '' : `?${query}`}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(more.key === undefined ? {} : { 'idempotency-key': more.key }),
      },
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new ApiError(answer as Out<typeof models.problemAnswer>);
    return answer as T;
  };
  const part = encodeURIComponent;
  type Outcome = Out<typeof models.outcomeAnswer>;
  type Demand = { readonly minWatermark?: string; readonly maxStaleness?: number };
  const end = (kind: string) => (idempotencyKey: string, reservation: string) =>
    call<Outcome>('POST', `/v1/reservations/${part(reservation)}/${kind}`, {
      key: idempotencyKey,
      body: {},
    });
  return {
    sku: (sku: string, demand: Demand = {}) =>
      call<Out<typeof models.skuAnswer>>('GET', `/v1/stock/${part(sku)}`, { query: demand }),
    cell: (sku: string, location: string, demand: Demand = {}) =>
      call<Out<typeof models.cellAnswer>>(
        'GET',
        `/v1/stock/${part(sku)}/locations/${part(location)}`,
        { query: demand },
      ),
    list: (query: Query = {}) =>
      call<Out<typeof models.cellsAnswer>>('GET', '/v1/stock', { query }),
    batch: (body: In<typeof models.batchQuery>) =>
      call<Out<typeof models.cellsAnswer>>('POST', '/v1/stock:batchGet', { body }),
    channel: (channel: string, query: Query = {}) =>
      call<Out<typeof models.figuresAnswer>>('GET', `/v1/channels/${part(channel)}/stock`, {
        query,
      }),
    changes: (query: Query = {}) =>
      call<Out<typeof models.changesAnswer>>('GET', '/v1/changes', { query }),
    reserve: (idempotencyKey: string, body: In<typeof models.reservationBody>) =>
      call<Outcome>('POST', '/v1/reservations', { key: idempotencyKey, body }),
    commit: end('commit'),
    release: end('release'),
    fulfil: end('fulfil'),
    adjust: (idempotencyKey: string, body: In<typeof models.adjustmentBody>) =>
      call<Outcome>('POST', '/v1/adjustments', { key: idempotencyKey, body }),
    request: (idempotencyKey: string) =>
      call<Outcome>('GET', `/v1/requests/${part(idempotencyKey)}`),
  };
}

type CallOptions = { readonly query?: Query; readonly body?: unknown; readonly key?: string };
