/** What simulated destinations have in common: an HTTP server with troubles from a seed, and books of what was done. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { integer, seededRandom } from '../simulator/random.ts';

/** What a listing shows from a moment on. */
export type Shown = {
  readonly sku: string;
  readonly units: number;
  /** As the caller named it; undefined where a marketplace knows none. */
  readonly sequence: number | undefined;
  readonly atMs: number;
};

export type Books = {
  readonly shown: Shown[];
  /** Calls beyond the published quota; each was answered 429. */
  quotaBroken: number;
  /** Revisions of a listing beyond the published number of a day; each was refused. */
  budgetExceeded: number;
  /** Calls by what they were. */
  readonly calls: Map<string, number>;
  readonly troubles: Map<Trouble, number>;
};

const troubles = ['busy', 'broken', 'lostBefore', 'lostAfter', 'late', 'throttled'] as const;
/**
 * busy: 503, not done. broken: 500, and done. lostBefore, lostAfter: no answer, not done or done. late: no answer, and
 * done a moment later. throttled: 429 without a reason.
 */
export type Trouble = (typeof troubles)[number];

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
};

export type Reply = {
  readonly status: number;
  readonly body?: object | string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

/** An answer, and what is done with it. `apply` absent: nothing is. */
export type Reaction = { readonly reply: Reply; readonly apply?: () => void };

export type SimulatedServer = {
  readonly url: string;
  readonly close: () => Promise<void>;
};

/** A write whose answer was lost is done within this, or never. */
const lateMs = 3_000;

export const newBooks = (): Books => ({
  shown: [],
  quotaBroken: 0,
  budgetExceeded: 0,
  calls: new Map(),
  troubles: new Map(),
});

export const tally = <K>(counts: Map<K, number>, key: K): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1);

/** `calls` per second in the long run and `burst` at once, as whoever publishes a quota counts. */
export function publishedQuota(calls: number, burst: number): (nowMs: number) => boolean {
  let tokens = burst;
  let countedAtMs: number | undefined;
  return (nowMs) => {
    const passedMs = nowMs - (countedAtMs ?? nowMs);
    countedAtMs = nowMs;
    tokens = Math.min(burst, tokens + (passedMs * calls) / 1000);
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

export async function simulatedServer(options: {
  readonly seed: number;
  /** One writing call in so many has a trouble; 0: none. */
  readonly oneIn: number;
  readonly books: Books;
  readonly tookMs: readonly [from: number, to: number];
  readonly react: (asked: Asked, nowMs: number) => Reaction;
}): Promise<SimulatedServer> {
  const random = seededRandom(options.seed);
  const { books, oneIn, tookMs } = options;
  const later = new Set<NodeJS.Timeout>();
  const after = (ms: number, what: () => void): void => {
    const timer = setTimeout(() => {
      later.delete(timer);
      what();
    }, ms);
    later.add(timer);
  };
  const trouble = (): Trouble | undefined => {
    if (oneIn === 0 || integer(random, 1, oneIn) !== 1) return undefined;
    return troubles[integer(random, 0, troubles.length - 1)];
  };

  const answer = (response: ServerResponse, { status, body = '', headers = {} }: Reply): void => {
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };
  const handle = (asked: Asked, response: ServerResponse): void => {
    const reaction = options.react(asked, Date.now());
    const { reply, apply } = reaction;
    const found = apply === undefined ? undefined : trouble();
    if (found !== undefined) tally(books.troubles, found);
    after(integer(random, ...tookMs), () => {
      switch (found) {
        case 'busy':
          return answer(response, { status: 503, body: { message: 'service unavailable' } });
        case 'throttled':
          return answer(response, { status: 429, headers: { 'retry-after': '1' } });
        case 'broken':
          apply?.();
          return answer(response, { status: 500, body: { message: 'internal failure' } });
        case 'lostBefore':
          return void response.destroy();
        case 'lostAfter':
          apply?.();
          return void response.destroy();
        case 'late':
          after(integer(random, 1, lateMs - 500), () => apply?.());
          return void response.destroy();
        case undefined:
          apply?.();
          return answer(response, reply);
      }
    });
  };
  const server = createServer((request, response) => {
    void bodyOf(request).then(
      (body) => handle(askedOf(request, body), response),
      () => response.destroy(),
    );
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const timer of later) clearTimeout(timer);
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function askedOf(request: IncomingMessage, body: string): Asked {
  const url = new URL(request.url ?? '/', 'http://simulated');
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body,
  };
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
