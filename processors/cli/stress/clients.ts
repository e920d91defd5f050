/** The clients of `stockline stress reservations`: how they ask, at what pace, and what they were answered. */
import type { Outcome, Request } from '../../../schemas/types.ts';
import { recordWriter } from '../../adapters/kafka/record-writer.ts';
import { type KafkaPlaces, readTopic } from '../../adapters/kafka/topic-reader.ts';
import { outcomes, requestKey, requests } from '../../topics.ts';
import type { Topic } from '../../topology/topic.ts';
import {
  type Held,
  lightRequest,
  nextRequest,
  plainRequest,
  type Range,
  randomFrom,
} from './shoppers.ts';
import type { Observed } from './witness.ts';

export type Ask = (request: Request) => Promise<Observed>;

export type Counter = {
  readonly ask: Ask;
  readonly close: () => Promise<void>;
};

const answerWithinMs = 60_000;

/** Where clients ask and are answered: writes requests, and hands each outcome to whoever waits for it. */
export async function openCounter(places: KafkaPlaces): Promise<Counter> {
  type Waiting = (outcome: Outcome) => void;
  const waiting = new Map<string, Waiting[]>();
  const ended = new AbortController();
  const following = readTopic(places, outcomes as unknown as Topic<never, never>, {
    until: ended.signal,
    onRecord: ({ key, value }) => {
      const name = String(key);
      const waiters = waiting.get(name);
      waiters?.shift()?.(value as Outcome);
      if (waiters?.length === 0) waiting.delete(name);
    },
  });
  const writer = await recordWriter(places, requests);
  const answerTo = (key: string): Promise<Outcome | undefined> =>
    new Promise((told) => {
      const timer = setTimeout(() => told(undefined), answerWithinMs);
      const waiters = waiting.get(key) ?? [];
      waiters.push((outcome) => {
        clearTimeout(timer);
        told(outcome);
      });
      waiting.set(key, waiters);
    });
  return {
    ask: async (request) => {
      const key = requestKey(request.client, request.idempotencyKey);
      const askedAt = performance.now();
      const answer = answerTo(key);
      await writer.write(key, request);
      const outcome = await answer;
      const answeredAt = outcome === undefined ? undefined : performance.now();
      return { request, outcome, askedAt, answeredAt };
    },
    close: async () => {
      ended.abort();
      await Promise.all([following, writer.close()]);
    },
  };
}

export type Crowd = {
  readonly commands: number;
  readonly clients: number;
  readonly seed: number;
  readonly range: Range;
  readonly report: (line: string) => void;
};

const reportEveryMs = 10_000;

/** Every client asks one thing after the other; some ask twice with one key, as after a lost answer. */
export async function shop(crowd: Crowd, ask: Ask): Promise<readonly Observed[]> {
  const all: Observed[] = [];
  let sent = 0;
  const beganAt = Date.now();
  const progress = setInterval(() => {
    const seconds = (Date.now() - beganAt) / 1000;
    const leftSeconds = ((crowd.commands - all.length) * seconds) / Math.max(1, all.length);
    crowd.report(
      `${all.length} of ${crowd.commands} requests answered, ${Math.round(all.length / seconds)}/s, ${Math.round(leftSeconds)} s to go`,
    );
  }, reportEveryMs);
  const client = async (number: number): Promise<void> => {
    const random = randomFrom(crowd.seed * 1_000 + number);
    const held: Held[] = [];
    for (let count = 0; sent < crowd.commands; count += 1) {
      sent += 1;
      const base = plainRequest(`client ${number}`, `${count}`, Date.now());
      const request = nextRequest(base, held, crowd.range, random);
      const done = await ask(request);
      all.push(done);
      remember(done, held);
      if (random(33) === 0) await again(done, ask, all);
    }
  };
  try {
    await Promise.all(Array.from({ length: crowd.clients }, (_, number) => client(number)));
  } finally {
    clearInterval(progress);
  }
  return all;
}

function remember({ request, outcome }: Observed, held: Held[]): void {
  if (outcome?.accepted !== true) return;
  if (request.kind === 'reserve' && outcome.reservation !== null) {
    held.push({ reservation: outcome.reservation });
  }
  if (request.kind === 'commit' && request.reservation !== null) {
    held.push({ reservation: request.reservation });
  }
}

/** The same request once more must be answered the same. */
async function again(done: Observed, ask: Ask, all: Observed[]): Promise<void> {
  if (done.outcome === undefined) return;
  const repeated = await ask(done.request);
  if (JSON.stringify(repeated.outcome) !== JSON.stringify(done.outcome)) {
    all.push({ ...repeated, outcome: undefined });
  }
}

/** So many requests a second, whether the earlier ones are answered or not; each by a client of its own. */
export async function askAtRate(
  pace: {
    readonly rate: number;
    readonly seconds: number;
    readonly seed: number;
    readonly range: Range;
  },
  ask: Ask,
): Promise<readonly Observed[]> {
  const random = randomFrom(pace.seed);
  const asked: Promise<Observed>[] = [];
  const beganAt = performance.now();
  for (let index = 0; index < pace.rate * pace.seconds; index += 1) {
    const dueAt = beganAt + (index * 1000) / pace.rate;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const base = plainRequest(`visitor ${index}`, '1', Date.now());
    asked.push(ask(lightRequest(base, pace.range, random)));
  }
  return Promise.all(asked);
}
