/**
 * Which calls a marketplace account makes now: sold-outs first, never more than its quotas allow, never more revisions
 * of a listing than it has left. What is planned is marked as sent; it has to be kept durably before it is called.
 */
import {
  type Account,
  nextCallId,
  type Place,
  readings,
  route,
  sequenceRead,
  setBulk,
  setListing,
  urgencies,
} from './account.ts';
import type { BulkLimits, Call, Item } from './calls.ts';
import { type Figure, wholeUnits } from './figure.ts';
import {
  revisionsFreedMs,
  revisionsOfADay,
  type Sent,
  withoutUnknown,
  withRevision,
} from './listing.ts';
import { nextTokenMs, take } from './quota.ts';

/** This share of a burst is left for sold-outs. */
const reserveShare = 0.25;
/** Ordinary revisions of a listing may use this share of the day's, back-in-stock and low ones that. */
const ordinaryShare = 0.8;
const lowShare = 0.95;
/** So many ordinary revisions need no pause between them. */
const unpaced = 24;
const dayMs = 86_400_000;
/** Sold-outs that writing at once works off within this stay out of bulk. */
const soonMs = 5_000;
const bulkCheckMs = 250;

export function plan(account: Account, nowMs: number): readonly Call[] {
  for (let sku = account.waiting.takeDue(nowMs); sku !== undefined; ) {
    wake(account, sku, nowMs);
    sku = account.waiting.takeDue(nowMs);
  }
  if (nowMs < account.closedUntilMs) return [];
  return [...planWrites(account, nowMs), ...planBulk(account, nowMs), ...planReads(account, nowMs)];
}

/** When there may be something to plan without anything new: at once, or never (Infinity). */
export function nextPlanMs(account: Account, nowMs: number): number {
  const { ready, buckets, limits } = account;
  const reserve = limits.write.quota.burst * reserveShare;
  const canWrite = writesUnderWay(account) < limits.write.concurrent;
  const times = [
    account.waiting.nextMs(),
    account.bulk?.nextLookMs ?? Number.POSITIVE_INFINITY,
    ready.soldOut.size > 0 && canWrite
      ? nextTokenMs(buckets.write, nowMs)
      : Number.POSITIVE_INFINITY,
    ready.low.size + ready.rest.size > 0
      ? Math.max(nowMs + bulkCheckMs / 4, nextTokenMs(buckets.write, nowMs, reserve))
      : Number.POSITIVE_INFINITY,
    readings.some((reading) => account.reads[reading].size > 0)
      ? nextTokenMs(buckets.read, nowMs)
      : Number.POSITIVE_INFINITY,
  ];
  return Math.max(account.closedUntilMs, Math.min(...times));
}

/** A time has come: a lost answer is settled by the newest figure, or by reading back; everything else may be sent. */
function wake(account: Account, sku: string, nowMs: number): void {
  const place = account.places.get(sku) as Place;
  const { sent } = place.listing;
  if (sent?.state !== 'unknown') {
    route(account, sku);
    return;
  }
  if (place.wanted !== undefined && place.wanted.sequence > sent.sequence) {
    setListing(account, sku, withoutUnknown(place.listing));
    route(account, sku);
    return;
  }
  account.reads.lost.add(sku);
  // Whether or not it can be read: later it is sent again.
  account.waiting.put(sku, nowMs + Math.max(2_000, account.limits.settleMs));
  if (nowMs - sent.atMs > 3 * account.limits.settleMs) {
    setListing(account, sku, withoutUnknown(place.listing));
    account.waiting.remove(sku);
    route(account, sku);
  }
}

function writesUnderWay(account: Account): number {
  let count = 0;
  for (const call of account.underWay.values()) if (call.kind === 'write') count += 1;
  return count;
}

function planWrites(account: Account, nowMs: number): readonly Call[] {
  const { write, bulk } = account.limits;
  const { ready, buckets } = account;
  const reserve = write.quota.burst * reserveShare;
  const calls: Call[] = [];
  let room = write.concurrent - writesUnderWay(account);
  while (room > 0) {
    const isUrgent = ready.soldOut.size > 0;
    // Where there is bulk, the rest goes that way as soon as it is worth it.
    const restByBulk = bulk !== null && ready.rest.size >= bulk.itemsMin;
    if (!isUrgent && ready.low.size === 0 && (restByBulk || ready.rest.size === 0)) break;
    if (nextTokenMs(buckets.write, nowMs, isUrgent ? 0 : reserve) > nowMs) break;
    const items = pick(account, write.itemsMax, restByBulk ? ['soldOut', 'low'] : urgencies, nowMs);
    if (items.length === 0) break;
    take(buckets.write, nowMs);
    calls.push(begin(account, 'write', items, nowMs));
    room -= 1;
  }
  return calls;
}

/** Takes the next SKUs that may be sent; those whose revisions are used up wait until they may be revised again. */
function pick(
  account: Account,
  itemsMax: number,
  from: readonly (keyof Account['ready'])[],
  nowMs: number,
): readonly Item[] {
  const items: Item[] = [];
  for (const urgency of from) {
    for (const sku of account.ready[urgency]) {
      if (items.length >= itemsMax) return items;
      account.ready[urgency].delete(sku);
      const place = account.places.get(sku) as Place;
      const freeAtMs = mayReviseMs(account, place, urgency, nowMs);
      if (freeAtMs > nowMs) account.waiting.put(sku, freeAtMs);
      else items.push(itemOf(place));
    }
  }
  return items;
}

