/** Daily sales of many cells side by side: what every method reads. */

export type Series = {
  readonly sku: string;
  readonly location: string;
  /** Units per day; the same index is the same day in each series of a panel. */
  readonly sold: readonly number[];
  /** False: nothing was there to sell, so that a low figure says nothing of demand. */
  readonly stocked: readonly boolean[];
};

export type Panel = {
  /** Weekday of day 0: 0 is Sunday. */
  readonly firstWeekday: number;
  readonly series: readonly Series[];
};

/** The days before `origin` on which there was stock, or something was sold all the same. */
export function knownDays(series: Series, origin: number): readonly number[] {
  const days: number[] = [];
  for (let day = 0; day < Math.min(origin, series.sold.length); day++) {
    if (series.stocked[day] !== false) days.push(day);
  }
  return days;
}

/** Demand that was seen before `origin`; days without stock are left out, not 0. */
export function knownDemand(series: Series, origin: number): readonly number[] {
  return knownDays(series, origin).map((day) => Math.max(0, series.sold[day] ?? 0));
}

/** The step in which an article is sold: 1 for pieces, 0.1 for what is weighed. */
export function grainOf(demand: readonly number[]): number {
  return demand.every((units) => Number.isInteger(units)) ? 1 : 0.1;
}
