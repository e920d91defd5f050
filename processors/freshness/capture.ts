/** What is said of a source's connector, by its heartbeats and by Kafka Connect. Pure. */
import type { Freshness } from '../../schemas/types.ts';

/** Of an idle MariaDB a connector that is well hears every four seconds, of others every half second. */
const silentAfterMs = 6_000;

/** A source whose connector does not beat is paused, or something before Kafka is down. */
export function captureWord(
  source: string,
  beatMs: number | undefined,
  trouble: string,
  nowMs: number,
): Freshness {
  const told = { source, hop: 'capture', position: '', asOf: beatMs ?? 0, observedAt: nowMs };
  if (beatMs === undefined) {
    const reason = trouble || `the connector of ${source} has not told anything yet`;
    return { ...told, state: 'unknown', reason };
  }
  const silentMs = nowMs - beatMs;
  const silence = `no sign of life of the connector of ${source} for ${(silentMs / 1_000).toFixed(1)} s`;
  const reason = trouble || (silentMs > silentAfterMs ? silence : '');
  return { ...told, state: reason === '' ? 'fresh' : 'degraded', reason };
}
