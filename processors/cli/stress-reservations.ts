/** `stockline stress reservations`: many clients on few SKUs, with kills; judged by the topics alone. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startStack } from '../../deploy/native/stack.ts';
import type { Decision, LedgerEntry, Outcome, Request } from '../../schemas/types.ts';
import { recordWriter } from '../adapters/record-writer.ts';
import { type KafkaPlaces, readTopic } from '../adapters/topic-reader.ts';
import { decisions, ledger, outcomes, requestKey, requests } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { applyTopicsAndSchemas } from './apply.ts';
import { percentiles } from './figures.ts';
import { loadPolicies } from './policies.ts';
import { type Processors, startProcessors } from './processes.ts';
import {
  type Held,
  heldByAnswers,
  nextRequest,
  plainRequest,
  type Range,
  randomFrom,
} from './shoppers.ts';
import { judge, type Observed } from './witness.ts';

export type StressOptions = {
  readonly commands: number;
  readonly clients: number;
  readonly skus: number;
  readonly kill: boolean;
  readonly seed: number;
  readonly json?: string;
};

type Asked = Observed & { readonly startedAt: number };
type Waiting = (outcome: Outcome) => void;

const locations = ['L1', 'L2'];
const killEveryMs = 8_000;
const answerWithinMs = 60_000;
const readyMs = 90_000;
/** Reservations with a short life have run out by then. */
const settleMs = 4_000;

