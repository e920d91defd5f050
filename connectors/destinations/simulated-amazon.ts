/**
 * Amazon's Listings Items and Feeds, for tests: 5 patches/s with a burst of 10, 5 reads/s with 10, 5 feeds per 5 minutes
 * with up to 25 000 messages, which are done one after another and after a while.
 */
import { gzipSync } from 'node:zlib';
import { integer, type Random, seededRandom } from '../simulator/random.ts';
import {
  type Asked,
  type Books,
  newBooks,
  publishedQuota,
  type Reaction,
  simulatedServer,
  tally,
} from './simulated-server.ts';
import type { SimulatedMarketplace } from './simulated-shop.ts';

type Patch = {
  readonly value: readonly { readonly quantity: number }[];
};
type Message = {
  readonly messageId: number;
  readonly sku: string;
  readonly patches: readonly Patch[];
};
type Feed = {
  readonly feedId: string;
  readonly createdTime: string;
  processingStatus: string;
  resultFeedDocumentId?: string;
};

const feedMessagesMax = 25_000;
const feedTookMs = [4_000, 12_000] as const;
/** One message of a feed in so many ends with an error. */
const messageFaultOneIn = 2_000;

export const tokenReaction = (): Reaction => ({
  reply: {
    status: 200,
    body: { access_token: 'simulated', token_type: 'bearer', expires_in: 3600 },
  },
});

export async function simulatedAmazon(options: {
  readonly seed: number;
  readonly oneIn: number;
}): Promise<SimulatedMarketplace> {
  const amazon = new Amazon(options.seed);
  const server = await simulatedServer({
    ...options,
    books: amazon.books,
    tookMs: [40, 250],
    react: (asked, nowMs) => amazon.react(asked, nowMs),
  });
  amazon.url = server.url;
  return {
    ...server,
    books: amazon.books,
    listings: amazon.listings,
    close: async () => {
      amazon.end();
      await server.close();
    },
  };
}

class Amazon {
  readonly books: Books = newBooks();
  readonly listings = new Map<string, number>();
  url = '';
  readonly #random: Random;
  readonly #documents = new Map<string, string | Buffer>();
  readonly #feeds = new Map<string, Feed>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #mayPatch = publishedQuota(5, 10);
  readonly #mayRead = publishedQuota(5, 10);
  readonly #mayFeed = publishedQuota(5 / 300, 5);
  #freeAtMs = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed + 1);
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  react(asked: Asked, nowMs: number): Reaction {
    if (asked.path.endsWith('/token')) return tokenReaction();
    const [, first, , third, fourth = ''] = asked.path.split('/');
    if (first === 'stored') return this.#stored(asked);
    tally(this.books.calls, `${asked.method} ${first} ${first === 'feeds' ? third : ''}`.trim());
    if (asked.headers['x-amz-access-token'] !== 'simulated') return { reply: { status: 403 } };
    if (first === 'listings') return this.#listing(asked, nowMs);
    if (third === 'documents') return this.#document(asked, fourth);
    return asked.method === 'POST' ? this.#create(asked, nowMs) : this.#feed(asked, fourth);
  }

