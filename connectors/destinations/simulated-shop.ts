/** A shop with a plain interface, for tests: 10 calls/s with a burst of 20, up to 100 SKUs each. */
import {
  type Asked,
  type Books,
  newBooks,
  publishedQuota,
  type Reaction,
  type SimulatedServer,
  simulatedServer,
  tally,
} from './simulated-server.ts';

export type SimulatedMarketplace = SimulatedServer & {
  readonly books: Books;
  /** What the listings show now. */
  readonly listings: ReadonlyMap<string, number>;
};

const itemsMax = 100;

export async function simulatedShop(options: {
  readonly seed: number;
  readonly oneIn: number;
}): Promise<SimulatedMarketplace> {
  const books = newBooks();
  const listings = new Map<string, number>();
  const mayWrite = publishedQuota(10, 20);
  const mayRead = publishedQuota(5, 10);
  const throttled = (): Reaction => {
    books.quotaBroken += 1;
    return { reply: { status: 429, headers: { 'retry-after': '1' } } };
  };

  const write = (asked: Asked, nowMs: number): Reaction => {
    if (!mayWrite(nowMs)) return throttled();
    const { items } = JSON.parse(asked.body) as {
      readonly items: readonly { sku: string; quantity: number; sequence: number }[];
    };
    if (items.length > itemsMax) return { reply: { status: 413 } };
    const results = items.map(({ sku }) => ({ sku, status: 'ok' }));
    const apply = (): void => {
      const atMs = Date.now();
      for (const { sku, quantity, sequence } of items) {
        listings.set(sku, quantity);
        books.shown.push({ sku, units: quantity, sequence, atMs });
      }
    };
    return { reply: { status: 200, body: { results } }, apply };
  };
  const server = await simulatedServer({
    ...options,
    books,
    tookMs: [5, 60],
    react: (asked, nowMs) => {
      tally(books.calls, `${asked.method} stock`);
      if (asked.headers.authorization !== 'Bearer shop-token') return { reply: { status: 401 } };
      if (asked.method === 'PUT') return write(asked, nowMs);
      if (!mayRead(nowMs)) return throttled();
      const sku = decodeURIComponent(asked.path.split('/').at(-1) ?? '');
      const quantity = listings.get(sku);
      return quantity === undefined
        ? { reply: { status: 404 } }
        : { reply: { status: 200, body: { sku, quantity } } };
    },
  });
  return { ...server, books, listings };
}
