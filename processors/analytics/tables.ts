/** Which topic goes to which tables, as data. */
import { alerts, channelStock, deadLetters, ledger, movements, stockLevels } from '../topics.ts';
import type { Feed } from './feed.ts';
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

/** Everything that analytics loads, with the topics of these sales channels. */
export function feedsOf(channels: readonly string[]): Feeds {
  return new Map<string, readonly Feed[]>([
    [movements.name, [movementFeed]],
    [ledger.name, [ledgerFeed, ledgerChangeFeed]],
    [stockLevels.name, [stockLevelFeed]],
    [alerts.name, [alertFeed]],
    [deadLetters.name, [deadLetterFeed]],
    ...channels.map(
      (channel) => [channelStock(channel).name, [channelStockFeed(channel)]] as const,
    ),
  ]);
}
