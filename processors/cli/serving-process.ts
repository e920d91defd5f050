/** Puts the copies of the figures together: what STOCKLINE_SERVING_POSTGRES and STOCKLINE_REDIS name. */
import { openRedis } from '../adapters/redis.ts';
import { postgresTarget } from '../adapters/serving-postgres.ts';
import { redisTarget } from '../adapters/serving-redis.ts';
import { followTopics } from '../adapters/topic-follower.ts';
import type { Config } from '../config.ts';
import type { Telemetry } from '../runtime/ports.ts';
import type { ServingPorts, ServingTarget } from '../serving/ports.ts';
import { runServing, type Serving } from '../serving/run.ts';
import { channelStock, publishedBy, stockLevels } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';

export type ServingProcess = {
  readonly done: Promise<void>;
  readonly targets: ReadonlyMap<string, Serving>;
};

export function startServing(
  config: Config,
  channels: readonly string[],
  telemetry: Telemetry,
  signal: AbortSignal,
): ServingProcess {
  const targets: ServingTarget[] = [];
  if (config.serving.postgresUrl !== undefined)
    targets.push(postgresTarget(config.serving.postgresUrl));
  if (config.redisUrl !== undefined)
    targets.push(redisTarget(openRedis(config.redisUrl, telemetry)));
  const running = new Map<string, Serving>();
  for (const target of targets) {
    const { log } = telemetry;
    const follow = followOf(config, channels, telemetry);
    running.set(target.name, runServing({ follow, target, log }, signal));
  }
  // Nothing to do is no reason to end.
  const idle = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  const all = [...running.values()].map(({ done }) => done);
  return {
    targets: running,
    done: Promise.all([idle, ...all]).then(async () => {
      await Promise.all(targets.map((target) => target.close()));
    }),
  };
}

/** A copy may be so much later than its topics. */
const gatherMs = 50;

function followOf(
  config: Config,
  channels: readonly string[],
  telemetry: Telemetry,
): ServingPorts['follow'] {
  const places = { brokers: config.brokers, registryUrl: config.registryUrl };
  const publishedOf = publishedBy(channels);
  const followed = [stockLevels, ...channels.map(channelStock)].map((topic) => ({
    topic: topic as unknown as Topic<never, never>,
  }));
  return (events, signal) =>
    followTopics(
      places,
      { name: 'serving', gatherMs },
      followed,
      {
        onOpen: () => undefined,
        onPosition: () => undefined,
        onAsk: () => undefined,
        onCurrent: events.current,
        onRecord: (record) => {
          const published = publishedOf(record);
          if (published !== undefined) events.take(published);
        },
      },
      telemetry,
      signal,
    );
}
