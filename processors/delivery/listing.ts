/** What is known of one SKU at one marketplace account: kept durably, so that a restart knows what was sent and what is confirmed. */

export type Mark = { readonly sequence: number; readonly units: number };

/** A figure that left us and of which it is not known yet what came. */
export type Sent = Mark & {
  readonly atMs: number;
  readonly call: string;
  /**
   * underWay: its call has not ended. queued: the marketplace took it and will do it later. unknown: the call ended
   * without an answer, so it may have been done, or may still be.
   */
  readonly state: 'underWay' | 'queued' | 'unknown';
};

export type Listing = {
  /**
   * The newest figure that the marketplace confirmed; null: none yet. Its sequence only ever grows. Units of null: a
   * later figure left and nobody knows whether it was done, so what the listing shows is not known.
   */
  readonly confirmed: { readonly sequence: number; readonly units: number | null } | null;
  readonly sent: Sent | null;
  /** Failed attempts since the last success. */
  readonly attempts: number;
  /** Sequence of a figure that the marketplace refused for good; 0: none. */
  readonly refused: number;
  /** Revisions by hour since the epoch, for the last day only. */
  readonly revisions: readonly (readonly [hour: number, count: number])[];
  readonly lastRevisionMs: number;
};

export const newListing: Listing = {
  confirmed: null,
  sent: null,
  attempts: 0,
  refused: 0,
  revisions: [],
  lastRevisionMs: 0,
};

/** Gives a figure up of which it is not known whether it was done: whatever is wanted next has to be sent. */
export function withoutUnknown(listing: Listing): Listing {
  const { confirmed } = listing;
  return { ...listing, sent: null, confirmed: confirmed && { ...confirmed, units: null } };
}

const hourMs = 3_600_000;
/** One more than a day has, so that any 24 hours are in, whatever time zone the marketplace's day is of. */
const hoursCounted = 25;

export function revisionsOfADay(listing: Listing, nowMs: number): number {
  const from = Math.floor(nowMs / hourMs) - hoursCounted + 1;
  return listing.revisions.reduce((sum, [hour, count]) => (hour >= from ? sum + count : sum), 0);
}

/** When the oldest counted hour has gone, and with it its revisions. */
export function revisionsFreedMs(listing: Listing, nowMs: number): number {
  const from = Math.floor(nowMs / hourMs) - hoursCounted + 1;
  const oldest = listing.revisions.find(([hour]) => hour >= from)?.[0];
  return oldest === undefined ? nowMs : (oldest + hoursCounted) * hourMs;
}

export function withRevision(listing: Listing, nowMs: number): Listing {
  const hour = Math.floor(nowMs / hourMs);
  const kept = listing.revisions.filter(([one]) => one > hour - hoursCounted);
  const last = kept.at(-1);
  const revisions =
    last?.[0] === hour
      ? [...kept.slice(0, -1), [hour, last[1] + 1] as const]
      : [...kept, [hour, 1] as const];
  return { ...listing, revisions, lastRevisionMs: nowMs };
}

export function encodeListing(listing: Listing): string {
  return JSON.stringify(listing);
}

export function decodeListing(text: string): Listing {
  return JSON.parse(text) as Listing;
}
