/**
 * The history of a cell: a multiset of dated quantities, kept per UTC day. What a count leaves standing is the sum of
 * what lies after it, so nothing depends on the order in which the quantities arrived.
 */

/** Where a dated quantity or a count stands: business time, then the order within its system. */
export type Place = { readonly at: number; readonly system: string; readonly order: string };

/** Quantities of one day in thousandths, by `placeKey`. */
export type HistoryDay = Readonly<Record<string, number>>;

const dayMs = 86_400_000;

export function dayOf(at: number): number {
  return Math.floor(at / dayMs);
}

export function placeKey(place: Place): string {
  return `${place.at}~${place.system}~${place.order}`;
}

export function parsePlace(key: string): Place {
  const [at = '', system = '', order = ''] = key.split('~');
  return { at: Number(at), system, order };
}

/**
 * Does `place` lie after the count at `count`? Within one system the position orders equal times; across systems
 * a tie puts the movement after the count.
 */
export function isAfter(place: Place, count: Place): boolean {
  if (place.at !== count.at) return place.at > count.at;
  return place.system !== count.system || place.order > count.order;
}

/** The day with `quantity` added at `place`; undefined when nothing is left of the day. */
export function addToDay(
  day: HistoryDay | undefined,
  place: Place,
  quantity: number,
): HistoryDay | undefined {
  const key = placeKey(place);
  const sum = (day?.[key] ?? 0) + quantity;
  const { [key]: _replaced, ...others } = day ?? {};
  const next = sum === 0 ? others : { ...others, [key]: sum };
  return Object.keys(next).length === 0 ? undefined : next;
}

/** The sum of a day's quantities that lie after the count. */
export function sumAfter(day: HistoryDay, count: Place): number {
  let sum = 0;
  for (const [key, quantity] of Object.entries(day)) {
    if (isAfter(parsePlace(key), count)) sum += quantity;
  }
  return sum;
}

/** The sum of a whole day. */
export function sumOfDay(day: HistoryDay): number {
  let sum = 0;
  for (const quantity of Object.values(day)) sum += quantity;
  return sum;
}
