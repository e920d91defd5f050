/** What analytics answers → a panel of daily sales, and what is there now. Pure. */
import type { CellHistory, Position } from './outlook.ts';
import { grainOf, knownDays, type Panel, type Series } from './panel.ts';

/** A row of one SELECT, in column order. */
type Row = readonly unknown[];

const dayMs = 86_400_000;
const hoursOfDay = 24;
/** Hours of all locations count as so many units of a location's own. */
const commonUnits = 200;

export const questions = {
  sales: (days: number) =>
    'SELECT sku, location, toString(day), toFloat64(units_sold) FROM sales_daily ' +
    `WHERE day >= today() - ${days} AND day < today()`,
  /** Half a day without anything to sell, or longer. */
  empty: (days: number) =>
    'SELECT sku, location, toString(toUnixTimestamp64Milli(since)), toString(toUnixTimestamp64Milli(until)) ' +
    `FROM stock_intervals WHERE available <= 0 AND until >= since + INTERVAL 12 HOUR AND until > now() - INTERVAL ${days} DAY`,
  hours: (days: number) =>
    'SELECT location, toHour(hour), toFloat64(sum(units_sold)) FROM sales_hourly ' +
    `WHERE hour >= today() - ${days} AND hour < today() GROUP BY location, toHour(hour)`,
  stock:
    'SELECT sku, location, toInt64(on_hand * 1000), toInt64(available * 1000), toInt64((incoming + in_transit) * 1000) FROM stock_now',
} as const;

export type Answers = {
  readonly sales: readonly Row[];
  readonly empty: readonly Row[];
  readonly hours: readonly Row[];
  readonly stock: readonly Row[];
};

export type Known = {
  readonly panel: Panel;
  /** Beside each series of the panel. */
  readonly cells: readonly CellHistory[];
  readonly positions: readonly Position[];
};

/** `today`: midnight UTC. The panel begins with the first day on which anything was sold anywhere. */
export function knownOf(answers: Answers, today: number): Known {
  const first = Math.min(
    today,
    ...answers.sales.map(([, , day]) => Date.parse(`${String(day)}T00:00:00Z`)),
  );
  const days = Math.round((today - first) / dayMs);
  const series = new Map<string, Series & { sold: number[]; stocked: boolean[] }>();
  for (const [sku, location, day, units] of answers.sales) {
    const key = `${String(sku)}|${String(location)}`;
    const one = series.get(key) ?? emptySeries(String(sku), String(location), days);
    const index = Math.round((Date.parse(`${String(day)}T00:00:00Z`) - first) / dayMs);
    one.sold[index] = (one.sold[index] ?? 0) + Math.max(0, Number(units));
    series.set(key, one);
  }
  for (const [sku, location, since, until] of answers.empty) {
    const one = series.get(`${String(sku)}|${String(location)}`);
    if (one !== undefined) markEmpty(one, Number(since), Number(until), first);
  }
  const panel = { firstWeekday: new Date(first).getUTCDay(), series: [...series.values()] };
  const hours = hourShares(answers.hours);
  const positions = new Map(
    answers.stock.map(([sku, location, onHand, available, incoming]) => [
      `${String(sku)}|${String(location)}`,
      { onHand: Number(onHand), available: Number(available), incoming: Number(incoming) },
    ]),
  );
  return {
    panel,
    cells: panel.series.map((one) => {
      const known = knownDays(one, days).length;
      return {
        sku: one.sku,
        location: one.location,
        historyDays: days,
        stockOutDays: days - known,
        grain: grainOf(one.sold),
        hours: hours(one.location),
      };
    }),
    positions: panel.series.map(
      ({ sku, location }) =>
        positions.get(`${sku}|${location}`) ?? { onHand: 0, available: 0, incoming: 0 },
    ),
  };
}

function emptySeries(sku: string, location: string, days: number) {
  return {
    sku,
    location,
    sold: new Array<number>(days).fill(0),
    stocked: new Array<boolean>(days).fill(true),
  };
}

/** A day counts as without stock when nothing was there for half of it, and nothing was sold. */
function markEmpty(
  { sold, stocked }: { readonly sold: readonly number[]; readonly stocked: boolean[] },
  since: number,
  until: number,
  first: number,
): void {
  for (let day = Math.max(0, Math.floor((since - first) / dayMs)); day < sold.length; day += 1) {
    const start = first + day * dayMs;
    if (start >= until) return;
    const emptyMs = Math.min(until, start + dayMs) - Math.max(since, start);
    if (emptyMs >= dayMs / 2 && sold[day] === 0) stocked[day] = false;
  }
}

/** Shares of a day by hour: a location's own, drawn towards those of all while it has sold little. */
function hourShares(rows: readonly Row[]): (location: string) => readonly number[] {
  const byLocation = new Map<string, number[]>();
  const common = new Array<number>(hoursOfDay).fill(0);
  for (const [location, hour, units] of rows) {
    const own = byLocation.get(String(location)) ?? new Array<number>(hoursOfDay).fill(0);
    const sold = Math.max(0, Number(units));
    own[Number(hour)] = (own[Number(hour)] ?? 0) + sold;
    common[Number(hour)] = (common[Number(hour)] ?? 0) + sold;
    byLocation.set(String(location), own);
  }
  const total = common.reduce((sum, units) => sum + units, 0);
  const even = common.map((units) => (total > 0 ? units / total : 1 / hoursOfDay));
  return (location) => {
    const own = byLocation.get(location) ?? [];
    const units = own.reduce((sum, one) => sum + one, 0);
    return even.map(
      (share, hour) => ((own[hour] ?? 0) + commonUnits * share) / (units + commonUnits),
    );
  };
}
