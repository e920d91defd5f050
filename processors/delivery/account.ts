/**
 * The state of one marketplace account: what each listing is wanted to show, what it shows, and who is next. Everything
 * here is a function of what was offered, what came of the calls, and the times that were given: no clock, no I/O.
 */
import type { Bulk, BulkLimits, Call, Limits, MarketplaceKind } from './calls.ts';
import { type Figure, wholeUnits } from './figure.ts';
import { decodeListing, encodeListing, type Listing, newListing } from './listing.ts';
import { type Bucket, bucketOf } from './quota.ts';
import { type WaitQueue, waitQueue } from './wait-queue.ts';

/** Sold-out first, then what is nearly so or back again, then the rest. */
export type Urgency = 'soldOut' | 'low' | 'rest';
export const urgencies: readonly Urgency[] = ['soldOut', 'low', 'rest'];

/** Why a listing is read back: an answer was lost, and nothing goes to it until then; or it is one of a sample. */
export type Reading = 'lost' | 'sampled';
export const readings: readonly Reading[] = ['lost', 'sampled'];

export type Place = {
  listing: Listing;
  wanted: Figure | undefined;
  wantedSinceMs: number;
  /** It was seen to show something else than it was told: it is told again. */
  repair: boolean;
};

export type Account = {
  readonly id: string;
  readonly kind: MarketplaceKind;
  readonly channel: string;
  readonly limits: Limits;
  readonly places: Map<string, Place>;
  /** SKUs that may be sent, in the order in which they began to wait. */
  readonly ready: Readonly<Record<Urgency, Set<string>>>;
  /** SKUs that wait for a time: to be tried again, to be settled, to be allowed again. */
  readonly waiting: WaitQueue;
  /** SKUs to be read back. */
  readonly reads: Readonly<Record<Reading, Set<string>>>;
  readonly buckets: { readonly write: Bucket; readonly read: Bucket; readonly bulk: Bucket };
  /** Calls that have not ended. */
  readonly underWay: Map<string, Call>;
  bulk: { readonly bulk: Bulk; nextLookMs: number; readonly skus: Set<string> } | undefined;
  nextBulkCheckMs: number;
  /** The marketplace wants no calls until then. */
  closedUntilMs: number;
  failuresInARow: number;
  callsMade: number;
  /** Keys whose durable form has changed since it was last taken. */
  readonly changed: Set<string>;
};

const noBulk = { calls: 0, perMs: 1, burst: 0 };
const bulkKey = '\u0001bulk';
const callsKey = '\u0001calls';

/** Takes up an account with what was kept of it; empty for a new one. */
export function openAccount(
  of: Pick<Account, 'id' | 'kind' | 'channel' | 'limits'>,
  kept: ReadonlyMap<string, string>,
  nowMs: number,
): Account {
  const isNew = kept.size === 0;
  const bucket = (quota: Limits['read']) => bucketOf(quota, nowMs, isNew ? quota.burst : 0);
  const account: Account = {
    ...of,
    places: new Map(),
    ready: { soldOut: new Set(), low: new Set(), rest: new Set() },
    waiting: waitQueue(),
    reads: { lost: new Set(), sampled: new Set() },
    buckets: {
      write: bucket(of.limits.write.quota),
      read: bucket(of.limits.read),
      bulk: bucket(of.limits.bulk?.quota ?? noBulk),
    },
    underWay: new Map(),
    bulk: undefined,
    nextBulkCheckMs: nowMs,
    closedUntilMs: 0,
    failuresInARow: 0,
    callsMade: Number(kept.get(callsKey) ?? 0),
    changed: new Set(),
  };
  const keptBulk = kept.get(bulkKey);
  const bulk = keptBulk === undefined ? undefined : (JSON.parse(keptBulk) as Bulk);
  if (bulk !== undefined) account.bulk = { bulk, nextLookMs: nowMs, skus: new Set() };
  for (const [sku, text] of kept) {
    if (sku === bulkKey || sku === callsKey) continue;
    takeUp(account, sku, decodeListing(text), nowMs);
  }
  return account;
}

/** What was under way when an earlier process ended has an unknown outcome, and its time begins now. */
function takeUp(account: Account, sku: string, kept: Listing, nowMs: number): void {
  const sent = kept.sent;
  const inBulk = sent !== null && sent.call === account.bulk?.bulk.call;
  const listing: Listing =
    sent === null || inBulk ? kept : { ...kept, sent: { ...sent, state: 'unknown', atMs: nowMs } };
  account.places.set(sku, { listing, wanted: undefined, wantedSinceMs: nowMs, repair: false });
  if (inBulk) account.bulk?.skus.add(sku);
  else if (sent !== null) account.waiting.put(sku, nowMs + account.limits.settleMs);
}

