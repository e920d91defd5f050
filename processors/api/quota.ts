/** How often a client may ask: a window of a minute, over all instances where they share a Redis. */
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Client } from './access.ts';
import { type Problem, problem } from './problem.ts';

export type Quota = {
  /** The headers of the answer, and the problem when it was too often. Undefined: the client has none. */
  readonly take: (client: Client) => Promise<Taken | undefined>;
};
export type Taken = {
  readonly headers: Readonly<Record<string, string>>;
  readonly refused: Problem | undefined;
};

const windowSeconds = 60;

/** `perMinute`: of clients without one of their own. Without Redis, or while it is away, each instance counts for itself. */
export function quotas(perMinute: number, redis?: Redis): Quota {
  // One limiter for all: what differs from client to client is how many points a client has.
  const most = { points: Number.MAX_SAFE_INTEGER, duration: windowSeconds, keyPrefix: 'stockline' };
  const memory = new RateLimiterMemory(most);
  const limiter =
    redis === undefined
      ? memory
      : new RateLimiterRedis({ ...most, storeClient: redis, insuranceLimiter: memory });
  return {
    take: async (client) => {
      if (client.requestsPerMinute === null) return undefined;
      const quota = client.requestsPerMinute ?? perMinute;
      const counted = await limiter.consume(client.id, 1);
      return takenOf(quota, counted);
    },
  };
}

/** Headers: draft-ietf-httpapi-ratelimit-headers-10, as structured fields. */
function takenOf(quota: number, counted: RateLimiterRes): Taken {
  const left = Math.max(0, quota - counted.consumedPoints);
  const seconds = Math.max(1, Math.ceil(counted.msBeforeNext / 1000));
  const headers = {
    'ratelimit-policy': `"minute";q=${quota};w=${windowSeconds}`,
    ratelimit: `"minute";r=${left};t=${seconds}`,
  };
  if (counted.consumedPoints <= quota) return { headers, refused: undefined };
  const detail = `${quota} requests a minute are allowed; ask again in ${seconds} s`;
  const wait = { ...headers, 'retry-after': String(seconds) };
  return { headers, refused: problem('RATE_LIMITED', detail, { headers: wait }) };
}
