/**
 * Amazon's Selling Partner API: a patch of one listing (Listings Items 2021-08-01), or a JSON_LISTINGS_FEED of many
 * (Feeds 2021-06-30), and reading a listing back.
 */
import { gunzipSync } from 'node:zlib';
import type { Answer, Bulk, Call, Item, ItemAnswer } from '../../delivery/calls.ts';
import type { Marketplace } from '../../delivery/ports.ts';
import type { OutgoingHttp, OutgoingRequest } from '../outgoing-http.ts';
import { type Answered, at, jsonOf, listAt, troubleOf } from './answer.ts';
import type { TokenSource } from './token.ts';

export type AmazonAccess = {
  /** Of the region, such as https://sellingpartnerapi-eu.amazon.com */
  readonly url: string;
  readonly seller: string;
  /** Such as A1PA6795UKMFR9 for Germany. */
  readonly marketplace: string;
};

const timeoutMs = 20_000;
const feedType = 'JSON_LISTINGS_FEED';
/** Amazon's clock and ours may differ by this. */
const clockMs = 120_000;
/** An answer's Date has no fractions of a second. */
const wholeSecondsMs = 2_000;

type Told = { readonly answer: Answered } | { readonly trouble: Answer };

const patchesOf = (units: number) => [
  {
    op: 'merge',
    path: '/attributes/fulfillment_availability',
    value: [{ fulfillment_channel_code: 'DEFAULT', quantity: units }],
  },
];

export function amazonMarketplace(
  http: OutgoingHttp,
  access: AmazonAccess,
  token: TokenSource,
): Marketplace {
  const amazon = new Amazon(http, access, token);
  return {
    make: (call) => amazon.make(call),
  };
}

class Amazon {
  readonly #http: OutgoingHttp;
  readonly #access: AmazonAccess;
  readonly #token: TokenSource;
  /** SKUs of the messages of a feed, by the call that sent it; of this process alone. */
  readonly #sent = new Map<string, readonly string[]>();

  constructor(http: OutgoingHttp, access: AmazonAccess, token: TokenSource) {
    this.#http = http;
    this.#access = access;
    this.#token = token;
  }

  async make(call: Call): Promise<Answer> {
    switch (call.kind) {
      case 'write':
        return this.#patch(call.items[0] as Item);
      case 'bulk':
        return this.#feed(call.id, call.items);
      case 'look':
        return this.#look(call.bulk);
      case 'read':
        return this.#read(call.sku);
    }
  }

