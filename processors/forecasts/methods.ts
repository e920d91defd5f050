/** The forecasting methods of the textbooks, for one series. Pure. */
import { counted, type Distribution, weighted } from './distribution.ts';
import { grainOf, knownDays, knownDemand, type Series } from './panel.ts';

const smoothing = 0.1;

type Intermittent = 'croston' | 'sba' | 'tsb';

/**
 * Units per day by Croston's method (1972): size and interval of demands, each smoothed when there is a demand.
 * SBA takes its bias off: × (1 - α/2) (Syntetos & Boylan 2005). TSB smooths the probability of a demand on every
 * day instead, so that it forgets what is not sold any more (Teunter, Syntetos & Babai 2011).
 */
export function dailyRate(
  demand: readonly number[],
  method: Intermittent,
  alpha: number = smoothing,
): number {
  const first = demand.findIndex((units) => units > 0);
  if (first === -1) return 0;
  let size = demand[first] ?? 0;
  let interval = first + 1;
  let probability = 1 / interval;
  let since = 1;
  for (const units of demand.slice(first + 1)) {
    if (method === 'tsb') probability += alpha * ((units > 0 ? 1 : 0) - probability);
    if (units > 0) {
      size += alpha * (units - size);
      interval += alpha * (since - interval);
      since = 1;
    } else since += 1;
  }
  switch (method) {
    case 'croston':
      return size / interval;
    case 'sba':
      return (1 - alpha / 2) * (size / interval);
    case 'tsb':
      return probability * size;
  }
}

/** With the spread that was seen so far about it: a rate alone has no interval. */
export function intermittent(series: Series, origin: number, method: Intermittent): Distribution {
  const demand = knownDemand(series, origin);
  const rate = dailyRate(demand, method);
  const mean = demand.reduce((sum, units) => sum + units, 0) / Math.max(1, demand.length);
  const squares = demand.reduce((sum, units) => sum + (units - mean) ** 2, 0);
  return counted(rate, squares / Math.max(1, demand.length - 1), grainOf(demand));
}

/** The last day's figure, with the differences between days so far apart as its spread. */
export function naive(series: Series, origin: number, ahead: number): Distribution {
  return lagged(series, origin, ahead, 1);
}

/** The figure of the same weekday a week before, with the differences of weeks as its spread. */
export function seasonalNaive(series: Series, origin: number, ahead: number): Distribution {
  return lagged(series, origin, ahead, 7);
}

function lagged(series: Series, origin: number, ahead: number, season: number): Distribution {
  const known = new Set(knownDays(series, origin));
  const lag = season * Math.ceil(ahead / season);
  const target = origin + ahead - 1;
  let last = target - lag;
  while (last >= 0 && !known.has(last)) last -= season;
  const base = series.sold[last] ?? 0;
  const seen = [...known]
    .filter((day) => known.has(day - lag))
    .map((day) => ({
      value: base + (series.sold[day] ?? 0) - (series.sold[day - lag] ?? 0),
      weight: 1,
    }));
  return weighted(seen.length > 0 ? seen : [{ value: base, weight: 1 }]);
}
