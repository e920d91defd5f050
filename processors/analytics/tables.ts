/** Which topic goes to which tables, as data. */
import {
  alerts,
  anomalies,
  channelStock,
  deadLetters,
  decisions,
  deliveryAttempts,
  forecasts,
  freshness,
  ledger,
  movements,
  outcomes,
  proposals,
  requests,
  stockLevels,
} from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import type { Feed } from './feed.ts';
import { anomalyFeed, forecastFeed, proposalFeed } from './insight-rows.ts';
import {
  decisionFeed,
  deliveryAttemptFeed,
  freshnessFeed,
  outcomeFeed,
  requestFeed,
} from './request-rows.ts';
import {
  alertFeed,
  channelStockFeed,
  deadLetterFeed,
  ledgerChangeFeed,
  ledgerFeed,
  movementFeed,
  stockLevelFeed,
} from './rows.ts';

/** By topic name. */
export type Feeds = ReadonlyMap<string, readonly Feed[]>;

const loaded: readonly (readonly [topic: unknown, feeds: readonly Feed[]])[] = [
  [movements, [movementFeed]],
  [ledger, [ledgerFeed, ledgerChangeFeed]],
  [stockLevels, [stockLevelFeed]],
  [requests, [requestFeed]],
  [outcomes, [outcomeFeed]],
  [decisions, [decisionFeed]],
  [alerts, [alertFeed]],
  [deadLetters, [deadLetterFeed]],
  [deliveryAttempts, [deliveryAttemptFeed]],
  [freshness, [freshnessFeed]],
  [anomalies, [anomalyFeed]],
  [forecasts, [forecastFeed]],
  [proposals, [proposalFeed]],
];

function feedsByTopic(channels: readonly string[]) {
  return [
    ...loaded,
    ...channels.map((channel) => [channelStock(channel), [channelStockFeed(channel)]] as const),
  ].map(([topic, feeds]) => ({ topic: topic as Topic<never, never>, feeds }));
}

/** Everything that analytics loads, with the topics of these sales channels. */
export function loadedTopics(channels: readonly string[]): readonly Topic<never, never>[] {
  return feedsByTopic(channels).map(({ topic }) => topic);
}

export function feedsOf(channels: readonly string[]): Feeds {
  return new Map(feedsByTopic(channels).map(({ topic, feeds }) => [topic.name, feeds]));
}
