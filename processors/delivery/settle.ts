/** What came of a call: marks advance, what was not done is tried again, and each item of it is told as an attempt. */
import type { DeliveryAttempt, DeliveryOutcome } from '../../schemas/types.ts';
import { hashText } from '../domain/hash.ts';
import { type Account, type Place, route, sequenceRead, setBulk, setListing } from './account.ts';
import type { Answer, Bulk, BulkLimits, Call, CallResult, Item, ItemAnswer } from './calls.ts';
import type { Figure } from './figure.ts';
import { answered, drain } from './quota.ts';

const retryFirstMs = 250;
const retryMostMs = 60_000;
const throttledMs = 1_000;
const failuresOpen = 5;

export function settle(
  account: Account,
  result: CallResult,
  nowMs: number,
): readonly DeliveryAttempt[] {
  const { kind, id } = result.call;
  // What a look or an earlier process has sent took no token of ours.
  if (account.underWay.delete(id) && kind !== 'look') answered(account.buckets[kind], nowMs);
  heed(account, result.answer, nowMs);
  const { call } = result;
  switch (call.kind) {
    case 'write':
      return settleWrite(account, call.items, result, nowMs);
    case 'bulk':
      return settleBulk(account, call.items, result, nowMs);
    case 'look':
      return settleLook(account, call.bulk, result, nowMs);
    case 'read':
      return settleRead(account, call, result, nowMs);
  }
}

/** What the answer says of the whole account: it is full, it is down, it is well again. */
function heed(account: Account, answer: Answer, nowMs: number): void {
  switch (answer.kind) {
    case 'throttled':
      account.failuresInARow += 1;
      drain(account.buckets.write, nowMs);
      close(account, nowMs + Math.max(answer.retryAfterMs ?? 0, pauseMs(account, throttledMs)));
      return;
    case 'failed':
    case 'unknown':
      account.failuresInARow += 1;
      if (answer.kind === 'failed' && answer.retryAfterMs !== undefined) {
        close(account, nowMs + answer.retryAfterMs);
      } else if (account.failuresInARow >= failuresOpen) {
        close(account, nowMs + pauseMs(account, retryFirstMs));
      }
      return;
    default:
      account.failuresInARow = 0;
  }
}

const pauseMs = (account: Account, firstMs: number): number =>
  backOffMs(account.failuresInARow, firstMs, `${account.id} ${account.callsMade}`);

function close(account: Account, untilMs: number): void {
  account.closedUntilMs = Math.max(account.closedUntilMs, untilMs);
}

/** Doubles with each attempt, and spreads over half of it to a whole one. */
function backOffMs(attempt: number, firstMs: number, salt: string): number {
  const fullMs = Math.min(retryMostMs, firstMs * 2 ** Math.min(20, Math.max(0, attempt - 1)));
  return Math.round(fullMs * (0.5 + chance(`${salt} ${attempt}`) / 2));
}

/** In [0, 1), the same for the same text. */
export function chance(text: string): number {
  return Number.parseInt(hashText(text).slice(0, 8), 16) / 2 ** 32;
}

function settleWrite(
  account: Account,
  items: readonly Item[],
  result: CallResult,
  nowMs: number,
): readonly DeliveryAttempt[] {
  return items.map((item) => settleSent(account, item, result, nowMs));
}

function settleSent(
  account: Account,
  item: Item,
  result: CallResult,
  nowMs: number,
): DeliveryAttempt {
  const { answer } = result;
  switch (answer.kind) {
    case 'done': {
      const own = answer.items.get(item.figure.sku) ?? { kind: 'accepted' as const };
      return settleItem(account, item, own, result, nowMs);
    }
    case 'refused':
    case 'failed':
      return settleItem(account, item, answer, result, nowMs);
    case 'throttled':
      giveBack(account, item, result.call, { counts: false, nowMs });
      return attemptOf(account, item, result, 'throttled', '');
    case 'pending':
    case 'read': {
      const reason = `an answer of kind ${answer.kind} to a write`;
      return settleItem(account, item, { kind: 'failed', reason }, result, nowMs);
    }
    case 'unknown':
      doubt(account, item, result.call, nowMs);
      return attemptOf(account, item, result, 'unknown', answer.reason);
  }
}

