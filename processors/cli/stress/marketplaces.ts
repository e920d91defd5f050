/**
 * `stockline stress marketplaces`: changes of one channel through a broker and the delivery process to Amazon, eBay and a
 * shop, simulated with their published limits and failures; judged by what they were shown and when.
 */
import { writeFileSync } from 'node:fs';
import { simulatedAmazon } from '../../../connectors/destinations/simulated-amazon.ts';
import { simulatedEbay } from '../../../connectors/destinations/simulated-ebay.ts';
import type { Shown } from '../../../connectors/destinations/simulated-server.ts';
import {
  type SimulatedMarketplace,
  simulatedShop,
} from '../../../connectors/destinations/simulated-shop.ts';
import { integer, type Random, seededRandom } from '../../../connectors/simulator/random.ts';
import { channelStock } from '../../topics.ts';
import { percentiles } from '../start/figures.ts';
import { type Publishing, publishing, type Told } from './figures.ts';
import { onStage, type Stage, tellResult } from './stage.ts';

export type MarketplacesStressOptions = {
  readonly skus: number;
  readonly changes: number;
  readonly seconds: number;
  readonly soldOuts: number;
  readonly seed: number;
  readonly json?: string;
};

type Markets = Readonly<Record<'amazon' | 'ebay' | 'shop', SimulatedMarketplace>>;
type SoldOut = { readonly sku: string; readonly told: Told };

const channel = 'marketplace';
/** One writing call in so many has a trouble. */
const troubleOneIn = 100;
const settleMs = 600_000;
/** Of Amazon's patches: the slowest way for a sold-out. */
const slowestPerSecond = 5;
const soldOutMs = 5_000;

/** Prints the result; resolves with 0 when every promise is kept, else 1. */
export async function stressMarketplaces(options: MarketplacesStressOptions): Promise<number> {
  const of = { seed: options.seed, oneIn: troubleOneIn };
  const markets: Markets = {
    amazon: await simulatedAmazon(of),
    ebay: await simulatedEbay(of),
    shop: await simulatedShop(of),
  };
  try {
    return await onStage(
      {
        processes: ['delivery'],
        environment: (directory) => ({ STOCKLINE_DELIVERY: settingsIn(directory, markets) }),
      },
      async (stage) => {
        const result = await stress(options, stage, markets);
        tellResult(result, options.json);
        const { budgetExceeded, quotaBroken, olderAfterNewer, finalDifferences } = result;
        const broken = budgetExceeded + quotaBroken + olderAfterNewer + finalDifferences;
        return broken === 0 && result.soldOutP99Ms <= result.soldOutLimitMs ? 0 : 1;
      },
    );
  } finally {
    await Promise.all(Object.values(markets).map((market) => market.close()));
  }
}

function settingsIn(directory: string, { amazon, ebay, shop }: Markets): string {
  const refreshed = { clientId: 'id', clientSecret: 'secret', refreshToken: 'refresh' };
  // The simulators do a write whose answer was lost within 3 s, or never.
  const of = { channel, limits: { settleSeconds: 3.5 } };
  const accounts = [
    {
      ...of,
      ...refreshed,
      id: 'amazon',
      kind: 'amazon',
      url: amazon.url,
      tokenUrl: `${amazon.url}/auth/o2/token`,
      seller: 'SELLER',
      marketplace: 'A1PA6795UKMFR9',
    },
    {
      ...of,
      ...refreshed,
      id: 'ebay',
      kind: 'ebay',
      url: ebay.url,
      tokenUrl: `${ebay.url}/identity/v1/oauth2/token`,
    },
    { ...of, id: 'shop', kind: 'shop', url: shop.url, token: 'shop-token' },
  ];
  const file = `${directory}/delivery.json`;
  writeFileSync(file, JSON.stringify({ accounts }));
  return file;
}

