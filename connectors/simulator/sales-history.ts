/** What the simulated retailer's tills sell per day, shop and article, without any database: for backtests. */
import { businessTimeMs, scheduledMoment } from './business-clock.ts';
import { planNext } from './day-plan.ts';
import { dayOf } from './local-time.ts';
import { defaultOptions, erpMasterData, newRetailer } from './master-data.ts';
import type { Receipt } from './retailer.ts';

export type DailySales = {
  readonly sku: string;
  readonly location: string;
  /** Units per day, from the first whole day. */
  readonly sold: readonly number[];
};

const dayMs = 86_400_000;
const rowsMax = 5_000;
/** The first day is the history before capture. */
const skippedDays = 1;

/** Every article in every shop; a seed and a number of days give the same on every machine. */
export function dailySales(options: {
  readonly seed: number;
  readonly days: number;
  readonly articles: number;
  readonly transactionsPerDay: number;
}): readonly DailySales[] {
  // A fixed day, so that the same seed gives the same retailer whenever it is asked.
  const realMs = Date.UTC(2026, 0, 5, 12) + (options.days + skippedDays + 1) * dayMs;
  const retailer = newRetailer(options.seed, realMs, {
    ...defaultOptions,
    articles: options.articles,
    transactionsPerDay: options.transactionsPerDay,
    daysBack: options.days + skippedDays + 1,
  });
  erpMasterData(retailer);
  const firstDay = retailer.schedule.startDay + skippedDays;
  const sold = new Map<string, number[]>();
  for (const { artnr } of retailer.articles) {
    for (const { place } of retailer.shops) {
      sold.set(`${artnr}|${place.lagnr}`, new Array<number>(options.days).fill(0));
    }
  }
  const last = retailer.shops.map(() => undefined as Receipt | undefined);
  for (;;) {
    const scheduled = scheduledMoment(retailer.schedule, retailer.scheduled);
    if (scheduled.dayIndex >= options.days + skippedDays) break;
    const nowMs = businessTimeMs({
      scheduledMs: scheduled.atMs,
      realMs,
      previousMs: retailer.nowMs,
    });
    const planned = planNext(retailer, { nowMs, isNow: false, rowsMax });
    if (planned.kind !== 'sale' && planned.kind !== 'late upload') continue;
    retailer.shops.forEach((shop, index) => {
      const newest = shop.unposted.at(-1);
      if (newest === undefined || newest === last[index]) return;
      for (let place = shop.unposted.length - 1; place >= 0; place--) {
        const receipt = shop.unposted[place] as Receipt;
        if (receipt === last[index]) break;
        add(sold, receipt, firstDay);
        if (planned.kind === 'sale') break;
      }
      last[index] = newest;
    });
  }
  return [...sold].map(([key, units]) => {
    const [sku = '', location = ''] = key.split('|');
    return { sku, location, sold: units.map((one) => one / 1000) };
  });
}

function add(sold: Map<string, number[]>, receipt: Receipt, firstDay: number): void {
  const day = dayOf(receipt.soldMs) - firstDay;
  for (const { product, quantity, kind } of receipt.printed) {
    const units = sold.get(`${product.article.artnr}|${receipt.lagnr}`);
    if (kind !== 'sale' || units === undefined || day < 0 || day >= units.length) continue;
    units[day] = (units[day] ?? 0) + quantity;
  }
}
