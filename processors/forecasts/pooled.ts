/** Our own method: a cell learns from the SKU's other locations and the location's other SKUs. Pure. */
import { counted, type Distribution, pinball, quantile, weighted } from './distribution.ts';
import { grainOf, knownDays, type Panel, type Series } from './panel.ts';

/** How a SKU is forecast; chosen by how well it would have told the days before the origin. */
export type Recipe = {
  /** Days after which a day counts half. */
  readonly halfLife: number;
  /** The SKU's level elsewhere counts as so many days of the cell's own. */
  readonly priorDays: number;
  /** seasonal: level × weekday, negative binomial. seen: the days of the SKU at all its locations as they were. */
  readonly shape: 'seasonal' | 'seen';
};

const recipes: readonly Recipe[] = [14, 45, 365].flatMap((halfLife) =>
  [5, 60].flatMap((priorDays) =>
    (['seasonal', 'seen'] as const).map((shape) => ({ halfLife, priorDays, shape })),
  ),
);

const validationDays = 14;
const judgedLevels = [0.1, 0.5, 0.9, 0.95];
/** Weekdays of a SKU are believed when it has sold so many units. */
const weekdayUnits = 40;
/** A SKU's own spread is believed after so many days. */
const spreadDays = 60;

export type PooledForecast = {
  readonly recipe: Recipe;
  /** Units per day without the season of the week. */
  readonly level: number;
  readonly ahead: (days: number) => Distribution;
};

/** Forecasts of every series of the panel, from what was known before `origin` alone; the key is its place. */
export function pooledForecasts(panel: Panel, origin: number): readonly PooledForecast[] {
  const bySku = groupBySku(panel);
  const context = contextOf(panel, origin);
  const earlier = contextOf(panel, Math.max(0, origin - validationDays));
  const result: PooledForecast[] = [];
  for (const indices of bySku.values()) {
    const group = indices.map((index) => panel.series[index] as Series);
    const recipe = bestRecipe(group, earlier, origin);
    const made = forecastSku(group, context, recipe);
    indices.forEach((index, place) => {
      result[index] = made[place] as PooledForecast;
    });
  }
  return result;
}

function groupBySku(panel: Panel): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  panel.series.forEach(({ sku }, index) => {
    const group = groups.get(sku);
    if (group === undefined) groups.set(sku, [index]);
    else group.push(index);
  });
  return groups;
}

type Context = {
  readonly origin: number;
  readonly firstWeekday: number;
  /** How much more than the average is sold at a location and on a weekday, over all SKUs. */
  readonly places: ReadonlyMap<string, number>;
  readonly weekdays: readonly number[];
};

function contextOf({ series, firstWeekday }: Panel, origin: number): Context {
  const byPlace = new Map<string, number>();
  const weekdays = new Array<number>(7).fill(0);
  const counts = new Array<number>(7).fill(0);
  let total = 0;
  for (const one of series) {
    for (const day of knownDays(one, origin)) {
      const units = Math.max(0, one.sold[day] ?? 0);
      const weekday = (firstWeekday + day) % 7;
      weekdays[weekday] = (weekdays[weekday] ?? 0) + units;
      counts[weekday] = (counts[weekday] ?? 0) + 1;
      byPlace.set(one.location, (byPlace.get(one.location) ?? 0) + units);
      total += units;
    }
  }
  const days = counts.reduce((sum, count) => sum + count, 0);
  const average = total / Math.max(1, byPlace.size);
  return {
    origin,
    firstWeekday,
    places: new Map([...byPlace].map(([place, units]) => [place, (units + 1) / (average + 1)])),
    weekdays: weekdays.map(
      (units, weekday) =>
        (units + 1) / (((total + 7) * (counts[weekday] ?? 0)) / Math.max(1, days) + 1e-9),
    ),
  };
}

function bestRecipe(group: readonly Series[], earlier: Context, origin: number): Recipe {
  const fallback = recipes[4] as Recipe;
  if (earlier.origin < validationDays) return fallback;
  let best = fallback;
  let bestLoss = Number.POSITIVE_INFINITY;
  for (const recipe of recipes) {
    const loss = lossOf(group, forecastSku(group, earlier, recipe), earlier.origin, origin);
    if (loss < bestLoss - 1e-12) {
      best = recipe;
      bestLoss = loss;
    }
  }
  return best;
}

