/**
 * A receiver of webhooks that has a bad day: it loses, delays, doubles and reorders, and restarts. It keeps the newest
 * figure of each SKU, and the numbers of the deliveries it has seen; what it finds missing at a checkpoint it asks for.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { integer, type Random, seededRandom } from '../simulator/random.ts';
import { bodyOf, tally } from './simulated-server.ts';

type Range = { readonly from: number; readonly to: number };
type Told = { readonly sequence: number; readonly sellable: number };
type Body = {
  readonly type: string;
  readonly data: Told & {
    readonly channel: string;
    readonly sku: string;
    readonly index: number;
    readonly replayed?: readonly Range[];
  };
};

/** What may happen to one webhook. lost: taken, answered, forgotten. dropped: not answered and not taken. */
const mishaps = ['lost', 'dropped', 'delayed', 'doubled', 'reordered'] as const;
export type Mishap = (typeof mishaps)[number];

export type SimulatedReceiver = {
  readonly url: string;
  readonly port: number;
  /** By channel and SKU. */
  readonly state: ReadonlyMap<string, Told>;
  readonly counts: ReadonlyMap<string, number>;
  /** Deliveries that arrived and told nothing new. */
  readonly stale: () => number;
  /** Numbers that are missing, up to the last checkpoint. */
  readonly missing: () => readonly Range[];
  /** From now on nothing goes wrong. */
  readonly recover: () => void;
  /** Ends as a crash does, and comes back: what it had only in memory is gone. */
  readonly restart: (awayMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** An answer to what was asked for may take this long; then it is asked for again. */
const askAgainMs = 3_000;

export async function simulatedReceiver(options: {
  readonly seed: number;
  /** Chance of each mishap, in percent. */
  readonly percent: number;
  /** Why a webhook is not to be believed; undefined: it is. */
  readonly faultOf: (headers: IncomingMessage['headers'], body: string) => string | undefined;
  readonly askFor: (ranges: readonly Range[]) => Promise<void>;
}): Promise<SimulatedReceiver> {
  const receiver = new Receiver(options);
  const port = await receiver.listen(0);
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    state: receiver.state,
    counts: receiver.counts,
    stale: () => receiver.stale,
    missing: () => receiver.missing(),
    recover: () => {
      receiver.percent = 0;
    },
    restart: async (awayMs) => {
      await receiver.end();
      await new Promise((done) => setTimeout(done, awayMs));
      await receiver.listen(port);
    },
    close: () => receiver.end(),
  };
}

class Receiver {
  readonly state = new Map<string, Told>();
  readonly counts = new Map<string, number>();
  stale = 0;
  percent: number;
  readonly #options: Parameters<typeof simulatedReceiver>[0];
  readonly #random: Random;
  readonly #seen = new Set<number>();
  /** Everything up to here has been seen or settled. */
  #wholeUpTo = 0;
  #checkpoint = 0;
  #askedAtMs = 0;
  #timers = new Set<NodeJS.Timeout>();
  #server: Server | undefined;

  constructor(options: Parameters<typeof simulatedReceiver>[0]) {
    this.#options = options;
    this.percent = options.percent;
    this.#random = seededRandom(options.seed);
  }

  async listen(port: number): Promise<number> {
    const server = createServer((request, response) => {
      bodyOf(request).then(
        (body) => this.#take(request, body, response),
        () => response.destroy(),
      );
    });
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
    this.#server = server;
    this.#ask();
    return (server.address() as AddressInfo).port;
  }

  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#server?.closeAllConnections();
    await new Promise((closed) => this.#server?.close(closed));
  }

  #after(ms: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      what();
    }, ms);
    this.#timers.add(timer);
  }

  #take(request: IncomingMessage, body: string, response: ServerResponse): void {
    const fault = this.#options.faultOf(request.headers, body);
    if (fault !== undefined) {
      tally(this.counts, 'notBelieved');
      response.writeHead(401).end();
      return;
    }
    tally(this.counts, 'arrived');
    const answer = (): void => void response.writeHead(204).end();
    const mishap = this.#mishap();
    if (mishap !== undefined) tally(this.counts, mishap);
    const soon = (most: number, what: () => void): void =>
      this.#after(integer(this.#random, 100, most), what);
    switch (mishap) {
      case 'lost':
        answer();
        break;
      case 'dropped':
        response.destroy();
        break;
      case 'delayed':
        soon(1_500, () => {
          this.#handle(body);
          answer();
        });
        break;
      case 'doubled':
        soon(2_000, () => this.#handle(body));
        this.#handle(body);
        answer();
        break;
      case 'reordered':
        soon(2_000, () => this.#handle(body));
        answer();
        break;
      case undefined:
        this.#handle(body);
        answer();
        break;
    }
  }

  #mishap(): Mishap | undefined {
    const drawn = integer(this.#random, 0, 99);
    return this.percent === 0 ? undefined : mishaps[Math.floor(drawn / this.percent)];
  }

  #handle(text: string): void {
    const { type, data } = JSON.parse(text) as Body;
    if (type === 'webhook.checkpoint') this.#check(data.index, data.replayed ?? []);
    if (!type.startsWith('stock.')) return;
    this.#seen.add(data.index);
    const key = `${data.channel}|${data.sku}`;
    const known = this.state.get(key);
    if (known !== undefined && known.sequence >= data.sequence) this.stale += 1;
    else this.state.set(key, { sequence: data.sequence, sellable: data.sellable });
  }

  #check(index: number, replayed: readonly Range[]): void {
    tally(this.counts, 'checkpoints');
    for (const { from, to } of replayed) for (let at = from; at <= to; at += 1) this.#seen.add(at);
    this.#checkpoint = Math.max(this.#checkpoint, index);
    if (replayed.length > 0) this.#askedAtMs = 0;
    this.#ask();
  }

  /** Again and again until nothing is missing: an answer may be lost as everything else. */
  #ask(): void {
    const nowMs = Date.now();
    if (nowMs - this.#askedAtMs < askAgainMs) return;
    const missing = this.missing();
    if (missing.length === 0) return;
    this.#askedAtMs = nowMs;
    tally(this.counts, 'asked');
    void this.#options.askFor(missing);
    this.#after(askAgainMs, () => this.#ask());
  }

  missing(): readonly Range[] {
    while (this.#seen.has(this.#wholeUpTo + 1)) this.#wholeUpTo += 1;
    const ranges: { from: number; to: number }[] = [];
    for (let at = this.#wholeUpTo + 1; at <= this.#checkpoint; at += 1) {
      if (this.#seen.has(at)) continue;
      const last = ranges.at(-1);
      if (last?.to === at - 1) last.to = at;
      else ranges.push({ from: at, to: at });
    }
    return ranges;
  }
}
