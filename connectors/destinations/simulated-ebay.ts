/**
 * eBay's Inventory API, for tests: 25 SKUs per call, 250 revisions of a listing per day, a listing shows the lesser of the
 * item's and the offer's quantity, an answer per SKU (207 when they differ).
 */
import { tokenReaction } from './simulated-amazon.ts';
import {
  type Asked,
  newBooks,
  publishedQuota,
  type Reaction,
  simulatedServer,
  tally,
} from './simulated-server.ts';
import type { SimulatedMarketplace } from './simulated-shop.ts';

type Requested = {
  readonly sku: string;
  readonly shipToLocationAvailability?: { readonly quantity: number };
  readonly offers?: readonly { readonly offerId: string; readonly availableQuantity: number }[];
};

const itemsMax = 25;
const revisionsADay = 250;
const offerOf = (sku: string): string => `offer-${sku}`;
const api = '/sell/inventory/v1';

export async function simulatedEbay(options: {
  readonly seed: number;
  readonly oneIn: number;
}): Promise<SimulatedMarketplace> {
  const books = newBooks();
  const listings = new Map<string, number>();
  const items = new Map<string, number>();
  const offers = new Map<string, number>();
  const revisions = new Map<string, number>();
  const mayWrite = publishedQuota(20, 20);

  const revise = ({ sku, shipToLocationAvailability, offers: told = [] }: Requested): void => {
    if (shipToLocationAvailability !== undefined)
      items.set(sku, shipToLocationAvailability.quantity);
    for (const { offerId, availableQuantity } of told) offers.set(offerId, availableQuantity);
    const units = Math.min(items.get(sku) ?? 0, offers.get(offerOf(sku)) ?? 0);
    listings.set(sku, units);
    books.shown.push({ sku, units, sequence: undefined, atMs: Date.now() });
  };
  const write = (asked: Asked, nowMs: number): Reaction => {
    if (!mayWrite(nowMs)) {
      books.quotaBroken += 1;
      return { reply: { status: 429, headers: { 'retry-after': '1' } } };
    }
    const { requests } = JSON.parse(asked.body) as { readonly requests: readonly Requested[] };
    if (requests.length > itemsMax)
      return { reply: { status: 400, body: error(25713, 'too many') } };
    const allowed = requests.filter(({ sku }) => (revisions.get(sku) ?? 0) < revisionsADay);
    books.budgetExceeded += requests.length - allowed.length;
    const responses = requests.map((one) =>
      allowed.includes(one)
        ? { sku: one.sku, offerId: offerOf(one.sku), statusCode: 200, errors: [], warnings: [] }
        : { sku: one.sku, statusCode: 400, ...error(25019, 'revised 250 times today') },
    );
    const apply = (): void => {
      for (const one of allowed) {
        tally(revisions, one.sku);
        revise(one);
      }
    };
    const status = allowed.length === requests.length ? 200 : 207;
    return { reply: { status, body: { responses } }, apply };
  };
  const read = (asked: Asked): Reaction => {
    if (asked.path === `${api}/offer`) {
      const sku = asked.query.get('sku') ?? '';
      const known = [{ sku, offerId: offerOf(sku), status: 'PUBLISHED', format: 'FIXED_PRICE' }];
      return { reply: { status: 200, body: { total: 1, offers: known } } };
    }
    const sku = decodeURIComponent(asked.path.split('/').at(-1) ?? '');
    const quantity = items.get(sku);
    if (quantity === undefined)
      return { reply: { status: 404, body: error(25710, 'no such item') } };
    const availability = { shipToLocationAvailability: { quantity } };
    return { reply: { status: 200, body: { sku, availability } } };
  };
  const server = await simulatedServer({
    ...options,
    books,
    tookMs: [20, 150],
    react: (asked, nowMs) => {
      if (asked.path.endsWith('/token')) return tokenReaction();
      tally(books.calls, `${asked.method} ${asked.path.split('/')[4] ?? ''}`);
      if (asked.headers.authorization !== 'Bearer simulated') return { reply: { status: 401 } };
      return asked.method === 'POST' ? write(asked, nowMs) : read(asked);
    },
  });
  return { ...server, books, listings };
}

const error = (errorId: number, message: string) => ({
  errors: [{ errorId, domain: 'API_INVENTORY', category: 'REQUEST', message }],
});