  #throttled(): Reaction {
    this.books.quotaBroken += 1;
    const errors = [{ code: 'QuotaExceeded', message: 'You exceeded your quota.', details: '' }];
    return { reply: { status: 429, body: { errors } } };
  }

  #listing(asked: Asked, nowMs: number): Reaction {
    const sku = decodeURIComponent(asked.path.split('/').at(-1) ?? '');
    if (asked.method === 'GET') {
      if (!this.#mayRead(nowMs)) return this.#throttled();
      const quantity = this.listings.get(sku);
      if (quantity === undefined) return { reply: { status: 404, body: { errors: [] } } };
      const fulfillmentAvailability = [{ fulfillmentChannelCode: 'DEFAULT', quantity }];
      return { reply: { status: 200, body: { sku, fulfillmentAvailability } } };
    }
    if (!this.#mayPatch(nowMs)) return this.#throttled();
    const { patches } = JSON.parse(asked.body) as { readonly patches: readonly Patch[] };
    const body = { sku, status: 'ACCEPTED', submissionId: `${nowMs}`, issues: [] };
    return { reply: { status: 200, body }, apply: () => this.#show(sku, patches) };
  }

  #show(sku: string, patches: readonly Patch[]): void {
    const units = patches[0]?.value[0]?.quantity ?? 0;
    this.listings.set(sku, units);
    this.books.shown.push({ sku, units, sequence: undefined, atMs: Date.now() });
  }

  /** Where documents are put and fetched without a token, as the presigned addresses of the original. */
  #stored(asked: Asked): Reaction {
    const id = asked.path.split('/').at(-1) ?? '';
    if (asked.method === 'PUT') {
      this.#documents.set(id, asked.body);
      return { reply: { status: 200 } };
    }
    const document = this.#documents.get(id);
    if (document === undefined) return { reply: { status: 404 } };
    return { reply: { status: 200, body: document } };
  }

  #document(asked: Asked, id: string): Reaction {
    if (asked.method === 'POST') {
      const feedDocumentId = `document-${this.#documents.size + 1}`;
      this.#documents.set(feedDocumentId, '');
      const url = `${this.url}/stored/${feedDocumentId}`;
      return { reply: { status: 201, body: { feedDocumentId, url } } };
    }
    const body = {
      feedDocumentId: id,
      url: `${this.url}/stored/${id}`,
      compressionAlgorithm: 'GZIP',
    };
    return { reply: { status: 200, body } };
  }

  #create(asked: Asked, nowMs: number): Reaction {
    if (!this.#mayFeed(nowMs)) return this.#throttled();
    const { inputFeedDocumentId } = JSON.parse(asked.body) as { inputFeedDocumentId: string };
    const text = String(this.#documents.get(inputFeedDocumentId) ?? '{}');
    const { messages } = JSON.parse(text) as { readonly messages: readonly Message[] };
    if (messages.length > feedMessagesMax) return { reply: { status: 400 } };
    const feedId = `feed-${this.#feeds.size + 1}`;
    const apply = (): void => {
      const createdTime = new Date().toISOString();
      const feed: Feed = { feedId, createdTime, processingStatus: 'IN_QUEUE' };
      this.#feeds.set(feedId, feed);
      const beginsMs = Math.max(Date.now(), this.#freeAtMs);
      this.#freeAtMs = beginsMs + integer(this.#random, ...feedTookMs);
      this.#at(this.#freeAtMs, () => this.#process(feed, messages));
    };
    return { reply: { status: 202, body: { feedId } }, apply };
  }

  #at(atMs: number, what: () => void): void {
    const timer = setTimeout(what, atMs - Date.now());
    this.#timers.add(timer);
  }

  #process(feed: Feed, messages: readonly Message[]): void {
    const issues: object[] = [];
    for (const { messageId, sku, patches } of messages) {
      if (integer(this.#random, 1, messageFaultOneIn) === 1) {
        issues.push({ messageId, code: '90244', severity: 'ERROR', message: 'try again later' });
      } else this.#show(sku, patches);
    }
    const summary = {
      errors: issues.length,
      warnings: 0,
      messagesProcessed: messages.length,
      messagesAccepted: messages.length - issues.length,
      messagesInvalid: issues.length,
    };
    const header = { sellerId: 'SELLER', version: '2.0', feedId: feed.feedId };
    const report = `report-${feed.feedId}`;
    this.#documents.set(report, gzipSync(JSON.stringify({ header, issues, summary })));
    feed.resultFeedDocumentId = report;
    feed.processingStatus = 'DONE';
  }

  #feed(asked: Asked, id: string): Reaction {
    if (id !== '') {
      const feed = this.#feeds.get(id);
      return { reply: feed === undefined ? { status: 404 } : { status: 200, body: feed } };
    }
    const since = Date.parse(asked.query.get('createdSince') ?? '');
    const feeds = [...this.#feeds.values()].filter((one) => Date.parse(one.createdTime) >= since);
    return { reply: { status: 200, body: { feeds } } };
  }
}
