/** Puts the copies of the figures together: what STOCKLINE_SERVING_POSTGRES and STOCKLINE_REDIS name. */
import { followTopics } from '../adapters/kafka/topic-follower.ts';
import type { KafkaPlaces } from '../adapters/kafka/topic-reader.ts';
import { openRedis } from '../adapters/redis.ts';
import { postgresTarget } from '../adapters/serving/postgres.ts';
import { redisTarget } from '../adapters/serving/redis.ts';
import type { Telemetry } from '../runtime/ports.ts';
import type { ServingPorts, ServingTarget } from '../serving/ports.ts';
import { runServing } from '../serving/run.ts';
import { channelStock, publishedBy, stockLevels } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import type { Start } from './running.ts';

export const startServing: Start = (config, { places, channels, telemetry, signal }) => {
  const targets: ServingTarget[] = [];
  if (config.serving.postgresUrl !== undefined)
    targets.push(postgresTarget(config.serving.postgresUrl));
  if (config.redisUrl !== undefined)
    targets.push(redisTarget(openRedis(config.redisUrl, telemetry)));
  const { log } = telemetry;
  const copying = targets.map((target) => {
    const follow = followOf(places, channels, telemetry);
    return runServing({ follow, target, log }, signal).done;
  });
  // Nothing to do is no reason to end.
  const idle = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  return {
    name: 'serving',
    done: Promise.all([idle, ...copying]).then(async () => {
      await Promise.all(targets.map((target) => target.close()));
    }),
    ready: () => true,
  };
};

/** A copy may be so much later than its topics. */
const gatherMs = 50;

function followOf(
  places: KafkaPlaces,
  channels: readonly string[],
  telemetry: Telemetry,
): ServingPorts['follow'] {
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