/** Prints the result; resolves with 0 when nothing is wrong, else 1. */
export async function stressReservations(options: StressOptions): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'stockline-stress-'));
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const given = process.env.STOCKLINE_KAFKA;
  const stack =
    given === undefined
      ? await startStack({ directory: `${directory}/stack`, parts: ['kafka', 'registry'], report })
      : undefined;
  let processors: Processors | undefined;
  try {
    const places = {
      brokers: stack?.addresses.kafkaBrokers ?? String(given),
      registryUrl: stack?.addresses.registryUrl ?? String(process.env.STOCKLINE_REGISTRY),
    };
    await applyTopicsAndSchemas(places, loadPolicies(), report);
    const range = rangeOf(options.skus);
    processors = launch(directory, places, range, report);
    await processors.ready(readyMs);
    const result = await stress(options, places, range, processors, report);
    const text = JSON.stringify(result, null, 2);
    process.stdout.write(`${text}\n`);
    if (options.json !== undefined) writeFileSync(resolve(options.json), `${text}\n`);
    const { oversold, orphanHolds, unanswered, doubled, linearizable } = result;
    return oversold + orphanHolds + unanswered + doubled === 0 && linearizable ? 0 : 1;
  } finally {
    await processors?.stop();
    await stack?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** SKUs, and bundles of three that share components. */
function rangeOf(count: number): Range {
  const skus = Array.from(
    { length: count },
    (_, index) => `S${String(index + 1).padStart(3, '0')}`,
  );
  const bundles = skus.slice(0, Math.max(1, count - 2)).map((_, index) => `B${index + 1}`);
  return { skus, bundles };
}

function launch(
  directory: string,
  places: KafkaPlaces,
  { skus, bundles }: Range,
  note: (line: string) => void,
): Processors {
  const parts = bundles.map((bundle, index) => [
    bundle,
    Object.fromEntries(
      [0, 1, 2].flatMap((at) => (skus[index + at] === undefined ? [] : [[skus[index + at], 1]])),
    ),
  ]);
  mkdirSync(`${directory}/logs`, { recursive: true });
  writeFileSync(`${directory}/rules.json`, JSON.stringify({ bundles: Object.fromEntries(parts) }));
  return startProcessors({
    processes: { stock: 'stock', carts: 'carts' },
    environment: {
      STOCKLINE_KAFKA: places.brokers,
      STOCKLINE_REGISTRY: places.registryUrl,
      STOCKLINE_STATE: `${directory}/state`,
      STOCKLINE_RUN: `${directory}/run`,
      STOCKLINE_RULES: `${directory}/rules.json`,
      STOCKLINE_LOG_LEVEL: 'warn',
    },
    logDirectory: `${directory}/logs`,
    note,
  });
}

async function stress(
  options: StressOptions,
  places: KafkaPlaces,
  range: Range,
  processors: Processors,
  report: (line: string) => void,
) {
  const waiting = new Map<string, Waiting[]>();
  const ended = new AbortController();
  const following = readTopic(places, outcomes as unknown as Topic<never, never>, {
    until: ended.signal,
    onRecord: ({ key, value }) => {
      const next = waiting.get(String(key))?.shift();
      next?.(value as Outcome);
    },
  });
  const writer = await recordWriter(places, requests);
  const ask = async (request: Request): Promise<Asked> => {
    const key = requestKey(request.client, request.idempotencyKey);
    const askedAt = performance.now();
    const answer = new Promise<Outcome | undefined>((told) => {
      const timer = setTimeout(() => told(undefined), answerWithinMs);
      const waiters = waiting.get(key) ?? [];
      waiters.push((outcome) => {
        clearTimeout(timer);
        told(outcome);
      });
      waiting.set(key, waiters);
    });
    await writer.write(key, request);
    const outcome = await answer;
    const answeredAt = outcome === undefined ? undefined : performance.now();
    return { request, outcome, askedAt, answeredAt, startedAt: askedAt };
  };
  try {
    const opened = await openStock(options, range, ask);
    report(`stock: ${range.skus.length} SKUs at ${locations.length} locations`);
    const killing = options.kill ? setInterval(() => killOne(processors), killEveryMs) : undefined;
    const beganAt = performance.now();
    const asked = await shop(options, range, ask, report);
    const tookMs = performance.now() - beganAt;
    clearInterval(killing);
    await new Promise((done) => setTimeout(done, settleMs));
    return await verdictOf([...opened, ...asked], places, { tookMs, requests: asked.length });
  } finally {
    ended.abort();
    await Promise.all([following, writer.close()]);
  }
}

/** So much that something is left for most of the run, and not for all of it. */
async function openStock(
  { commands, skus }: StressOptions,
  range: Range,
  ask: (request: Request) => Promise<Asked>,
): Promise<readonly Asked[]> {
  const units = Math.ceil((commands * 1.5) / skus / locations.length) + 5;
  const adjustments = range.skus.flatMap((sku) =>
    locations.map((location) => ({ sku, location, quantity: units * 1000 })),
  );
  return Promise.all(
    adjustments.map((line, index) =>
      ask({
        ...plainRequest('stress', `open ${index}`, Date.now()),
        kind: 'adjust',
        lines: [line],
      }),
    ),
  );
}

let turn = 0;

function killOne(processors: Processors): void {
  turn += 1;
  processors.kill(turn % 2 === 0 ? 'carts' : 'stock');
}

/** Every client asks one thing after the other; some ask twice with one key, as after a lost answer. */
async function shop(
  options: StressOptions,
  range: Range,
  ask: (request: Request) => Promise<Asked>,
  report: (line: string) => void,
): Promise<readonly Asked[]> {
  const all: Asked[] = [];
  let sent = 0;
  const client = async (number: number): Promise<void> => {
    const random = randomFrom(options.seed * 1_000 + number);
    const held: Held[] = [];
    for (let count = 0; sent < options.commands; count += 1) {
      sent += 1;
      if (sent % 5_000 === 0) report(`${sent} of ${options.commands} requests`);
      const base = plainRequest(`client ${number}`, `${count}`, Date.now());
      const request = nextRequest(base, held, range, random);
      const done = await ask(request);
      all.push(done);
      if (
        request.kind === 'reserve' &&
        done.outcome?.reservation != null &&
        done.outcome.accepted
      ) {
        held.push({ reservation: done.outcome.reservation });
      }
      if (request.kind === 'commit' && done.outcome?.accepted && request.reservation !== null) {
        held.push({ reservation: request.reservation });
      }
      if (random(33) === 0) await again(done, ask, all);
    }
  };
  await Promise.all(Array.from({ length: options.clients }, (_, number) => client(number)));
  return all;
}

/** The same request once more must be answered the same. */
async function again(
  done: Asked,
  ask: (request: Request) => Promise<Asked>,
  all: Asked[],
): Promise<void> {
  if (done.outcome === undefined) return;
  const repeated = await ask(done.request);
  if (JSON.stringify(repeated.outcome) !== JSON.stringify(done.outcome)) {
    all.push({ ...repeated, outcome: undefined });
  }
}

async function verdictOf(
  asked: readonly Asked[],
  places: KafkaPlaces,
  run: { readonly tookMs: number; readonly requests: number },
) {
  const entries: LedgerEntry[] = [];
  const decided: Decision[] = [];
  const answers = new Map<string, Set<string>>();
  await readTopic(places, ledger as unknown as Topic<never, never>, {
    onRecord: ({ value }) => void entries.push(value as LedgerEntry),
  });
  await readTopic(places, decisions as unknown as Topic<never, never>, {
    onRecord: ({ value }) => void decided.push(value as Decision),
  });
  await readTopic(places, outcomes as unknown as Topic<never, never>, {
    onRecord: ({ key, value }) => {
      const known = answers.get(String(key)) ?? new Set<string>();
      answers.set(String(key), known.add(JSON.stringify(value)));
    },
  });
  const verdict = judge(asked, entries, decided);
  const contradicted = [...answers.values()].filter((different) => different.size > 1).length;
  const latencies = asked.flatMap(({ answeredAt, startedAt }) =>
    answeredAt === undefined ? [] : [answeredAt - startedAt],
  );
  return {
    requests: run.requests,
    accepted: asked.filter(({ outcome }) => outcome?.accepted).length,
    oversold: verdict.oversold,
    orphanHolds: orphans(asked, entries),
    unanswered: verdict.unanswered,
    doubled: verdict.doubled + contradicted,
    linearizable: verdict.faults.length === 0,
    faults: verdict.faults.slice(0, 10),
    perSecond: Math.round((run.requests * 1000) / run.tookMs),
    decisionsPerSecond: Math.round((decided.length * 1000) / run.tookMs),
    latencyMs: percentiles(latencies),
  };
}

/** Units that are reserved at the end beyond what clients were told they hold, or that are missing. */
function orphans(asked: readonly Asked[], entries: readonly LedgerEntry[]): number {
  const reserved = new Map(
    entries.map((one) => [`${one.sku}|${one.location}`, one.quantities.reserved]),
  );
  const answered = asked.flatMap(({ request, outcome }) =>
    outcome === undefined ? [] : [{ request, outcome }],
  );
  const held = heldByAnswers(answered, Date.now());
  let units = 0;
  for (const cell of new Set([...reserved.keys(), ...held.keys()])) {
    units += Math.abs((reserved.get(cell) ?? 0) - (held.get(cell) ?? 0)) / 1000;
  }
  return units;
}
