/**
 * eBay's Inventory API: `bulk_update_price_quantity` with up to 25 SKUs. A listing shows the lesser of the item's and the
 * offer's quantity, so both are written; the offers of a SKU are looked up once.
 */
import type { Answer, Call, Item, ItemAnswer } from '../../delivery/calls.ts';
import type { Marketplace } from '../../delivery/ports.ts';
import type { OutgoingHttp } from '../outgoing-http.ts';
import { type Answered, at, jsonOf, listAt, troubleOf } from './answer.ts';
import type { TokenSource } from './token.ts';

export type EbayAccess = { readonly url: string };

const timeoutMs = 20_000;
const api = '/sell/inventory/v1';
const lookupsAtOnce = 5;

type Told = { readonly answer: Answered } | { readonly trouble: Answer };
type Writing = Extract<Call, { readonly kind: 'write' | 'bulk' }>;

export function ebayMarketplace(
  http: OutgoingHttp,
  access: EbayAccess,
  token: TokenSource,
): Marketplace {
  const offers = new Map<string, readonly string[]>();

  const ask = asking(http, access, token);

  /** False: they are not known. */
  const lookUp = async (sku: string): Promise<boolean> => {
    const told = await ask('GET', `/offer?sku=${encodeURIComponent(sku)}`);
    if ('trouble' in told) {
      if (told.trouble.kind === 'refused' && told.trouble.status === 404) offers.set(sku, []);
      return offers.has(sku);
    }
    const published = listAt(jsonOf(told.answer), 'offers').filter(
      (offer) => at(offer, 'status') === 'PUBLISHED',
    );
    offers.set(
      sku,
      published.map((offer) => String(at(offer, 'offerId'))),
    );
    return true;
  };

  const write = async ({ items }: Writing): Promise<Answer> => {
    const unknown = items.map(({ figure }) => figure.sku).filter((sku) => !offers.has(sku));
    for (let from = 0; from < unknown.length; from += lookupsAtOnce) {
      const some = unknown.slice(from, from + lookupsAtOnce);
      const found = await Promise.all(some.map(lookUp));
      if (found.includes(false)) {
        return { kind: 'failed', status: 0, reason: 'the offers of a SKU could not be looked up' };
      }
    }
    const told = await ask('POST', '/bulk_update_price_quantity', {
      requests: items.map((item) => requestOf(item, offers.get(item.figure.sku) ?? [])),
    });
    if ('trouble' in told) return told.trouble;
    return { kind: 'done', status: told.answer.status, items: faultsOf(jsonOf(told.answer)) };
  };

  const read = async (sku: string): Promise<Answer> => {
    const told = await ask('GET', `/inventory_item/${encodeURIComponent(sku)}`);
    if ('trouble' in told) {
      const isUnknown = told.trouble.kind === 'refused' && told.trouble.status === 404;
      return isUnknown ? { kind: 'read', status: 404, units: undefined } : told.trouble;
    }
    const path = ['availability', 'shipToLocationAvailability', 'quantity'];
    const quantity = at(jsonOf(told.answer), ...path);
    const units = typeof quantity === 'number' ? quantity : undefined;
    return { kind: 'read', status: told.answer.status, units };
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
          return { kind: 'refused', status: 0, reason: 'nothing is written for later' };
      }
    },
  };
}

type Ask = (method: 'GET' | 'POST', path: string, body?: object) => Promise<Told>;

function asking(http: OutgoingHttp, access: EbayAccess, token: TokenSource): Ask {
  return async (method, path, body) => {
    let bearer: string;
    try {
      bearer = await token.get();
    } catch (error) {
      return { trouble: { kind: 'failed', status: 0, reason: (error as Error).message } };
    }
    const answer = await http.send({
      method,
      url: `${access.url}${api}${path}`,
      headers: {
        authorization: `Bearer ${bearer}`,
        'content-type': 'application/json',
        'accept-language': 'en-US',
        'content-language': 'en-US',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs,
    });
    if (answer.kind === 'answered' && answer.status === 401) token.drop();
    const trouble = troubleOf(answer, Date.now());
    if (trouble !== undefined || answer.kind !== 'answered') return { trouble: trouble as Answer };
    return { answer };
  };
}

const requestOf = ({ figure, units }: Item, offerIds: readonly string[]) => ({
  sku: figure.sku,
  shipToLocationAvailability: { quantity: units },
  offers: offerIds.map((offerId) => ({ offerId, availableQuantity: units })),
});

/** One answer per offer: a SKU is done when all of them are. */
function faultsOf(plain: unknown): ReadonlyMap<string, ItemAnswer> {
  const faults = new Map<string, ItemAnswer>();
  for (const one of listAt(plain, 'responses')) {
    const status = Number(at(one, 'statusCode'));
    if (status < 300) continue;
    const reason = listAt(one, 'errors')
      .map((error) => `${String(at(error, 'errorId'))}: ${String(at(error, 'message'))}`)
      .join('; ');
    const kind = status === 404 ? 'refused' : 'failed';
    faults.set(String(at(one, 'sku')), { kind, reason: reason || String(status) });
  }
  return faults;
}
