/** `stockline stress api`: reads and reservations at a fixed rate through one instance of the API, judged by the ledger. */
import { type Dispatcher, Pool } from 'undici';
import type { LedgerEntry } from '../../../schemas/types.ts';
import { type KafkaPlaces, readTopic } from '../../adapters/kafka/topic-reader.ts';
import { keyIn } from '../../api/local-key.ts';
import { ledger } from '../../topics.ts';
import type { Topic } from '../../topology/topic.ts';
import { percentiles } from '../start/figures.ts';
import { type Random, randomFrom } from './shoppers.ts';
import { onStage, readyApiUrl, type Stage, tellResult } from './stage.ts';

export type ApiStressOptions = {
  readonly seconds: number;
  readonly reads: number;
  readonly reservations: number;
  readonly skus: number;
  readonly seed: number;
  readonly json?: string;
};

type Answer = { readonly status: number; readonly tookMs: number };
type Ask = (method: 'GET' | 'POST', path: string, key?: string, body?: object) => Promise<number>;

/** Requests are due one by one: sent in heaps, most of them would wait for the others. */
const tickMs = 2;
/** A write holds its connection until it is decided: as many clients as are waiting then, and none of them a reader. */
const connections = { reads: 64, writes: 256 } as const;
const warmUpSeconds = 10;

/** Prints the result; resolves with 0 when nothing failed and nothing is oversold, else 1. */
export async function stressApi(options: ApiStressOptions): Promise<number> {
  return onStage({ processes: ['stock', 'carts', 'api'] }, async (stage) => {
    const result = await stress(options, stage);
    tellResult(result, options.json);
    return result.errors === 0 && result.oversold === 0 ? 0 : 1;
  });
}

async function stress(options: ApiStressOptions, stage: Stage) {
  const { places, report } = stage;
  const url = await readyApiUrl(stage.processors);
  const key = keyIn(`${stage.directory}/run/api.key`);
  const pools = {
    GET: new Pool(url, { connections: connections.reads, pipelining: 1 }),
    POST: new Pool(url, { connections: connections.writes, pipelining: 1 }),
  };
  const authorization = `Bearer ${key}`;
  const ask: Ask = (method, path, idempotencyKey, body) => {
    const headers = {
      authorization,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    };
    const text = body === undefined ? null : JSON.stringify(body);
    return statusOf(pools[method], { method, path, headers, body: text });
  };
  try {
    const skus = Array.from({ length: options.skus }, (_, index) => `S${index}`);
    await openStock(options, skus, ask);
    report(`stock: ${skus.length} SKUs; warming up for ${warmUpSeconds} s`);
    await load({ ...options, seconds: warmUpSeconds }, skus, ask, 'warm');
    const { readAnswers, writeAnswers, tookMs } = await load(options, skus, ask, 'run');
    const failedReads = readAnswers.filter(({ status }) => status !== 200).length;
    const failedWrites = writeAnswers.filter(({ status }) => status !== 200 && status !== 409);
    return {
      seconds: Math.round(tookMs / 1000),
      reads: readAnswers.length,
      readsPerSecond: Math.round((readAnswers.length * 1000) / tookMs),
      readMs: percentiles(readAnswers.map((one) => one.tookMs)),
      reservations: writeAnswers.length,
      reservationsPerSecond: Math.round((writeAnswers.length * 1000) / tookMs),
      accepted: writeAnswers.filter(({ status }) => status === 200).length,
      writeMs: percentiles(writeAnswers.map((one) => one.tookMs)),
      errors: failedReads + failedWrites.length,
      oversold: await oversold(places),
    };
  } finally {
    await Promise.all([pools.GET.close(), pools.POST.close()]);
  }
}

/** As bare as the client allows: what asking costs is taken from the API beside it. */
function statusOf(pool: Pool, request: Dispatcher.DispatchOptions): Promise<number> {
  return new Promise((answered, failed) => {
    let status = 0;
    pool.dispatch(request, {
      onConnect: () => undefined,
      onHeaders: (statusCode) => {
        status = statusCode;
        return true;
      },
      onData: () => true,
      onComplete: () => answered(status),
      onError: failed,
    });
  });
}

/** Enough for most of the reservations, and not for all. */
async function openStock(options: ApiStressOptions, skus: readonly string[], ask: Ask) {
  const wanted = options.reservations * (options.seconds + warmUpSeconds);
  const quantity = Math.ceil((wanted * 0.9) / skus.length);
  for (const [index, sku] of skus.entries()) {
    const body = { lines: [{ sku, location: 'L1', quantity }], reason: 'opening' };
    const status = await ask('POST', '/v1/adjustments', `open ${index}`.replace(' ', '-'), body);
    if (status !== 200) throw new Error(`opening stock was answered with ${status}`);
  }
}

/** At its rate whatever the answers take: latency counts from when a request was due. */
async function load(options: ApiStressOptions, skus: readonly string[], ask: Ask, name: string) {
  const random = randomFrom(options.seed);
  const readAnswers: Answer[] = [];
  const writeAnswers: Answer[] = [];
  const open = new Set<Promise<void>>();
  const send = (dueMs: number, into: Answer[], asking: Promise<number>): void => {
    const one = asking
      .catch(() => 0)
      .then((status) => {
        into.push({ status, tookMs: performance.now() - dueMs });
        open.delete(one);
      });
    open.add(one);
  };
  const beganMs = performance.now();
  let readsSent = 0;
  let writesSent = 0;
  while (performance.now() - beganMs < options.seconds * 1000) {
    const seconds = (performance.now() - beganMs) / 1000;
    for (; readsSent < seconds * options.reads; readsSent += 1) {
      const dueMs = beganMs + (readsSent * 1000) / options.reads;
      send(dueMs, readAnswers, ask('GET', readPath(skus, random)));
    }
    for (; writesSent < seconds * options.reservations; writesSent += 1) {
      const dueMs = beganMs + (writesSent * 1000) / options.reservations;
      const body = { lines: [{ sku: skus[random(skus.length)], quantity: 1 }] };
      const key = `${name}-${writesSent}`;
      send(dueMs, writeAnswers, ask('POST', '/v1/reservations', key, body));
    }
    await new Promise((done) => setTimeout(done, tickMs));
  }
  await Promise.all(open);
  return { readAnswers, writeAnswers, tookMs: performance.now() - beganMs };
}

const readPath = (skus: readonly string[], random: Random): string =>
  `/v1/stock/${skus[random(skus.length)]}/locations/L1`;

/** Units that were promised beyond what was there, by the ledger alone. */
async function oversold(places: KafkaPlaces): Promise<number> {
  let units = 0;
  await readTopic(places, ledger as unknown as Topic<never, never>, {
    onRecord: ({ value }) => {
      const { available } = (value as LedgerEntry).quantities;
      units += Math.max(0, -available) / 1000;
    },
  });
  return units;
}
