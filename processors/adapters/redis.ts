/** A Redis that we can do without: what it cannot answer at once fails, and whoever asked goes on without it. */
import { Redis } from 'ioredis';
import type { Telemetry } from '../runtime/ports.ts';

const answerMs = 250;
const againMaxMs = 5_000;

export function openRedis(url: string, telemetry: Telemetry): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: answerMs,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(againMaxMs, attempt * 200),
  });
  let isAway = false;
  redis.on('error', (error) => {
    if (!isAway) telemetry.log('warn', 'redis is away', { error: error.message });
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) telemetry.log('info', 'redis is back');
    isAway = false;
  });
  return redis;
}