function itemOf({ wanted, listing }: Place): Item {
  const figure = wanted as Figure;
  return { figure, units: wholeUnits(figure.sellable), attempt: listing.attempts + 1 };
}

/** When this listing may be revised: ordinary revisions are spread over the day, the last ones are kept for sold-outs. */
function mayReviseMs(
  account: Account,
  { listing }: Place,
  urgency: keyof Account['ready'],
  nowMs: number,
): number {
  const allowed = account.limits.revisions;
  if (allowed === null) return nowMs;
  const used = revisionsOfADay(listing, nowMs);
  const share = urgency === 'soldOut' ? 1 : urgency === 'low' ? lowShare : ordinaryShare;
  if (used >= Math.floor(allowed * share))
    return Math.max(nowMs + 1, revisionsFreedMs(listing, nowMs));
  if (urgency !== 'rest' || used < unpaced) return nowMs;
  return listing.lastRevisionMs + Math.ceil(dayMs / (allowed * ordinaryShare));
}

function begin(
  account: Account,
  kind: 'write' | 'bulk',
  items: readonly Item[],
  nowMs: number,
): Call {
  const call: Call = { kind, id: nextCallId(account), items };
  for (const { figure, units } of items) {
    const place = account.places.get(figure.sku) as Place;
    const sent: Sent = {
      sequence: figure.sequence,
      units,
      atMs: nowMs,
      call: call.id,
      state: 'underWay',
    };
    const listing =
      account.limits.revisions === null ? place.listing : withRevision(place.listing, nowMs);
    place.repair = false;
    setListing(account, figure.sku, { ...listing, sent });
    for (const reading of readings) account.reads[reading].delete(figure.sku);
  }
  account.underWay.set(call.id, call);
  return call;
}

function planBulk(account: Account, nowMs: number): readonly Call[] {
  const { bulk: limits } = account.limits;
  if (limits === null) return [];
  const pending = account.bulk;
  if (pending !== undefined) {
    if (nowMs < pending.nextLookMs) return [];
    pending.nextLookMs = nowMs + limits.lookEveryMs;
    const call: Call = { kind: 'look', id: nextCallId(account), bulk: pending.bulk };
    account.underWay.set(call.id, call);
    return [call];
  }
  if (nowMs < account.nextBulkCheckMs) return [];
  account.nextBulkCheckMs = nowMs + bulkCheckMs;
  if (nextTokenMs(account.buckets.bulk, nowMs) > nowMs) return [];
  const skus = bulkCandidates(account, limits, nowMs);
  const oldestMs = Math.min(...skus.slice(0, 1).map((sku) => placeSince(account, sku)));
  if (skus.length === 0) return [];
  if (skus.length < limits.itemsMin && nowMs - oldestMs < limits.waitMs) return [];
  take(account.buckets.bulk, nowMs);
  const items = skus.map((sku) => itemOf(account.places.get(sku) as Place));
  const call = begin(account, 'bulk', items, nowMs);
  for (const urgency of urgencies) for (const sku of skus) account.ready[urgency].delete(sku);
  setBulk(account, {
    bulk: { call: call.id, reference: null, createdAtMs: nowMs },
    // Until its own call has ended there is nothing to look for.
    nextLookMs: Number.POSITIVE_INFINITY,
    skus: new Set(skus),
  });
  return [call];
}

const placeSince = (account: Account, sku: string): number =>
  (account.places.get(sku) as Place).wantedSinceMs;

/** What is far from being sold out, or does not move; and sold-outs that would have to wait long otherwise. */
function bulkCandidates(account: Account, limits: BulkLimits, nowMs: number): readonly string[] {
  const { ready } = account;
  const { calls, perMs } = account.limits.write.quota;
  const soon = Math.ceil((soonMs * calls) / perMs) * account.limits.write.itemsMax;
  const isSafe = (sku: string): boolean => {
    const { wanted, wantedSinceMs } = account.places.get(sku) as Place;
    const units = wholeUnits((wanted as Figure).sellable);
    return units > limits.riskUnits || nowMs - wantedSinceMs >= limits.quietMs;
  };
  return [
    ...[...ready.soldOut].slice(soon),
    ...[...ready.rest].filter(isSafe),
    ...[...ready.low].filter(isSafe),
  ].slice(0, limits.itemsMax);
}

function planReads(account: Account, nowMs: number): readonly Call[] {
  const calls: Call[] = [];
  for (const reading of readings) {
    for (const sku of account.reads[reading]) {
      if (!take(account.buckets.read, nowMs)) return calls;
      account.reads[reading].delete(sku);
      const sequence = sequenceRead(account.places.get(sku) as Place);
      const call: Call = { kind: 'read', id: nextCallId(account), sku, sequence };
      account.underWay.set(call.id, call);
      calls.push(call);
    }
  }
  return calls;
}
