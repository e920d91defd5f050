/** Physical counts of a cell. All are kept; the latest in business time anchors the stock. */
import type { Place } from './history.ts';

/** What was counted, in thousandths, and when. */
export type Counted = Place & { readonly quantity: number };

export type Count = Counted & {
  /**
   * How often it was asserted more than retracted. A retraction that arrives before its assertion leaves -1 and
   * meets it later, so the order of the two does not matter.
   */
  readonly standing: number;
  /** How much of `standing` the opening balance contains already; absent for nothing. */
  readonly contained?: number;
};

/** Is the figure the count's? One that the opening balance contains only bounds what lies before it. */
export const isNews = (anchor: Count | undefined): anchor is Count =>
  anchor !== undefined && anchor.standing > (anchor.contained ?? 0);

/** The counts after one assertion (`by` 1) or retraction (`by` -1). */
export function withCount(
  counts: readonly Count[],
  count: Counted,
  by: 1 | -1,
  told: 'news' | 'contained' = 'news',
): readonly Count[] {
  const same = (one: Count): boolean =>
    one.at === count.at &&
    one.system === count.system &&
    one.order === count.order &&
    one.quantity === count.quantity;
  const known = counts.find(same);
  const standing = (known?.standing ?? 0) + by;
  const contained = (known?.contained ?? 0) + (told === 'contained' ? by : 0);
  const others = counts.filter((one) => !same(one));
  if (contained !== 0) return [...others, { ...count, standing, contained }];
  return standing === 0 ? others : [...others, { ...count, standing }];
}

/** The count that anchors: the latest by business time, then by position. */
export function latestCount(counts: readonly Count[]): Count | undefined {
  let latest: Count | undefined;
  for (const count of counts) {
    if (count.standing > 0 && (latest === undefined || isLater(count, latest))) latest = count;
  }
  return latest;
}

function isLater(one: Count, other: Count): boolean {
  if (one.at !== other.at) return one.at > other.at;
  if (one.order !== other.order) return one.order > other.order;
  if (one.system !== other.system) return one.system > other.system;
  return one.quantity > other.quantity;
}