async function stress(options: MarketplacesStressOptions, stage: Stage, markets: Markets) {
  const random = seededRandom(options.seed);
  const published = await publishing(stage.places, channelStock(channel));
  const runningOut = Math.min(Math.ceil(options.skus / 10), options.soldOuts * options.seconds + 1);
  stage.report(`${options.skus} SKUs are told to three marketplaces for the first time`);
  for (let index = 0; index < options.skus; index += 1) {
    published.tell(`S${index}`, index < runningOut ? 11 + (index % 3) : ample(random));
  }
  await published.flush();
  const firstMs = await untilEqual(published, markets, stage);
  stage.report(`all there after ${Math.round(firstMs / 1000)} s; ${options.changes} changes/s now`);
  const soldOuts = await load(options, published, random, runningOut);
  const finalMs = await untilEqual(published, markets, stage);
  const shown = Object.values(markets).map(({ books }) => bySku(books.shown));
  const delays = soldOuts.flatMap((one) => shown.map((of) => delayOf(one, of.get(one.sku) ?? [])));
  const perSecond = soldOuts.length / options.seconds;
  const sum = (count: (market: SimulatedMarketplace) => number): number =>
    Object.values(markets).reduce((total, market) => total + count(market), 0);
  const { p50, p99 } = percentiles(delays);
  await published.close();
  return {
    skus: options.skus,
    changes: options.changes * options.seconds,
    seconds: options.seconds,
    soldOuts: soldOuts.length,
    soldOutP50Ms: Math.round(p50),
    soldOutP99Ms: Math.round(p99),
    soldOutLimitMs: limitMs(perSecond, options.seconds),
    soldOutMaxMs: Object.fromEntries(
      Object.keys(markets).map((name, index) => [
        name,
        Math.max(...soldOuts.map((one) => delayOf(one, shown[index]?.get(one.sku) ?? []))),
      ]),
    ),
    budgetExceeded: sum(({ books }) => books.budgetExceeded),
    quotaBroken: sum(({ books }) => books.quotaBroken),
    olderAfterNewer: shown.reduce((total, of) => total + stepsBack(of, published.history), 0),
    finalDifferences: sum(({ listings }) => differing(published, listings)),
    firstMs,
    finalMs,
    calls: Object.fromEntries(
      Object.entries(markets).map(([name, { books }]) => [name, Object.fromEntries(books.calls)]),
    ),
    troubles: sum(({ books }) => [...books.troubles.values()].reduce((all, one) => all + one, 0)),
  };
}

/** Above five a second, what the slowest quota needs for them is added: none can be faster. */
function limitMs(perSecond: number, seconds: number): number {
  const beyond = Math.max(0, perSecond - slowestPerSecond) * seconds;
  return soldOutMs + Math.round((beyond * 1000) / slowestPerSecond);
}

const ample = (random: Random): number => integer(random, 100, 1_000_000);

/** Most changes are of SKUs with plenty; the others sell piece by piece until they are sold out, in turn. */
async function load(
  options: MarketplacesStressOptions,
  published: Publishing,
  random: Random,
  runningOut: number,
): Promise<readonly SoldOut[]> {
  const soldOuts: SoldOut[] = [];
  const beganMs = Date.now();
  let made = 0;
  for (;;) {
    const passed = Math.min(options.seconds, (Date.now() - beganMs) / 1000);
    for (; soldOuts.length < Math.floor(passed * options.soldOuts); ) {
      const sku = `S${soldOuts.length % runningOut}`;
      published.tell(sku, 0);
      soldOuts.push({ sku, told: published.newest.get(sku) as Told });
      // The one that is next but a few sells some of its last pieces.
      published.tell(`S${(soldOuts.length + 2 * options.soldOuts) % runningOut}`, 1 + (made % 9));
      made += 2;
    }
    for (; made < passed * options.changes; made += 1) {
      published.tell(`S${integer(random, runningOut, options.skus - 1)}`, ample(random));
    }
    if (passed >= options.seconds) break;
    await new Promise((done) => setTimeout(done, 20));
  }
  await published.flush();
  return soldOuts;
}

async function untilEqual(published: Publishing, markets: Markets, stage: Stage): Promise<number> {
  const beganMs = Date.now();
  let toldMs = beganMs;
  for (;;) {
    const left = Object.values(markets).map(({ listings }) => differing(published, listings));
    const passedMs = Date.now() - beganMs;
    if (left.every((count) => count === 0) || passedMs > settleMs) return passedMs;
    if (Date.now() - toldMs > 20_000) {
      toldMs = Date.now();
      stage.report(
        `not there yet: ${Object.keys(markets)
          .map((name, at) => `${name} ${left[at]}`)
          .join(', ')}`,
      );
    }
    await new Promise((done) => setTimeout(done, 250));
  }
}

function differing({ newest }: Publishing, listings: ReadonlyMap<string, number>): number {
  let count = 0;
  for (const [sku, { units }] of newest) if (listings.get(sku) !== units) count += 1;
  return count;
}

function bySku(shown: readonly Shown[]): ReadonlyMap<string, readonly Shown[]> {
  const found = new Map<string, Shown[]>();
  for (const one of shown) {
    const known = found.get(one.sku);
    if (known === undefined) found.set(one.sku, [one]);
    else known.push(one);
  }
  return found;
}

/** Until it was shown as sold out; never: a long time. */
function delayOf({ told }: SoldOut, shown: readonly Shown[]): number {
  const first = shown.find(({ units, atMs }) => units === 0 && atMs >= told.atMs);
  return first === undefined ? settleMs : first.atMs - told.atMs;
}

/** Figures that were shown and are older than one that was shown before: what was shown has to be found in order. */
function stepsBack(
  shownBySku: ReadonlyMap<string, readonly Shown[]>,
  history: ReadonlyMap<string, readonly Told[]>,
): number {
  let back = 0;
  for (const [sku, shown] of shownBySku) {
    const told = history.get(sku) ?? [];
    let at = 0;
    for (const { units } of shown) {
      const next = told.findIndex((one, index) => index >= at && one.units === units);
      if (next < 0) back += 1;
      else at = next;
    }
  }
  return back;
}
