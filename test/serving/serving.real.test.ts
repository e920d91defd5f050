/** Copies of the figures in a real PostgreSQL and a real Redis, which is stopped, slow and flushed meanwhile. */
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openRedis } from '../../processors/adapters/redis.ts';
import { cachedFigures } from '../../processors/adapters/serving/cached-figures.ts';
import { postgresTarget } from '../../processors/adapters/serving/postgres.ts';
import { redisTarget } from '../../processors/adapters/serving/redis.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import { inventoryClient } from '../../processors/api/client.ts';
import { quotas } from '../../processors/api/quota.ts';
import type { Served, ServingEvents, ServingTarget } from '../../processors/serving/ports.ts';
import { runServing } from '../../processors/serving/run.ts';
import { filledView, sampleServer } from '../api/samples.ts';
import { type RealRedis, realRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { servedFigure } from './samples.ts';

let real: RealRedis;

const telemetry = () => processTelemetry({ logLevel: 'error' }).of('serving');

/** Topics that are told of here; each follower reads them from the beginning. */
function topics() {
  const log: Served[] = [];
  const truth = new Map<string, number>();
  const followers = new Set<ServingEvents>();
  return {
    truth,
    tell: (sku: string, sellable: number): void => {
      const figure = servedFigure(sku, log.length + 1, sellable);
      truth.set(sku, sellable);
      log.push(figure);
      for (const one of followers) one.take(figure);
    },
    follow: async (events: ServingEvents, signal: AbortSignal): Promise<void> => {
      for (const figure of log) events.take(figure);
      followers.add(events);
      const beat = setInterval(() => events.current(Date.now()), 50);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      clearInterval(beat);
      followers.delete(events);
    },
  };
}

function served(target: ServingTarget, from: ReturnType<typeof topics>) {
  const ending = new AbortController();
  const ports = { follow: from.follow, target, log: () => undefined };
  const running = runServing(ports, ending.signal);
  return {
    ...running,
    stop: async () => {
      ending.abort();
      await running.done;
      await target.close();
    },
  };
}

beforeAll(async () => {
  real = await realRedis();
});
afterAll(() => real.remove());

describe('figures in PostgreSQL', () => {
  it('C1: are the newest of each key through restarts and a lost table, and never go back', async () => {
    const { host, port: at, adminUser, adminPassword } = inject('stack').postgres;
    const url = `postgresql://${adminUser}:${adminPassword}@${host}:${at}/postgres`;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const sellable = async (sku: string): Promise<number> => {
      const { rows } = await client.query(
        'SELECT sellable::float8 AS units FROM serving_test.channel_stock WHERE sku = $1',
        [sku],
      );
      return Number(rows[0]?.units ?? -1);
    };
    const source = topics();
    for (let n = 0; n < 3_000; n += 1) source.tell(`S${n % 500}`, (n % 997) * 1_000);
    const first = served(postgresTarget(url, 'serving_test'), source);
    await until(() => first.status().asOfMs > 0);
    expect(await sellable('S499')).toBe((source.truth.get('S499') ?? 0) / 1_000);
    await first.stop();
    source.tell('S499', 5_000);
    const second = served(postgresTarget(url, 'serving_test'), source);
    await until(async () => (await sellable('S499')) === 5);
    await client.query('TRUNCATE serving_test.channel_stock, serving_test.contained');
    await until(async () => {
      const { rows } = await client.query(
        'SELECT count(*)::int AS number FROM serving_test.channel_stock',
      );
      return rows[0].number === 500;
    });
    expect(await sellable('S499')).toBe(5);
    await second.stop();
    await client.query('DROP SCHEMA serving_test CASCADE');
    await client.end();
  });
});

describe('figures in Redis', () => {
  const staleMaxMs = 1_000;

  it('C1: answers stay right while Redis is stopped, slow and flushed, and come from it otherwise', async () => {
    const source = topics();
    for (let n = 0; n < 500; n += 1) source.tell(`S${n}`, n * 1_000);
    const { url } = real;
    const writer = served(redisTarget(openRedis(url, telemetry())), source);
    const redis = openRedis(url, telemetry());
    const cache = cachedFigures({
      redis,
      origin: async (_, sku) => source.truth.get(sku) ?? 0,
      ...{ staleMaxMs, patienceMs: 25 },
    });
    const isHit = async (): Promise<boolean> => {
      const before = cache.counts().cache;
      await cache.figure('web', 'S1');
      return cache.counts().cache > before;
    };
    /** What was true within the bound is right; what was true before it is not. */
    const recent = new Map<string, { readonly value: number; readonly endedAt: number }[]>();
    const change = (sku: string, value: number): void => {
      const list = recent.get(sku) ?? [];
      list.push({ value: source.truth.get(sku) ?? 0, endedAt: Date.now() });
      recent.set(sku, list);
      source.tell(sku, value);
    };
    let wrong = 0;
    let made = 0;
    const busy = async (forMs: number): Promise<void> => {
      const endAt = Date.now() + forMs;
      while (Date.now() < endAt) {
        made += 1;
        change(`S${made % 500}`, made * 1_000);
        const sku = `S${(made * 7) % 500}`;
        const askedAt = Date.now();
        const found = await cache.figure('web', sku);
        const isNow = found === source.truth.get(sku);
        const wasJustNow = recent
          .get(sku)
          ?.some(({ value, endedAt }) => value === found && endedAt >= askedAt - staleMaxMs);
        if (!isNow && wasJustNow !== true) wrong += 1;
        if (made % 5 === 0) await new Promise((done) => setTimeout(done, 2));
      }
    };
    await until(isHit);
    await busy(1_000);
    const fromCache = cache.counts().cache;
    expect(fromCache).toBeGreaterThan(100);
    await redis.flushall();
    await busy(1_500);
    const admin = new Redis(url);
    await admin.call('CLIENT', 'PAUSE', '1500', 'ALL');
    await busy(2_000);
    admin.disconnect();
    await real.kill();
    await busy(1_500);
    await real.start();
    await busy(3_000);
    await until(isHit);
    expect(wrong).toBe(0);
    const begun = performance.now();
    for (let n = 0; n < 2_000; n += 1) await cache.figure('web', `S${n % 500}`);
    const cacheMs = (performance.now() - begun) / 2_000;
    const apiMs = await apiReadMs();
    process.stdout.write(
      `a read of a figure: ${cacheMs.toFixed(3)} ms by Redis, ${apiMs.toFixed(3)} ms by the API\n`,
    );
    expect(cacheMs).toBeLessThan(apiMs);
    redis.disconnect();
    await writer.stop();
  });
});

/** One figure over HTTP, as the typed client asks for it. */
async function apiReadMs(): Promise<number> {
  const { server: api } = await sampleServer(undefined, {
    view: filledView(),
    authenticate: async () => ({ id: 'c', scopes: ['stock:read'] }),
  });
  const url = await api.listen({ port: 0, host: '127.0.0.1' });
  const client = inventoryClient(url, 'key');
  const begun = performance.now();
  for (let n = 0; n < 500; n += 1) await client.sku('A');
  const ms = (performance.now() - begun) / 500;
  await api.close();
  return ms;
}

describe('quotas in Redis', () => {
  it('instances count together, and each for itself while Redis is away', async () => {
    const [one, other] = [openRedis(real.url, telemetry()), openRedis(real.url, telemetry())];
    await until(() => one.status === 'ready' && other.status === 'ready');
    const instances = [quotas(10, one), quotas(10, other)];
    const client = { id: `c${Date.now()}`, scopes: [] };
    let refused = 0;
    for (let n = 0; n < 16; n += 1) {
      const taken = await instances[n % 2]?.take(client);
      refused += taken?.refused === undefined ? 0 : 1;
    }
    expect(refused).toBe(6);
    await real.kill();
    const alone = await instances[0]?.take({ id: 'another', scopes: [] });
    expect([alone?.refused, alone?.headers.ratelimit]).toEqual([undefined, '"minute";r=9;t=60']);
    await real.start();
    one.disconnect();
    other.disconnect();
  });
});
