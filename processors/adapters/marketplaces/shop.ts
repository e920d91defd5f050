/**
 * A shop with a plain interface: `PUT <url>/stock` with many quantities at once and an answer per SKU, `GET <url>/stock/<sku>`.
 * A sequence goes with each quantity, so that the shop itself can refuse an older one.
 */
import type { Answer, Call, ItemAnswer } from '../../delivery/calls.ts';
import type { Marketplace } from '../../delivery/ports.ts';
import type { OutgoingHttp } from '../outgoing-http.ts';
import { at, jsonOf, listAt, troubleOf } from './answer.ts';

export type ShopAccess = { readonly url: string; readonly token: string };

const timeoutMs = 15_000;

export function shopMarketplace(http: OutgoingHttp, { url, token }: ShopAccess): Marketplace {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

  const write = async (
    call: Extract<Call, { readonly kind: 'write' | 'bulk' }>,
  ): Promise<Answer> => {
    const items = call.items.map(({ figure, units }) => ({
      sku: figure.sku,
      quantity: units,
      sequence: figure.sequence,
    }));
    const answer = await http.send({
      method: 'PUT',
      url: `${url}/stock`,
      headers: { ...headers, 'idempotency-key': call.id },
      body: JSON.stringify({ items }),
      timeoutMs,
    });
    const trouble = troubleOf(answer, Date.now());
    if (trouble !== undefined || answer.kind !== 'answered') return trouble as Answer;
    const named = new Map<string, ItemAnswer>();
    for (const one of listAt(jsonOf(answer), 'results')) {
      const status = at(one, 'status');
      if (status === 'ok') continue;
      const reason = String(at(one, 'reason') ?? status);
      named.set(String(at(one, 'sku')), {
        kind: status === 'unknown' ? 'refused' : 'failed',
        reason,
      });
    }
    return { kind: 'done', status: answer.status, items: named };
  };
  const read = async (sku: string): Promise<Answer> => {
    const answer = await http.send({
      method: 'GET',
      url: `${url}/stock/${encodeURIComponent(sku)}`,
      headers,
      timeoutMs,
    });
    if (answer.kind === 'answered' && answer.status === 404) {
      return { kind: 'read', status: 404, units: undefined };
    }
    const trouble = troubleOf(answer, Date.now());
    if (trouble !== undefined || answer.kind !== 'answered') return trouble as Answer;
    const quantity = at(jsonOf(answer), 'quantity');
    if (typeof quantity === 'number')
      return { kind: 'read', status: answer.status, units: quantity };
    return { kind: 'failed', status: answer.status, reason: 'the answer holds no quantity' };
  };
  return {
    make: async (call) => {
      switch (call.kind) {
        case 'write':
        case 'bulk':
          return write(call);
        case 'read':
          return read(call.sku);
        case 'look':
          return { kind: 'refused', status: 0, reason: 'a shop has no bulk' };
      }
    },
  };
}