function lossOf(
  group: readonly Series[],
  made: readonly PooledForecast[],
  from: number,
  until: number,
): number {
  let loss = 0;
  group.forEach((series, place) => {
    for (let day = from; day < until; day++) {
      if (series.stocked[day] === false) continue;
      const told = made[place]?.ahead(day - from + 1);
      if (told === undefined) continue;
      for (const level of judgedLevels) {
        loss += pinball(quantile(told, level), series.sold[day] ?? 0, level);
      }
    }
  });
  return loss;
}

/** One SKU at all its locations. */
function forecastSku(
  group: readonly Series[],
  context: Context,
  recipe: Recipe,
): readonly PooledForecast[] {
  const { origin, firstWeekday } = context;
  const weightOf = (day: number): number => 0.5 ** ((origin - day) / recipe.halfLife);
  const known = group.map((series) => knownDays(series, origin));
  const weekdays = weekdaysOf(group, known, context);
  const factor = (day: number): number => weekdays[(firstWeekday + day) % 7] ?? 1;
  const place = (series: Series): number => context.places.get(series.location) ?? 1;
  let skuUnits = 0;
  let skuDays = 0;
  const own = group.map((series, index) => {
    let units = 0;
    let days = 0;
    for (const day of known[index] ?? []) {
      units += weightOf(day) * Math.max(0, series.sold[day] ?? 0);
      days += weightOf(day) * factor(day);
    }
    skuUnits += units;
    skuDays += days * place(series);
    return { units, days };
  });
  const rate = skuUnits / Math.max(1e-9, skuDays);
  const levels = own.map(({ units, days }, index) => {
    const prior = rate * place(group[index] as Series);
    return (units + recipe.priorDays * prior) / (days + recipe.priorDays);
  });
  const shapes = shapesOf(group, known, levels, factor, recipe, weightOf);
  return group.map((_, index) => ({
    recipe,
    level: levels[index] ?? 0,
    ahead: (days) => shapes(index, origin + days - 1),
  }));
}

/** Weekday factors of a SKU, drawn towards those of all SKUs while it has sold little. */
function weekdaysOf(
  group: readonly Series[],
  known: readonly (readonly number[])[],
  { firstWeekday, weekdays }: Context,
): readonly number[] {
  const sold = new Array<number>(7).fill(0);
  const counts = new Array<number>(7).fill(0);
  group.forEach((series, index) => {
    for (const day of known[index] ?? []) {
      const weekday = (firstWeekday + day) % 7;
      sold[weekday] = (sold[weekday] ?? 0) + Math.max(0, series.sold[day] ?? 0);
      counts[weekday] = (counts[weekday] ?? 0) + 1;
    }
  });
  const total = sold.reduce((sum, units) => sum + units, 0);
  const days = counts.reduce((sum, count) => sum + count, 0);
  return weekdays.map((common, weekday) => {
    const even = (total * (counts[weekday] ?? 0)) / Math.max(1, days);
    return ((sold[weekday] ?? 0) + weekdayUnits * common) / (even + weekdayUnits);
  });
}

function shapesOf(
  group: readonly Series[],
  known: readonly (readonly number[])[],
  levels: readonly number[],
  factor: (day: number) => number,
  recipe: Recipe,
  weightOf: (day: number) => number,
): (index: number, day: number) => Distribution {
  const made = new Map<string, Distribution>();
  const once = (key: string, make: () => Distribution): Distribution => {
    const before = made.get(key);
    if (before !== undefined) return before;
    const now = make();
    made.set(key, now);
    return now;
  };
  if (recipe.shape === 'seen') {
    const pooled = group.map((series, index) =>
      (known[index] ?? []).map((day) => ({
        value: series.sold[day] ?? 0,
        weight: weightOf(day),
      })),
    );
    return (index) =>
      once(String(index), () => {
        const share =
          recipe.priorDays / Math.max(1, recipe.priorDays + (known[index]?.length ?? 0));
        return weighted(
          pooled.flatMap((days, other) =>
            other === index
              ? days
              : days.map(({ value, weight }) => ({ value, weight: weight * share })),
          ),
        );
      });
  }
  let squares = spreadDays;
  let expected = spreadDays;
  group.forEach((series, index) => {
    for (const day of known[index] ?? []) {
      const mean = (levels[index] ?? 0) * factor(day);
      squares += (Math.max(0, series.sold[day] ?? 0) - mean) ** 2;
      expected += mean;
    }
  });
  const ratio = squares / expected;
  const grain = grainOf(
    group.flatMap((series, index) => (known[index] ?? []).map((day) => series.sold[day] ?? 0)),
  );
  return (index, day) => {
    const mean = (levels[index] ?? 0) * factor(day);
    return once(`${index} ${factor(day)}`, () => counted(mean, ratio * mean, grain));
  };
}
