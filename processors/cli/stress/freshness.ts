/**
 * `stockline stress freshness`: reads that demand a watermark, beside sources that change and hops that are paused in turn.
 * The truth is kept by whoever commits: SKUs that only ever gain a unit, and how many each had when its COMMIT returned.
 */
import pg from 'pg';
import { Pool } from 'undici';
import { systems } from '../../../connectors/systems.ts';
import { connectorState, stateInWords } from '../../adapters/connect-rest.ts';
import type { FreshnessNote } from '../../api/freshness.ts';
import { keyIn } from '../../api/local-key.ts';
import { processorsOf } from '../../processes/status.ts';
import { type Demonstration, openDemonstration } from '../start/demonstration.ts';
import { percentiles } from '../start/figures.ts';
import { inWorkingFolder } from '../working-folder.ts';
import { type Random, randomFrom } from './shoppers.ts';
import { readyApiUrl, readyMs, tellResult } from './stage.ts';

export type FreshnessStressOptions = {
  readonly reads: number;
  readonly clients: number;
  readonly skus: number;
  /** Source transactions of the simulated retailer, per second. */
  readonly rate: number;
  readonly seed: number;
  readonly json?: string;
};

const location = '1';
/** Commits of counted units, per second. */
const commitsPerSecond = 50;
/** How far back a watermark may lie that a read demands. */
const commitsKept = 400;
const namedWithinMs = 2_000;
const freshWithinMs = 60_000;
const pausedForMs = 1_000;
const reportEveryMs = 10_000;
const staleCode = 'STALE';

/** Prints the result; resolves with 0 when no answer was older than demanded and each pause was named in time, else 1. */
export async function stressFreshness(options: FreshnessStressOptions): Promise<number> {
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  const { signal } = interrupted;
  return inWorkingFolder(async (directory) => {
    const demonstration = await openDemonstration({
      directory,
      seed: options.seed,
      report,
      signal,
    });
    try {
      const result = await stress(options, demonstration, { directory, report, signal });
      tellResult(result, options.json);
      return result.stale + result.errors + result.namedTooLate === 0 ? 0 : 1;
    } catch (error) {
      // It may not be told any more: the error is what counts.
      report(await standing(demonstration).catch(String));
      throw error;
    } finally {
      await demonstration.close();
    }
  });
}

/** How far each hop is, for whoever wants to know why something did not come in time. */
async function standing({ addresses, processors }: Demonstration): Promise<string> {
  const connectors = await Promise.all(
    systems.map(async ({ system }) => {
      const state = await connectorState(addresses.connectUrl, system);
      return stateInWords(system, state);
    }),
  );
  const hops = processorsOf(processors.status).map(
    ([name, { records, lagRecords, lagSeconds, lastCommitMs }]) =>
      `${name}: ${records} records, ${lagRecords} behind, ${lagSeconds} s, commit ${lastCommitMs} ms`,
  );
  return [...connectors, ...hops].join('\n');
}

type Context = {
  readonly directory: string;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
};

async function stress(
  options: FreshnessStressOptions,
  demonstration: Demonstration,
  context: Context,
) {
  const api = await openReader(demonstration, context);
  const counters = await openCounters(demonstration, options.skus);
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  try {
    for (const sku of counters.skus) await until(`${sku} is known`, () => api.knows(sku), readyMs);
    await until('all is fresh', api.isFresh, readyMs);
    const simulating = demonstration.simulator.run({ rate: options.rate, signal });
    const counting = counters.count(signal);
    const figures = readMany(options, { api, counters, ...context });
    const pauses = await pauseInTurn(demonstration, api, context.report);
    const told = await figures;
    ended.abort();
    await Promise.all([simulating, counting]);
    const namedTooLate = pauses.filter(({ namedMs }) => !(namedMs <= namedWithinMs)).length;
    return { ...told, commits: counters.commits(), pauses, namedTooLate };
  } finally {
    ended.abort();
    await counters.close();
    await api.close();
  }
}