/** A new figure of the channel. Older ones than the newest known change nothing. */
export function offer(account: Account, figure: Figure, nowMs: number): void {
  const place = placeOf(account, figure.sku, nowMs);
  if (place.wanted !== undefined && figure.sequence <= place.wanted.sequence) return;
  place.wanted = figure;
  place.wantedSinceMs = nowMs;
  route(account, figure.sku);
}

function placeOf(account: Account, sku: string, nowMs: number): Place {
  const known = account.places.get(sku);
  if (known !== undefined) return known;
  const place: Place = {
    listing: newListing,
    wanted: undefined,
    wantedSinceMs: nowMs,
    repair: false,
  };
  account.places.set(sku, place);
  return place;
}

/** Puts a SKU where it belongs now: among those that may be sent, or nowhere. Those that wait for a time go on waiting. */
export function route(account: Account, sku: string): void {
  const place = account.places.get(sku) as Place;
  const urgency = urgencyOf(account, sku, place);
  for (const one of urgencies) {
    if (one === urgency) account.ready[one].add(sku);
    else account.ready[one].delete(sku);
  }
  if (urgency !== undefined) account.waiting.remove(sku);
}

function urgencyOf(account: Account, sku: string, place: Place): Urgency | undefined {
  const { listing, wanted, repair } = place;
  if (wanted === undefined || wanted.sequence === listing.refused) return undefined;
  const { confirmed, sent } = listing;
  if (confirmed !== null && wanted.sequence < confirmed.sequence) return undefined;
  if (confirmed !== null && wanted.sequence === confirmed.sequence && !repair) return undefined;
  const units = wholeUnits(wanted.sellable);
  if (sent !== null) return mayOvertake(account, listing, units) ? 'soldOut' : undefined;
  if (listing.attempts > 0 && account.waiting.has(sku) && !(units === 0 && listing.attempts < 2)) {
    return undefined;
  }
  if (confirmed?.units === units && !repair) {
    // It shows this already: no call is spent on it.
    setListing(account, sku, { ...listing, confirmed: { sequence: wanted.sequence, units } });
    return undefined;
  }
  if (units === 0) return 'soldOut';
  const risk = account.limits.bulk?.riskUnits ?? 0;
  return confirmed !== null && (confirmed.units === 0 || units <= risk) ? 'low' : 'rest';
}

/** A sold-out may pass a bulk that holds its SKU, where the installation wants it so. */
function mayOvertake(account: Account, { sent }: Listing, units: number): boolean {
  const bulk = account.limits.bulk as BulkLimits | null;
  return bulk?.overtake === true && sent?.state === 'queued' && units === 0 && sent.units > 0;
}

/** The figure that reading back now can tell something of; 0: none. */
export function sequenceRead({ listing }: Place): number {
  if (listing.sent !== null) return listing.sent.state === 'unknown' ? listing.sent.sequence : 0;
  return listing.confirmed?.sequence ?? 0;
}

export function setListing(account: Account, sku: string, listing: Listing): void {
  (account.places.get(sku) as Place).listing = listing;
  account.changed.add(sku);
}

export function setBulk(account: Account, bulk: Account['bulk']): void {
  account.bulk = bulk;
  account.changed.add(bulkKey);
}

export function nextCallId(account: Account): string {
  account.callsMade += 1;
  account.changed.add(callsKey);
  return `${account.id}-${account.callsMade}`;
}

/** The durable form of what has changed; undefined deletes. To be written before the planned calls are made. */
export function takeChanges(
  account: Account,
): readonly (readonly [key: string, value: string | undefined])[] {
  const changes = [...account.changed].map((key): readonly [string, string | undefined] => {
    if (key === callsKey) return [key, String(account.callsMade)];
    if (key === bulkKey) {
      return [key, account.bulk === undefined ? undefined : JSON.stringify(account.bulk.bulk)];
    }
    return [key, encodeListing((account.places.get(key) as Place).listing)];
  });
  account.changed.clear();
  return changes;
}

/** SKUs whose newest figure is not confirmed. */
export function pendingCount(account: Account): number {
  let pending = 0;
  for (const { listing, wanted } of account.places.values()) {
    if (wanted === undefined || wanted.sequence === listing.refused) continue;
    if (wanted.sequence > (listing.confirmed?.sequence ?? 0)) pending += 1;
  }
  return pending;
}
