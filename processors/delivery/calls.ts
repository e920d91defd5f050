/** What the marketplace scheduler wants done, and what can come of it. */
import type { DestinationKind } from '../../schemas/types.ts';
import type { Figure } from './figure.ts';
import type { Quota } from './quota.ts';

export type MarketplaceKind = Extract<DestinationKind, 'amazon' | 'ebay' | 'shop'>;

/** What a marketplace allows, and how we use it. */
export type Limits = {
  /** Writing now: items per call, calls, and how many calls at once. */
  readonly write: { readonly itemsMax: number; readonly quota: Quota; readonly concurrent: number };
  readonly read: Quota;
  /** Writing many for later, where there is such a way. */
  readonly bulk: BulkLimits | null;
  /** Revisions per listing and day; null: no limit. */
  readonly revisions: number | null;
  /** A write whose answer was lost is done within this, or never. */
  readonly settleMs: number;
  /** One of so many confirmed figures is read back; 0: none. */
  readonly readBackOneOf: number;
};

export type BulkLimits = {
  readonly itemsMax: number;
  /** Fewer than these wait for more, but not longer than `waitMs`. */
  readonly itemsMin: number;
  readonly waitMs: number;
  readonly quota: Quota;
  readonly lookEveryMs: number;
  /** SKUs with no more units than this stay out of bulk while they move: they may be sold out before it is done. */
  readonly riskUnits: number;
  /** Not moved for so long: may go in bulk all the same. */
  readonly quietMs: number;
  /**
   * What a sold-out does whose SKU waits in a bulk that is not done: true: goes at once, and once more afterwards;
   * false: waits, so that the bulk can never put an older figure after it.
   */
  readonly overtake: boolean;
};

export type Item = { readonly figure: Figure; readonly units: number; readonly attempt: number };

export type Call =
  | { readonly kind: 'write' | 'bulk'; readonly id: string; readonly items: readonly Item[] }
  /** Asks what came of a bulk; `bulk` null: its call had no answer, so it is looked for. */
  | { readonly kind: 'look'; readonly id: string; readonly bulk: Bulk }
  | { readonly kind: 'read'; readonly id: string; readonly sku: string; readonly sequence: number };

/** A bulk that was handed over. `reference` is the marketplace's own; null while it is not known. */
export type Bulk = {
  readonly call: string;
  readonly reference: string | null;
  readonly createdAtMs: number;
};

export type ItemAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' | 'failed'; readonly reason: string };

export type Answer =
  /** Done; items that are not named were accepted. */
  | {
      readonly kind: 'done';
      readonly status: number;
      readonly items: ReadonlyMap<string, ItemAnswer>;
    }
  /** A bulk was taken, or is still under way. */
  | { readonly kind: 'pending'; readonly status: number; readonly reference: string | null }
  | {
      readonly kind: 'read';
      readonly status: number;
      /** Undefined: the marketplace does not know the SKU. */
      readonly units: number | undefined;
    }
  /** Certainly not done: too many calls. */
  | { readonly kind: 'throttled'; readonly status: number; readonly retryAfterMs?: number }
  /** Certainly not done. */
  | {
      readonly kind: 'failed';
      readonly status: number;
      readonly reason: string;
      readonly retryAfterMs?: number;
    }
  /** Refused as a whole, for good: what is wrong is the call. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }
  /** Sent and not answered: done, not done, or still being done. */
  | { readonly kind: 'unknown'; readonly status: number; readonly reason: string };

export type CallResult = {
  readonly call: Call;
  readonly beganAtMs: number;
  readonly tookMs: number;
  readonly answer: Answer;
};