async function until(what: string, isSo: () => Promise<boolean>, withinMs: number): Promise<void> {
  const giveUpAtMs = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > giveUpAtMs) throw new Error(`not so after ${withinMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

type Answer = { readonly status: number; readonly text: string };
type Reader = Awaited<ReturnType<typeof openReader>>;

/** The API as its clients see it. */
async function openReader(demonstration: Demonstration, { directory }: Context) {
  const url = await readyApiUrl(demonstration.processors);
  const pool = new Pool(url, { connections: 64, pipelining: 1 });
  const authorization = `Bearer ${keyIn(`${directory}/run/api.key`)}`;
  const get = async (path: string): Promise<Answer> => {
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path,
      headers: { authorization },
    });
    return { status: statusCode, text: await body.text() };
  };
  const freshness = async (path: string): Promise<FreshnessNote> =>
    (JSON.parse((await get(path)).text) as { freshness: FreshnessNote }).freshness;
  const paths = answerPaths(demonstration.policies[0]?.channel ?? 'web');
  return {
    get,
    paths,
    freshness,
    isFresh: async () => (await freshness(paths[0])).behind.length === 0,
    knows: async (sku: string) => (await get(cellPath(sku))).status === 200,
    close: () => pool.close(),
  };
}

const counterSku = (index: number): string => `FRESH-${index}`;
const cellPath = (sku: string): string => `/v1/stock/${sku}/locations/${location}`;

/** One of each kind of answer. */
const answerPaths = (channel: string) =>
  [
    '/v1/stock?limit=1',
    `/v1/stock/${counterSku(0)}`,
    cellPath(counterSku(0)),
    `${cellPath(counterSku(0))}/promise?days=1`,
    `/v1/channels/${channel}/stock?limit=1`,
    '/v1/changes',
  ] as const;

type Floor = { readonly sku: string; readonly atMs: number; readonly units: number };
type Counters = Awaited<ReturnType<typeof openCounters>>;

/** SKUs of the ERP that only gain units, and what each had at least since when. */
async function openCounters(demonstration: Demonstration, count: number) {
  const { host, port, adminUser: user, adminPassword: password } = demonstration.addresses.postgres;
  const client = new pg.Client({ host, port, user, password, database: 'erp' });
  await client.connect();
  const skus = Array.from({ length: count }, (_, index) => counterSku(index));
  for (const sku of skus) {
    await client.query('INSERT INTO bestand (artnr, lagnr, menge) VALUES ($1, $2, 0)', [
      sku,
      location,
    ]);
  }
  const floors: Floor[] = [];
  const units = new Map<string, number>();
  let commits = 0;
  const gain = async (sku: string): Promise<void> => {
    await client.query('BEGIN');
    await client.query(
      "INSERT INTO lagbew (artnr, lagnr, bewart, menge, budat) VALUES ($1, $2, 'WE', 1, current_date)",
      [sku, location],
    );
    await client.query('UPDATE bestand SET menge = menge + 1 WHERE artnr = $1 AND lagnr = $2', [
      sku,
      location,
    ]);
    await client.query('COMMIT');
    commits += 1;
    units.set(sku, (units.get(sku) ?? 0) + 1);
    floors.push({ sku, atMs: Date.now(), units: units.get(sku) ?? 0 });
    if (floors.length > commitsKept) floors.shift();
  };
  for (const sku of skus) await gain(sku);
  return {
    skus,
    commits: () => commits,
    /** One of the last commits. */
    floor: (random: Random): Floor => floors[random(floors.length)] as Floor,
    count: async (signal: AbortSignal): Promise<void> => {
      const beganMs = Date.now();
      while (!signal.aborted) {
        const due = skus.length + ((Date.now() - beganMs) / 1000) * commitsPerSecond;
        while (commits < due) await gain(skus[commits % skus.length] ?? '');
        await new Promise((done) => setTimeout(done, 5));
      }
    },
    close: () => client.end(),
  };
}

/** Each client reads one cell after the other, and demands what some commit has told. */
async function readMany(
  options: FreshnessStressOptions,
  context: Context & { readonly api: Reader; readonly counters: Counters },
) {
  const { api, counters, report, signal } = context;
  const beganMs = Date.now();
  const tookMs: number[] = [];
  let [sent, current, refused, stale, errors] = [0, 0, 0, 0, 0];
  const examples: string[] = [];
  const note = (example: string): void => {
    if (examples.length < 3) examples.push(example);
  };
  const read = async ({ sku, atMs, units }: Floor): Promise<void> => {
    const path = `${cellPath(sku)}?minWatermark=${new Date(atMs).toISOString()}`;
    const askedMs = performance.now();
    const { status, text } = await api.get(path);
    tookMs.push(performance.now() - askedMs);
    const body = JSON.parse(text) as { quantities?: { onHand: number }; code?: string };
    if (status === 200 && (body.quantities?.onHand ?? 0) >= units) current += 1;
    else if (status === 200) {
      stale += 1;
      note(`${sku} had ${units} at ${atMs}: ${text}`);
    } else if (body.code === staleCode) refused += 1;
    else {
      errors += 1;
      note(`${path}: ${status} ${text}`);
    }
  };
  const client = async (number: number): Promise<void> => {
    const random = randomFrom(options.seed * 1_000 + number);
    while (sent < options.reads && !signal.aborted) {
      sent += 1;
      await read(counters.floor(random));
    }
  };
  const progress = setInterval(() => {
    const perSecond = (tookMs.length * 1000) / (Date.now() - beganMs);
    const leftSeconds = Math.round((options.reads - tookMs.length) / perSecond);
    report(
      `${tookMs.length} of ${options.reads} reads, ${Math.round(perSecond)}/s, ${leftSeconds} s to go`,
    );
  }, reportEveryMs);
  try {
    await Promise.all(Array.from({ length: options.clients }, (_, number) => client(number)));
  } finally {
    clearInterval(progress);
  }
  const seconds = (Date.now() - beganMs) / 1000;
  const readsPerSecond = Math.round(tookMs.length / seconds);
  const readMs = percentiles(tookMs);
  return {
    reads: tookMs.length,
    current,
    refused,
    stale,
    errors,
    readsPerSecond,
    readMs,
    examples,
  };
}

type Pause = { readonly source: string; readonly hop: string; readonly namedMs: number };

/** Pauses each hop on the way from a source to an answer, and takes the time until every kind of answer names it. */
async function pauseInTurn(
  demonstration: Demonstration,
  api: Reader,
  report: (line: string) => void,
): Promise<readonly Pause[]> {
  const { addresses, processors } = demonstration;
  const connector = (source: string, action: 'pause' | 'resume') => async (): Promise<void> => {
    await fetch(`${addresses.connectUrl}/connectors/${source}/${action}`, { method: 'PUT' });
  };
  const told = (name: string, signal: 'SIGSTOP' | 'SIGCONT') => async (): Promise<void> =>
    processors.signal(name, signal);
  const hops = [
    ...['erp', 'pos'].map((source) => {
      const [pause, resume] = [connector(source, 'pause'), connector(source, 'resume')];
      return { source, hop: 'capture', pause, resume };
    }),
    ...['intake', 'stock'].map((hop) => {
      const [pause, resume] = [told(hop, 'SIGSTOP'), told(hop, 'SIGCONT')];
      return { source: '', hop, pause, resume };
    }),
  ];
  const pauses: Pause[] = [];
  for (const { source, hop, pause, resume } of hops) {
    const isNamed = async (path: string): Promise<boolean> =>
      (await api.freshness(path)).behind.some(
        (one) => one.hop === hop && (source === '' || one.source === source),
      );
    await until('all is fresh again', api.isFresh, freshWithinMs);
    const pausedMs = Date.now();
    await pause();
    try {
      await Promise.all(
        api.paths.map((path) => until(`${path} names ${hop}`, () => isNamed(path), freshWithinMs)),
      );
      pauses.push({ source, hop, namedMs: Date.now() - pausedMs });
      report(`${hop} ${source} paused: named after ${pauses.at(-1)?.namedMs} ms`);
      await new Promise((done) => setTimeout(done, pausedForMs));
    } finally {
      await resume();
    }
  }
  await until('all is fresh again', api.isFresh, freshWithinMs);
  return pauses;
}
