/**
 * What the marketplaces allow, as they publish it, and a burst less by one: calls do not arrive as evenly as they leave.
 * An installation may be stricter.
 */
import type { Limits, MarketplaceKind } from './calls.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;

/**
 * Amazon: Listings Items 5 calls/s with a burst of 10, one SKU per call; JSON_LISTINGS_FEED 5 feeds per 5 minutes with up
 * to 25 000 messages.
 */
const amazon: Limits = {
  write: { itemsMax: 1, quota: { calls: 5, perMs: secondMs, burst: 9 }, concurrent: 8 },
  read: { calls: 5, perMs: secondMs, burst: 9 },
  bulk: {
    itemsMax: 25_000,
    itemsMin: 50,
    waitMs: 10 * secondMs,
    quota: { calls: 5, perMs: 5 * minuteMs, burst: 4 },
    lookEveryMs: 5 * secondMs,
    riskUnits: 10,
    quietMs: 30 * secondMs,
    overtake: false,
  },
  revisions: null,
  settleMs: 30 * secondMs,
  readBackOneOf: 200,
};

/**
 * eBay: 25 SKUs per call, two million calls a day; 250 revisions of a listing per calendar day, beyond which it is blocked until the next.
 */
const ebay: Limits = {
  write: { itemsMax: 25, quota: { calls: 20, perMs: secondMs, burst: 19 }, concurrent: 8 },
  read: { calls: 5, perMs: secondMs, burst: 9 },
  bulk: null,
  revisions: 250,
  settleMs: 30 * secondMs,
  readBackOneOf: 200,
};

/** A shop of one's own, at a pace that hurts none. */
const shop: Limits = {
  write: { itemsMax: 100, quota: { calls: 10, perMs: secondMs, burst: 19 }, concurrent: 4 },
  read: { calls: 5, perMs: secondMs, burst: 9 },
  bulk: null,
  revisions: null,
  settleMs: 15 * secondMs,
  readBackOneOf: 200,
};

export type LimitChanges = {
  /** Calls per second that write, and at once. */
  readonly callsPerSecond?: number | undefined;
  readonly burst?: number | undefined;
  readonly settleSeconds?: number | undefined;
  readonly readBackOneOf?: number | undefined;
  /** True: a sold-out passes a bulk that still holds its SKU, and is told once more after it. */
  readonly overtake?: boolean | undefined;
};

export function limitsOf(kind: MarketplaceKind, changes: LimitChanges = {}): Limits {
  const published = { amazon, ebay, shop }[kind];
  const { write, bulk } = published;
  const quota = {
    ...write.quota,
    calls: changes.callsPerSecond ?? write.quota.calls,
    burst: changes.burst ?? write.quota.burst,
  };
  return {
    ...published,
    write: { ...write, quota },
    bulk: bulk === null ? null : { ...bulk, overtake: changes.overtake ?? bulk.overtake },
    settleMs:
      changes.settleSeconds === undefined ? published.settleMs : changes.settleSeconds * 1000,
    readBackOneOf: changes.readBackOneOf ?? published.readBackOneOf,
  };
}
