/** How fresh an answer is, joined from what sources and hops say of themselves. Pure. */
import type { Freshness } from '../../schemas/types.ts';
import { type Problem, problem } from './problem.ts';

export type Provenance = 'fresh' | 'degraded' | 'unknown';

export type FreshnessNote = {
  /** Everything that the sources committed up to here is contained; null: not known. */
  readonly asOf: number | null;
  readonly freshnessMs: number | null;
  readonly provenance: Provenance;
  /** By source: everything committed up to here is contained. */
  readonly watermarks: Readonly<Record<string, number>>;
  /** Each hop that is behind, and why. */
  readonly behind: readonly {
    readonly source: string;
    readonly hop: string;
    readonly reason: string;
  }[];
};

/** A hop that has not told anything for so long is taken to stand still. */
const silentAfterMs = 1_500;

/**
 * `words` holds the last word of each source and hop, of each partition; `reading` says that this instance follows the topics. Hops that
 * the figures do not pass, such as analytics, do not count.
 */
export function freshnessOf(
  words: Iterable<Freshness>,
  reading: { readonly isFollowing: boolean; readonly sinceMs: number },
  nowMs: number,
): FreshnessNote {
  const watermarks: Record<string, number> = {};
  const behind = new Map<string, FreshnessNote['behind'][number]>();
  const note = (source: string, hop: string, reason: string): void => {
    const place = `${source}|${hop}`;
    // Of several partitions the first speaks for all.
    if (!behind.has(place)) behind.set(place, { source, hop, reason });
  };
  let isKnown = true;
  let provenance: Provenance = 'fresh';
  let count = 0;
  for (const { source, hop, asOf, observedAt, state, reason } of words) {
    // That no table stands still is said once.
    if (hop === 'analytics' || (hop === 'tables' && state === 'fresh')) continue;
    count += 1;
    if (asOf > 0) watermarks[source] = Math.min(watermarks[source] ?? asOf, asOf);
    else isKnown = false;
    const silentMs = nowMs - observedAt;
    if (state === 'fresh' && silentMs <= silentAfterMs) continue;
    if (state === 'unknown') provenance = 'unknown';
    else if (provenance === 'fresh') provenance = 'degraded';
    note(source, hop, reason || `has told nothing for ${silentMs} ms`);
  }
  if (!reading.isFollowing) {
    if (provenance === 'fresh') provenance = 'degraded';
    const reason = `does not follow the topics since ${reading.sinceMs} ms`;
    note('', 'api', reason);
  }
  if (count === 0) {
    const reason = 'no source has told how far it has come';
    note('', 'capture', reason);
    provenance = 'unknown';
  }
  const told = { provenance, watermarks, behind: [...behind.values()] };
  if (count === 0 || !isKnown) return { asOf: null, freshnessMs: null, ...told };
  const asOf = Math.min(...Object.values(watermarks));
  return { asOf, freshnessMs: Math.max(0, nowMs - asOf), ...told };
}

/** What a caller demands of an answer. */
export type Demand = { readonly minWatermark?: number; readonly maxStaleness?: number };

/** A typed refusal instead of an older figure than demanded; what is not known is too old. */
export function refusal(note: FreshnessNote, demand: Demand): Problem | undefined {
  const { minWatermark, maxStaleness } = demand;
  const { asOf, freshnessMs } = note;
  const isTooOld =
    (minWatermark !== undefined && (asOf === null || asOf < minWatermark)) ||
    (maxStaleness !== undefined && (freshnessMs === null || freshnessMs > maxStaleness));
  if (!isTooOld) return undefined;
  const detail =
    asOf === null
      ? 'how old the figures are is not known'
      : `the figures contain everything up to ${new Date(asOf).toISOString()}`;
  return problem('STALE', detail, { headers: { 'retry-after': '1' }, more: { freshness: note } });
}