function settleItem(
  account: Account,
  item: Item,
  answer: ItemAnswer,
  result: CallResult,
  nowMs: number,
): DeliveryAttempt {
  const { sku, sequence } = item.figure;
  const place = account.places.get(sku) as Place;
  switch (answer.kind) {
    case 'accepted':
      confirm(
        account,
        sku,
        { sequence, units: item.units },
        sentBy(place, result.call) ? null : place.listing.sent,
      );
      maybeReadBack(account, sku, sequence);
      return attemptOf(account, item, result, 'accepted', '');
    case 'refused':
      setListing(account, sku, { ...place.listing, sent: null, refused: sequence, attempts: 0 });
      route(account, sku);
      return attemptOf(account, item, result, 'refused', answer.reason);
    case 'failed':
      giveBack(account, item, result.call, { counts: true, nowMs });
      return attemptOf(account, item, result, 'failed', answer.reason);
  }
}

const sentBy = (place: Place, call: { readonly id: string }): boolean =>
  place.listing.sent?.call === call.id;

/** The mark only ever grows. */
function confirm(
  account: Account,
  sku: string,
  mark: { readonly sequence: number; readonly units: number },
  sent: Place['listing']['sent'],
): void {
  const place = account.places.get(sku) as Place;
  const before = place.listing.confirmed;
  const confirmed = before !== null && before.sequence > mark.sequence ? before : mark;
  account.waiting.remove(sku);
  setListing(account, sku, { ...place.listing, confirmed, sent, attempts: 0 });
  route(account, sku);
}

function maybeReadBack(account: Account, sku: string, sequence: number): void {
  const oneOf = account.limits.readBackOneOf;
  if (oneOf > 0 && chance(`${sku} ${sequence}`) < 1 / oneOf) account.reads.sampled.add(sku);
}

/** Certainly not done: it waits its turn again. */
function giveBack(
  account: Account,
  item: Item,
  call: { readonly id: string },
  how: { readonly counts: boolean; readonly nowMs: number },
): void {
  const { sku } = item.figure;
  const place = account.places.get(sku) as Place;
  if (!sentBy(place, call)) return;
  const attempts = place.listing.attempts + (how.counts ? 1 : 0);
  setListing(account, sku, { ...place.listing, sent: null, attempts });
  if (how.counts) {
    account.waiting.put(sku, how.nowMs + backOffMs(attempts, retryFirstMs, `${account.id} ${sku}`));
  }
  route(account, sku);
}

/** Nothing newer goes until it cannot be done any more behind our back. */
function doubt(account: Account, item: Item, call: Call, nowMs: number): void {
  const { sku } = item.figure;
  const place = account.places.get(sku) as Place;
  const { sent } = place.listing;
  if (sent === null || !sentBy(place, call)) return;
  setListing(account, sku, {
    ...place.listing,
    sent: { ...sent, state: 'unknown', atMs: nowMs },
    attempts: place.listing.attempts + 1,
  });
  account.waiting.put(sku, nowMs + account.limits.settleMs);
}

function settleBulk(
  account: Account,
  items: readonly Item[],
  result: CallResult,
  nowMs: number,
): readonly DeliveryAttempt[] {
  const { answer, call } = result;
  const limits = account.limits.bulk as BulkLimits;
  const pending = account.bulk;
  if (pending === undefined || pending.bulk.call !== call.id) return [];
  if (answer.kind === 'pending' || answer.kind === 'unknown') {
    const reference = answer.kind === 'pending' ? answer.reference : null;
    setBulk(account, {
      bulk: { ...pending.bulk, reference },
      nextLookMs: nowMs + (reference === null ? account.limits.settleMs : limits.lookEveryMs),
      skus: pending.skus,
    });
    return items.map((item) => {
      const place = account.places.get(item.figure.sku) as Place;
      const { sent } = place.listing;
      if (sent !== null && sentBy(place, call)) {
        setListing(account, item.figure.sku, {
          ...place.listing,
          sent: { ...sent, state: 'queued' },
        });
        route(account, item.figure.sku);
      }
      return attemptOf(account, item, result, reference === null ? 'unknown' : 'queued', '');
    });
  }
  setBulk(account, undefined);
  return settleWrite(account, items, result, nowMs);
}

