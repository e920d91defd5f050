/**
 * The same sale told twice: by the till at once, by the ERP when it posts. The till's effects stand at their own
 * times; the ERP adds only the remainder that the till has not told.
 */
import { type Place, parsePlace, placeKey } from './history.ts';

export type EchoGroup = {
  /** The till's quantities by place, in thousandths. */
  readonly till: Readonly<Record<string, number>>;
  /** How many of the ERP's lines state each place. */
  readonly postingPlaces: Readonly<Record<string, number>>;
  /** What the ERP posted, in thousandths. */
  readonly posted: number;
  readonly lines: number;
  readonly completeLines: number;
  /** What the group adds to the history beside the till's effects, and where. */
  readonly remainder: { readonly place: Place; readonly quantity: number } | null;
};

export const emptyGroup: EchoGroup = {
  till: {},
  postingPlaces: {},
  posted: 0,
  lines: 0,
  completeLines: 0,
  remainder: null,
};

export type EchoRule = 'supersede' | 'max';

/** Which figure of onHand holds at a location: counts and movements, or the ERP's balance. */
export type Authority = 'ledger' | 'balance';

export function withTill(group: EchoGroup, place: Place, quantity: number): EchoGroup {
  return { ...group, till: addTo(group.till, placeKey(place), quantity) };
}

export function withPosting(
  group: EchoGroup,
  place: Place,
  posting: {
    readonly quantity: number;
    readonly asserted: boolean;
    readonly complete: boolean;
  },
): EchoGroup {
  const by = posting.asserted ? 1 : -1;
  return {
    ...group,
    posted: group.posted + posting.quantity,
    lines: group.lines + by,
    completeLines: group.completeLines + (posting.complete ? by : 0),
    postingPlaces: addTo(group.postingPlaces, placeKey(place), by),
  };
}

function addTo(
  sums: Readonly<Record<string, number>>,
  key: string,
  by: number,
): Readonly<Record<string, number>> {
  const sum = (sums[key] ?? 0) + by;
  if (sum !== 0) return { ...sums, [key]: sum };
  const { [key]: _gone, ...others } = sums;
  return others;
}

export function tillSum(group: EchoGroup): number {
  return Object.values(group.till).reduce((sum, quantity) => sum + quantity, 0);
}

/** The quantity that holds: the ERP's once its document is complete, under `max` and until then the larger one. */
function winner(group: EchoGroup, rule: EchoRule): number {
  const till = tillSum(group);
  if (group.lines === 0) return till;
  if (rule === 'supersede' && isPosted(group)) return group.posted;
  return Math.abs(group.posted) > Math.abs(till) ? group.posted : till;
}

/** True when the ERP has told all of it. */
export function isPosted(group: EchoGroup): boolean {
  return group.lines > 0 && group.completeLines === group.lines;
}

/**
 * What the group has to add beside the till's own effects: at its last till effect, else at the posting's own time.
 * Where the ERP's balance is the figure, what it has posted is in that balance: only the rest is pending on top.
 */
export function remainderOf(
  group: EchoGroup,
  rule: EchoRule,
  authority: Authority = 'ledger',
): EchoGroup['remainder'] {
  const known = authority === 'balance' ? group.posted : 0;
  const quantity = winner(group, rule) - tillSum(group) - known;
  const place = lastPlace(group.till) ?? lastPlace(group.postingPlaces);
  return quantity === 0 || place === undefined ? null : { place, quantity };
}

/** Do the till and the ERP, when it has told all, differ by more than the tolerance? */
export function isMismatched(group: EchoGroup, tolerance: number): boolean {
  if (!isPosted(group) || Object.keys(group.till).length === 0) return false;
  return Math.abs(group.posted - tillSum(group)) > tolerance;
}

function lastPlace(places: Readonly<Record<string, number>>): Place | undefined {
  let last: Place | undefined;
  for (const key of Object.keys(places)) {
    const place = parsePlace(key);
    if (last === undefined || isLaterPlace(place, last)) last = place;
  }
  return last;
}

function isLaterPlace(one: Place, other: Place): boolean {
  if (one.at !== other.at) return one.at > other.at;
  if (one.order !== other.order) return one.order > other.order;
  return one.system > other.system;
}
