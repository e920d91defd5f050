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
 * `told` holds the last word of each source and hop; `reading` says that this instance follows the topics. Hops that
 * the figures do not pass, such as analytics, do not count.
 */
export function freshnessOf(
  told: Iterable<Freshness>,
  reading: { readonly isFollowing: boolean; readonly sinceMs: number },
  nowMs: number,
): FreshnessNote {
  const watermarks: Record<string, number> = {};
  const behind: { source: string; hop: string; reason: string }[] = [];
  let provenance: Provenance = 'fresh';
  let count = 0;
  for (const { source, hop, asOf, observedAt, state, reason } of told) {
    if (hop === 'analytics') continue;
    count += 1;
    watermarks[source] = Math.min(watermarks[source] ?? asOf, asOf);
    const silentMs = nowMs - observedAt;
    if (state === 'fresh' && silentMs <= silentAfterMs) continue;
    if (state === 'unknown') provenance = 'unknown';
    else if (provenance === 'fresh') provenance = 'degraded';
    behind.push({ source, hop, reason: reason || `has told nothing for ${silentMs} ms` });
  }
  if (!reading.isFollowing) {
    if (provenance === 'fresh') provenance = 'degraded';
    const reason = `does not follow the topics since ${reading.sinceMs} ms`;
    behind.push({ source: '', hop: 'api', reason });
  }
  if (count === 0) {
    const reason = 'no source has told how far it has come';
    behind.push({ source: '', hop: 'capture', reason });
    return { asOf: null, freshnessMs: null, provenance: 'unknown', watermarks, behind };
  }
  const asOf = Math.min(...Object.values(watermarks));
  return { asOf, freshnessMs: Math.max(0, nowMs - asOf), provenance, watermarks, behind };
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
