/** Figures in a Redis, each under a key of its own, with the moment up to which all is contained. */
import type { Redis } from 'ioredis';
import type { Served, ServingTarget } from '../../serving/ports.ts';

export const redisKeys = {
  cell: (sku: string, location: string): string => `stockline:stock:${sku}|${location}`,
  figure: (channel: string, sku: string): string => `stockline:channel:${channel}|${sku}`,
  /** Milliseconds; it ends by itself when nobody writes it any more. Whoever finds none asks elsewhere. */
  asOf: 'stockline:asOf',
} as const;

/** An older figure never takes the place of a newer one. The value is `sequence json`. */
const writeScript = `
local known = redis.call('GET', KEYS[1])
if known and tonumber(string.match(known, '^%d+')) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
return 1`;

const filledKey = 'stockline:filled';
const asOfLivesMs = 5_000;

/** What we wrote last has to be there still: else it was flushed, or is an older copy. */
const containScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1`;

export function redisTarget(redis: Redis): ServingTarget {
  let last = '';
  return {
    name: 'redis',
    prepare: async () => {
      if (last !== '') return void (await redis.ping());
      await redis.set(filledKey, '0');
      last = '0';
    },
    write: async (figures) => {
      const pipeline = redis.pipeline();
      for (const figure of figures) {
        const { key, sequence, value } = entryOf(figure);
        if (value === undefined) pipeline.del(key);
        else pipeline.eval(writeScript, 1, key, sequence, value);
      }
      const answers = await pipeline.exec();
      const failed = answers?.find(([error]) => error !== null)?.[0];
      if (answers === null || failed) throw failed ?? new Error('the pipeline was given up');
    },
    contain: async (asOfMs) => {
      const next = String(asOfMs);
      const keys = [filledKey, redisKeys.asOf] as const;
      const isThere = await redis.eval(containScript, 2, ...keys, last, next, asOfLivesMs);
      last = isThere === 1 ? next : '';
      return isThere === 1;
    },
    close: async () => redis.disconnect(),
  };
}

function entryOf(served: Served) {
  if (served.kind === 'stock') {
    const { key, level } = served;
    return {
      key: redisKeys.cell(key.sku, key.location),
      sequence: level?.sequence ?? 0,
      value: level === undefined ? undefined : JSON.stringify(level),
    };
  }
  const { channel, sku, figure } = served;
  return {
    key: redisKeys.figure(channel, sku),
    sequence: figure?.sequence ?? 0,
    value: figure === undefined ? undefined : JSON.stringify(figure),
  };
}
