/** What a cell will sell in the next hours and days, as a record with intervals. Pure. */
import type { Forecast, ForecastStep } from '../../schemas/types.ts';
import {
  atMost,
  counted,
  type Distribution,
  meanOf,
  quantile,
  varianceOf,
} from './distribution.ts';
import type { PooledForecast } from './pooled.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const hoursAhead = 24;
export const daysAhead = 14;
/** Below this much history the SKU's other locations say nearly all there is to say. */
const poorDays = 14;

/** Units now, thousandths. */
export type Position = {
  readonly onHand: number;
  readonly available: number;
  /** On order and on the way. */
  readonly incoming: number;
};

export type CellHistory = {
  readonly sku: string;
  readonly location: string;
  readonly historyDays: number;
  readonly stockOutDays: number;
  /** The smallest step of a quantity in units: 1 for pieces. */
  readonly grain: number;
  /** Share of a day's sales in each of its 24 hours, UTC. */
  readonly hours: readonly number[];
};

/** `from`: midnight UTC; the first hour and the first day begin there. */
export function outlookOf(
  cell: CellHistory,
  made: PooledForecast,
  position: Position,
  times: { readonly madeAt: number; readonly from: number },
): Forecast {
  const { sku, location, historyDays, stockOutDays, grain } = cell;
  const days = Array.from({ length: daysAhead }, (_, day) => made.ahead(day + 1));
  const demand = totals(days, grain);
  const runOut = demand.findIndex((total) => atMost(total, unitsOf(position.available)) < 0.5);
  const last = demand.at(-1);
  const inTime = unitsOf(position.available + position.incoming);
  return {
    sku,
    location,
    ...times,
    method: historyDays < poorDays ? 'poor' : made.recipe.shape,
    historyDays,
    stockOutDays,
    dailyDemand: thousandthsOf(made.level),
    steps: [
      ...hoursOf(cell, days[0], times.from),
      ...days.map((day, index) => stepOf(day, times.from + index * dayMs, 24)),
    ],
    stockOutAt: runOut < 0 ? null : times.from + runOut * dayMs,
    stockOutProbability: last === undefined ? 0 : 1 - atMost(last, inTime),
  };
}

/** Demand of the first day, of the first two, and so on: days are taken as independent. */
function totals(days: readonly Distribution[], grain: number): readonly Distribution[] {
  let mean = 0;
  let variance = 0;
  return days.map((day) => {
    mean += meanOf(day);
    variance += varianceOf(day);
    return counted(mean, variance, grain);
  });
}

function hoursOf(
  { hours, grain }: CellHistory,
  day: Distribution | undefined,
  from: number,
): readonly ForecastStep[] {
  if (day === undefined) return [];
  const mean = meanOf(day);
  const ratio = mean > 0 ? varianceOf(day) / mean : 1;
  return Array.from({ length: hoursAhead }, (_, hour) => {
    const expected = mean * (hours[hour] ?? 0);
    return stepOf(counted(expected, expected * ratio, grain), from + hour * hourMs, 1);
  });
}

function stepOf(told: Distribution, start: number, hours: number): ForecastStep {
  const at = (level: number): number => thousandthsOf(quantile(told, level));
  return {
    start,
    hours,
    expected: thousandthsOf(meanOf(told)),
    lower95: at(0.025),
    lower90: at(0.05),
    lower80: at(0.1),
    median: at(0.5),
    upper80: at(0.9),
    upper90: at(0.95),
    upper95: at(0.975),
  };
}

const unitsOf = (thousandths: number): number => thousandths / 1_000;
const thousandthsOf = (units: number): number => Math.round(units * 1_000);