/** The bulk is done, or was never there, or goes on. */
function settleLook(
  account: Account,
  bulk: Bulk,
  result: CallResult,
  nowMs: number,
): readonly DeliveryAttempt[] {
  const { answer } = result;
  const pending = account.bulk;
  if (pending === undefined || pending.bulk.call !== bulk.call) return [];
  if (answer.kind === 'pending') {
    if (pending.bulk.reference !== answer.reference) {
      setBulk(account, { ...pending, bulk: { ...pending.bulk, reference: answer.reference } });
    }
    return [];
  }
  if (answer.kind !== 'done' && answer.kind !== 'refused') return [];
  setBulk(account, undefined);
  return [...pending.skus].flatMap((sku) => settleOfBulk(account, sku, bulk, result, nowMs));
}

function settleOfBulk(
  account: Account,
  sku: string,
  bulk: Bulk,
  result: CallResult,
  nowMs: number,
): readonly DeliveryAttempt[] {
  const { answer } = result;
  const place = account.places.get(sku) as Place;
  const { sent } = place.listing;
  if (sent?.call !== bulk.call) {
    // Overtaken by a sold-out, which the bulk may have undone.
    place.repair = true;
    route(account, sku);
    return [];
  }
  const named = answer.kind === 'done' ? answer.items.get(sku) : undefined;
  const reason = answer.kind === 'refused' ? answer.reason : '';
  const own: ItemAnswer =
    answer.kind === 'refused' ? { kind: 'failed', reason } : (named ?? { kind: 'accepted' });
  const call: Call = { kind: 'bulk', id: bulk.call, items: [] };
  return [settleItem(account, itemSent(account, sku, place), own, { ...result, call }, nowMs)];
}

/** What was sent, with what is known of it; a newer figure may be wanted by now. */
function itemSent(account: Account, sku: string, { wanted, listing }: Place): Item {
  const { sequence, units } = listing.sent as NonNullable<typeof listing.sent>;
  const same = wanted !== undefined && wanted.sequence === sequence ? wanted : undefined;
  const figure: Figure = same ?? {
    channel: account.channel,
    sku,
    sellable: units * 1000,
    status: units === 0 ? 'out' : 'inStock',
    sequence,
    publishedAtMs: wanted?.publishedAtMs ?? 0,
  };
  return { figure, units, attempt: listing.attempts + 1 };
}

function settleRead(
  account: Account,
  { sku, sequence }: Extract<Call, { readonly kind: 'read' }>,
  result: CallResult,
  nowMs: number,
): readonly DeliveryAttempt[] {
  const { answer } = result;
  if (answer.kind !== 'read') return [];
  const place = account.places.get(sku) as Place;
  const { sent, confirmed } = place.listing;
  // Something newer left or came back since: what was read says nothing.
  if (sequence !== sequenceRead(place)) return [];
  if (sent?.state === 'unknown') {
    const item = itemSent(account, sku, place);
    if (answer.units === sent.units) {
      confirm(account, sku, { sequence: sent.sequence, units: sent.units }, null);
      return [attemptOf(account, item, result, 'accepted', 'read back')];
    }
    giveBack(account, item, { id: sent.call }, { counts: false, nowMs });
    account.waiting.remove(sku);
    route(account, sku);
    return [attemptOf(account, item, result, 'failed', 'read back: it was not done')];
  }
  if (sent !== null || confirmed?.units == null || place.wanted === undefined) return [];
  const isEqual = answer.units === confirmed.units;
  if (!isEqual && place.wanted.sequence === confirmed.sequence) {
    place.repair = true;
    route(account, sku);
  }
  const item: Item = {
    figure: { ...place.wanted, sequence: confirmed.sequence },
    units: confirmed.units,
    attempt: 1,
  };
  const reason = isEqual ? '' : `shows ${answer.units ?? 'nothing'} instead of ${confirmed.units}`;
  return [attemptOf(account, item, result, isEqual ? 'verified' : 'drifted', reason)];
}

function attemptOf(
  account: Account,
  { figure, attempt }: Item,
  { call, answer, beganAtMs, tookMs }: CallResult,
  outcome: DeliveryOutcome,
  reason: string,
): DeliveryAttempt {
  return {
    destination: account.id,
    destinationKind: account.kind,
    channel: figure.channel,
    sku: figure.sku,
    sequence: figure.sequence,
    sellable: figure.sellable,
    delivery: call.id,
    attempt,
    outcome,
    status: answer.status,
    tookMs: Math.round(tookMs),
    attemptedAt: Math.round(beganAtMs),
    publishedAt: figure.publishedAtMs,
    reason: reason.slice(0, 500),
  };
}