  async #ask(method: OutgoingRequest['method'], path: string, body?: object): Promise<Told> {
    let token: string;
    try {
      token = await this.#token.get();
    } catch (error) {
      return { trouble: { kind: 'failed', status: 0, reason: (error as Error).message } };
    }
    const answer = await this.#http.send({
      method,
      url: `${this.#access.url}${path}`,
      headers: { 'x-amz-access-token': token, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs,
    });
    if (answer.kind === 'answered' && [401, 403].includes(answer.status)) this.#token.drop();
    const trouble = troubleOf(answer, Date.now());
    if (trouble !== undefined || answer.kind !== 'answered') return { trouble: trouble as Answer };
    return { answer };
  }

  #listing(sku: string, query: string): string {
    const { seller, marketplace } = this.#access;
    const item = `${encodeURIComponent(seller)}/${encodeURIComponent(sku)}`;
    return `/listings/2021-08-01/items/${item}?marketplaceIds=${marketplace}&${query}`;
  }

  async #patch({ figure, units }: Item): Promise<Answer> {
    const told = await this.#ask('PATCH', this.#listing(figure.sku, 'issueLocale=en_US'), {
      productType: 'PRODUCT',
      patches: patchesOf(units),
    });
    if ('trouble' in told) return told.trouble;
    const plain = jsonOf(told.answer);
    const { status } = told.answer;
    if (at(plain, 'status') === 'ACCEPTED') return { kind: 'done', status, items: new Map() };
    const reason = listAt(plain, 'issues')
      .map((issue) => `${String(at(issue, 'code'))}: ${String(at(issue, 'message'))}`)
      .join('; ');
    const invalid: ItemAnswer = { kind: 'refused', reason: reason || 'not accepted' };
    return { kind: 'done', status, items: new Map([[figure.sku, invalid]]) };
  }

  async #read(sku: string): Promise<Answer> {
    const told = await this.#ask('GET', this.#listing(sku, 'includedData=fulfillmentAvailability'));
    if ('trouble' in told) {
      const { trouble } = told;
      const isUnknown = trouble.kind === 'refused' && trouble.status === 404;
      return isUnknown ? { kind: 'read', status: 404, units: undefined } : trouble;
    }
    const available = listAt(jsonOf(told.answer), 'fulfillmentAvailability').find(
      (one) => at(one, 'fulfillmentChannelCode') === 'DEFAULT',
    );
    const quantity = at(available, 'quantity');
    const units = typeof quantity === 'number' ? quantity : undefined;
    return { kind: 'read', status: told.answer.status, units };
  }

  /** Until its last step nothing is done: trouble before it is certain. */
  async #feed(call: string, items: readonly Item[]): Promise<Answer> {
    const { seller, marketplace } = this.#access;
    const document = await this.#ask('POST', '/feeds/2021-06-30/documents', {
      contentType: 'application/json; charset=UTF-8',
    });
    if ('trouble' in document) return certain(document.trouble);
    const place = jsonOf(document.answer);
    const body = JSON.stringify({
      header: { sellerId: seller, version: '2.0', issueLocale: 'en_US' },
      messages: items.map(({ figure, units }, index) => ({
        messageId: index + 1,
        sku: figure.sku,
        operationType: 'PATCH',
        productType: 'PRODUCT',
        patches: patchesOf(units),
      })),
    });
    const stored = await this.#http.send({
      method: 'PUT',
      url: String(at(place, 'url')),
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      body,
      timeoutMs: 2 * timeoutMs,
    });
    const trouble = troubleOf(stored, Date.now());
    if (trouble !== undefined) return certain(trouble);
    this.#sent.clear();
    this.#sent.set(
      call,
      items.map(({ figure }) => figure.sku),
    );
    const created = await this.#ask('POST', '/feeds/2021-06-30/feeds', {
      feedType,
      marketplaceIds: [marketplace],
      inputFeedDocumentId: at(place, 'feedDocumentId'),
    });
    if ('trouble' in created) return created.trouble;
    const reference = String(at(jsonOf(created.answer), 'feedId'));
    return { kind: 'pending', status: created.answer.status, reference };
  }

  async #look(bulk: Bulk): Promise<Answer> {
    const { reference } = bulk;
    if (reference === null) return this.#find(bulk);
    const told = await this.#ask('GET', `/feeds/2021-06-30/feeds/${encodeURIComponent(reference)}`);
    if ('trouble' in told) return told.trouble;
    return this.#progress(bulk, jsonOf(told.answer), told.answer.status);
  }

  /** A feed whose creation was not answered: feeds go one after another, so one made since then is it. */
  async #find(bulk: Bulk): Promise<Answer> {
    const since = new Date(bulk.createdAtMs - clockMs).toISOString();
    const query = `feedTypes=${feedType}&pageSize=10&createdSince=${encodeURIComponent(since)}`;
    const told = await this.#ask('GET', `/feeds/2021-06-30/feeds?${query}`);
    if ('trouble' in told) return told.trouble;
    const { status, headers } = told.answer;
    const dateMs = Date.parse(headers.date ?? '');
    const aheadMs = Number.isNaN(dateMs) ? 0 : dateMs - Date.now();
    const found = listAt(jsonOf(told.answer), 'feeds')
      .filter((feed) => createdMs(feed) - aheadMs >= bulk.createdAtMs - wholeSecondsMs)
      .sort((one, other) => createdMs(other) - createdMs(one))[0];
    if (found === undefined) return { kind: 'refused', status, reason: 'no such feed' };
    return this.#progress(bulk, found, status);
  }

  async #progress(bulk: Bulk, feed: unknown, status: number): Promise<Answer> {
    const reference = String(at(feed, 'feedId'));
    switch (at(feed, 'processingStatus')) {
      case 'DONE':
        return this.#report(bulk, String(at(feed, 'resultFeedDocumentId')), status);
      case 'CANCELLED':
      case 'FATAL':
        return { kind: 'refused', status, reason: String(at(feed, 'processingStatus')) };
      default:
        return { kind: 'pending', status, reference };
    }
  }

  async #report(bulk: Bulk, document: string, status: number): Promise<Answer> {
    const told = await this.#ask(
      'GET',
      `/feeds/2021-06-30/documents/${encodeURIComponent(document)}`,
    );
    if ('trouble' in told) return told.trouble;
    const place = jsonOf(told.answer);
    const stored = await this.#http.send({
      method: 'GET',
      url: String(at(place, 'url')),
      headers: {},
      timeoutMs: 2 * timeoutMs,
      ...(at(place, 'compressionAlgorithm') === 'GZIP' ? { decode: gunzipSync } : {}),
    });
    const trouble = troubleOf(stored, Date.now());
    if (trouble !== undefined || stored.kind !== 'answered') return trouble as Answer;
    const skus = this.#sent.get(bulk.call);
    const items = new Map<string, ItemAnswer>();
    for (const issue of listAt(jsonOf(stored), 'issues')) {
      if (at(issue, 'severity') !== 'ERROR') continue;
      const sku = skus?.[Number(at(issue, 'messageId')) - 1];
      const reason = `${String(at(issue, 'code'))}: ${String(at(issue, 'message'))}`;
      // Whose message it was is not known any more: all of them go once more.
      if (sku === undefined) return { kind: 'refused', status, reason };
      items.set(sku, { kind: 'failed', reason });
    }
    return { kind: 'done', status, items };
  }
}

const createdMs = (feed: unknown): number => Date.parse(String(at(feed, 'createdTime')));

function certain(trouble: Answer): Answer {
  return trouble.kind === 'unknown' ? { ...trouble, kind: 'failed' } : trouble;
}
