/**
 * The history of a cell: a multiset of dated quantities, kept in pages by time so that one quantity never moves many.
 * What a count leaves standing is the sum of what lies after it, so nothing depends on the order in which the
 * quantities arrived.
 */

/** Where a dated quantity or a count stands: business time, then the order within its system. */
export type Place = { readonly at: number; readonly system: string; readonly order: string };

/**
 * Time, system, order, quantity in thousandths, and what of this place the opening balance contains already; absent for
 * nothing. A tuple: the state holds many of them.
 */
export type Dated = readonly [
  at: number,
  system: string,
  order: string,
  quantity: number,
  contained?: number,
];
/** What lies between two times; the first page of a cell has also what lies before it. */
export type HistoryPage = readonly Dated[];

const pagePlacesMax = 64;

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

/** The page to which something of this time belongs, by its place in `starts`. */
export function pageAt(starts: readonly number[], at: number): number {
  let place = starts.length - 1;
  while (place > 0 && (starts[place] as number) > at) place -= 1;
  return Math.max(0, place);
}

/** The page with quantities added at `place`; what sums up to nothing is taken out. */
export function addToPage(
  page: HistoryPage,
  place: Place,
  quantity: number,
  contained = 0,
): HistoryPage {
  const { at, system, order } = place;
  const known = page.findIndex(
    (dated) => dated[0] === at && dated[2] === order && dated[1] === system,
  );
  if (known < 0) return [...page, dated(place, quantity, contained)];
  const [, , , knownQuantity, knownContained = 0] = page[known] as Dated;
  const sum = dated(place, knownQuantity + quantity, knownContained + contained);
  return sum[3] === 0 && sum[4] === undefined ? page.toSpliced(known, 1) : page.with(known, sum);
}

function dated({ at, system, order }: Place, quantity: number, contained: number): Dated {
  return contained === 0 ? [at, system, order, quantity] : [at, system, order, quantity, contained];
}

/**
 * A page that has become too large, as two: the earlier one keeps its start, `start` is that of the later one.
 * Undefined while it is small enough, or where all of it has one time.
 */
export function splitPage(
  page: HistoryPage,
):
  | { readonly start: number; readonly earlier: HistoryPage; readonly later: HistoryPage }
  | undefined {
  if (page.length <= pagePlacesMax) return undefined;
  const times = page.map(([at]) => at).sort((one, other) => one - other);
  const last = times.at(-1) as number;
  const middle = times[times.length >> 1] as number;
  // Mostly time goes on: then the full page stays as it is and the newest begins the next one.
  const start =
    last > (times.at(-2) as number) ? last : middle > (times[0] as number) ? middle : last;
  const earlier = page.filter(([at]) => at < start);
  return earlier.length === 0
    ? undefined
    : { start, earlier, later: page.filter(([at]) => at >= start) };
}

/** A base that does not have what the opening balance contains, such as a count: then that has to be added too. */
type Summed = { readonly withContained: boolean };

/** The sum of a page's quantities that lie after the count. */
export function sumAfter(page: HistoryPage, count: Place, { withContained }: Summed): number {
  let sum = 0;
  for (const [at, system, order, quantity, contained = 0] of page) {
    if (!isAfter({ at, system, order }, count)) continue;
    sum += withContained ? quantity + contained : quantity;
  }
  return sum;
}

/** The sum of a whole page. */
export function sumOfPage(page: HistoryPage, { withContained }: Summed): number {
  let sum = 0;
  for (const [, , , quantity, contained = 0] of page) {
    sum += withContained ? quantity + contained : quantity;
  }
  return sum;
}
