/**
 * Reading a channel's figures through a Redis that serving fills, cache-aside: from Redis when it is there, quick, and contains what
 * was committed lately; else from whoever always knows, such as the API. Never older than `staleMaxMs`.
 */
import type { Redis } from 'ioredis';
import type { ChannelStock } from '../../../schemas/types.ts';
import { within } from '../deadline.ts';
import { redisKeys } from './redis.ts';

export type CachedFigures = {
  readonly figure: (channel: string, sku: string) => Promise<number>;
  /** How many answers came from where. */
  readonly counts: () => { readonly cache: number; readonly origin: number };
};

export function cachedFigures(options: {
  readonly redis: Redis;
  /** Sellable thousandths, of whoever always knows. */
  readonly origin: (channel: string, sku: string) => Promise<number>;
  readonly staleMaxMs: number;
  /** Whoever answers later is not waited for. */
  readonly patienceMs: number;
  readonly now?: () => number;
}): CachedFigures {
  const { redis, origin, staleMaxMs, patienceMs, now = Date.now } = options;
  const counts = { cache: 0, origin: 0 };
  const cached = async (channel: string, sku: string): Promise<number | undefined> => {
    const asking = redis.mget(redisKeys.asOf, redisKeys.figure(channel, sku));
    try {
      const [asOf, entry] = await within(patienceMs, asking, () => []);
      if (typeof asOf !== 'string' || typeof entry !== 'string') return undefined;
      if (now() - Number(asOf) > staleMaxMs) return undefined;
      return (JSON.parse(entry.slice(entry.indexOf(' ') + 1)) as ChannelStock).sellable;
    } catch {
      return undefined;
    }
  };
  return {
    figure: async (channel, sku) => {
      const found = await cached(channel, sku);
      counts[found === undefined ? 'origin' : 'cache'] += 1;
      return found ?? origin(channel, sku);
    },
    counts: () => ({ ...counts }),
  };
}
