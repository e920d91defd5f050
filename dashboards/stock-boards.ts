/** Stock, channels, and one SKU at one location. */
import { type Board, panel, stat, type Variable } from './board.ts';

const shops: Variable = {
  name: 'location',
  label: 'Location',
  sql: 'SELECT DISTINCT location FROM stock_now ORDER BY location',
};
const skus: Variable = {
  name: 'sku',
  label: 'SKU',
  sql: 'SELECT sku FROM stock_now GROUP BY sku ORDER BY max(sequence) DESC, sku LIMIT 500',
};

/** As Grafana puts a choice into a statement. */
const chosen = (name: string): string => ['$', `{${name}:sqlstring}`].join('');
const chosenSku = chosen('sku');
const chosenLocation = chosen('location');

export const stockBoard: Board = {
  uid: 'stockline-stock',
  title: 'Stock overview',
  description: 'What is there, where, and what moves it.',
  from: 'now-7d',
  variables: [],
  panels: [
    stat('Cells', 'SKUs at locations that are known.', 'SELECT count() AS cells FROM stock_now'),
    stat('SKUs', 'Different SKUs.', 'SELECT uniqExact(sku) AS skus FROM stock_now'),
    stat('Units on hand', 'All locations.', 'SELECT sum(on_hand) AS units FROM stock_now'),
    stat('Units reserved', 'Promised to orders.', 'SELECT sum(reserved) AS units FROM stock_now'),
    stat(
      'Units on the way',
      'Ordered from suppliers or between locations.',
      'SELECT sum(incoming + in_transit) AS units FROM stock_now',
    ),
    stat(
      'Oversold cells',
      'Available below 0: more is sold or promised than is there.',
      'SELECT countIf(available < 0) AS cells FROM stock_now',
    ),
    panel(
      'bars',
      'Units on hand by location',
      'The ten locations with most.',
      'SELECT location, sum(on_hand) AS units FROM stock_now GROUP BY location ORDER BY units DESC LIMIT 10',
    ),
    panel(
      'lines',
      'Units sold per hour',
      'As the tills tell it, voids taken off.',
      'SELECT hour AS time, location, sum(units_sold) AS units FROM sales_hourly WHERE $__timeFilter(hour) GROUP BY time, location ORDER BY time',
    ),
    panel(
      'lines',
      'Stock steps per hour',
      'Steps of the ledger by what caused them.',
      'SELECT toStartOfHour(committed_at) AS time, cause_kind, count() AS steps FROM ledger_entries WHERE $__timeFilter(committed_at) GROUP BY time, cause_kind ORDER BY time',
    ),
    panel(
      'bars',
      'Stock turns per year by location',
      'Units sold against average stock, over the time shown.',
      'SELECT location, round(avg(turns_per_year), 2) AS turns FROM stock_turn(from = $__fromTime, until = $__toTime) WHERE turns_per_year IS NOT NULL GROUP BY location ORDER BY turns DESC LIMIT 10',
    ),
    panel(
      'table',
      'Oversold and empty, worst first',
      'What to look at first.',
      'SELECT sku, location, available, on_hand, reserved, changed_at FROM stock_now WHERE available <= 0 ORDER BY available, sku LIMIT 50',
    ),
    panel(
      'table',
      'Longest without a sale',
      'Goods that lie.',
      'SELECT sku, location, on_hand, days_since_sale, last_sold_at FROM stock_aging ORDER BY days_since_sale DESC, on_hand DESC LIMIT 50',
    ),
  ],
};

export const channelBoard: Board = {
  uid: 'stockline-channels',
  title: 'Channel health and oversell risk',
  description:
    'What each channel offers, how quickly it learns of changes, and where it may sell too much.',
  from: 'now-24h',
  variables: [],
  panels: [
    stat(
      'Channels',
      'With at least one figure.',
      'SELECT uniqExact(channel) AS channels FROM channel_now',
    ),
    stat(
      'SKUs offered',
      'Sellable on any channel.',
      'SELECT uniqExactIf(sku, sellable > 0) AS skus FROM channel_now',
    ),
    stat(
      'Sold out',
      'Figures that stand at out.',
      "SELECT countIf(status = 'out') AS figures FROM channel_now",
    ),
    stat(
      'At risk',
      'Offered although fewer than three units are available.',
      'SELECT count() AS skus FROM (SELECT sku, sum(available) AS units FROM stock_now GROUP BY sku HAVING units < 3) AS s INNER JOIN (SELECT DISTINCT sku FROM channel_now WHERE sellable > 0) AS c USING (sku)',
    ),
    stat(
      'Lost sales, units',
      'Estimated over the time shown: hours without stock times sales per hour with stock.',
      'SELECT round(sum(lost_units), 1) AS units FROM lost_sales(from = $__fromTime, until = $__toTime)',
    ),
    stat(
      'Deliveries failed',
      'Attempts over the time shown that the destination did not take.',
      "SELECT countIf(outcome NOT IN ('accepted', 'queued', 'verified')) AS attempts FROM deliveries_attempted WHERE $__timeFilter(attempted_at)",
    ),
    panel(
      'bars',
      'Figures by channel and status',
      'In stock, low, sold out.',
      'SELECT channel, status, count() AS figures FROM channel_now GROUP BY channel, status ORDER BY channel, status',
    ),
    panel(
      'lines',
      'Figures published per minute',
      'A channel that is silent while others publish needs a look.',
      'SELECT toStartOfMinute(since) AS time, channel, count() AS figures FROM channel_availability WHERE $__timeFilter(since) GROUP BY time, channel ORDER BY time',
    ),
    panel(
      'lines',
      'COMMIT to channel, p99',
      'How old a change is when a channel can read it.',
      "SELECT minute AS time, system, p99_ms FROM hop_latency WHERE hop = 'channels' AND $__timeFilter(minute) ORDER BY time",
      { unit: 'ms' },
    ),
    panel(
      'lines',
      'Delivery attempts per hour',
      'By what came of them.',
      'SELECT toStartOfHour(attempted_at) AS time, outcome, count() AS attempts FROM deliveries_attempted WHERE $__timeFilter(attempted_at) GROUP BY time, outcome ORDER BY time',
    ),
    panel(
      'table',
      'Oversell risk',
      'Offered, but nearly gone: units available, on offer, and sold in the last hours shown.',
      'SELECT c.sku AS sku, c.channel AS channel, c.sellable AS sellable, s.units AS available, sold.units AS sold FROM channel_now AS c INNER JOIN (SELECT sku, sum(available) AS units FROM stock_now GROUP BY sku) AS s USING (sku) LEFT JOIN (SELECT sku, sum(units_sold) AS units FROM sales_hourly WHERE $__timeFilter(hour) GROUP BY sku) AS sold USING (sku) WHERE c.sellable > 0 ORDER BY s.units, sold.units DESC LIMIT 50',
    ),
    panel(
      'table',
      'Hours sold out by channel',
      'Longest first, within the time shown.',
      "SELECT channel, sku, round(sum(dateDiff('second', greatest(since, $__fromTime), least(until, $__toTime))) / 3600, 2) AS hours FROM channel_availability WHERE status = 'out' AND until > $__fromTime AND since < $__toTime GROUP BY channel, sku ORDER BY hours DESC LIMIT 50",
    ),
  ],
};

export const skuBoard: Board = {
  uid: 'stockline-sku',
  title: 'Shop and SKU',
  description: 'Everything about one SKU at one location.',
  from: 'now-7d',
  variables: [skus, shops],
  panels: [
    stat(
      'On hand',
      'Units physically there.',
      `SELECT sum(on_hand) AS units FROM stock_now WHERE sku = ${chosenSku} AND location = ${chosenLocation}`,
    ),
    stat(
      'Available',
      'What may be promised.',
      `SELECT sum(available) AS units FROM stock_now WHERE sku = ${chosenSku} AND location = ${chosenLocation}`,
    ),
    stat(
      'Reserved',
      'Promised to orders.',
      `SELECT sum(reserved) AS units FROM stock_now WHERE sku = ${chosenSku} AND location = ${chosenLocation}`,
    ),
    stat(
      'At all locations',
      'Units on hand.',
      `SELECT sum(on_hand) AS units FROM stock_now WHERE sku = ${chosenSku}`,
    ),
    stat(
      'Sold',
      'Units in the time shown.',
      `SELECT sum(units_sold) AS units FROM sales_hourly WHERE sku = ${chosenSku} AND location = ${chosenLocation} AND $__timeFilter(hour)`,
    ),
    stat(
      'Steps',
      'Of the ledger in the time shown.',
      `SELECT count() AS steps FROM ledger_entries WHERE sku = ${chosenSku} AND location = ${chosenLocation} AND $__timeFilter(committed_at)`,
    ),
    panel(
      'lines',
      'Stock over time',
      'On hand and available after each step.',
      `SELECT committed_at AS time, on_hand, available FROM ledger_entries WHERE sku = ${chosenSku} AND location = ${chosenLocation} AND $__timeFilter(committed_at) ORDER BY sequence`,
    ),
    panel(
      'lines',
      'Units sold per hour',
      'At this location.',
      `SELECT hour AS time, units_sold AS sold, units_returned AS returned FROM sales_hourly WHERE sku = ${chosenSku} AND location = ${chosenLocation} AND $__timeFilter(hour) ORDER BY time`,
    ),
    panel(
      'bars',
      'Stock by location',
      'Units on hand.',
      `SELECT location, on_hand FROM stock_now WHERE sku = ${chosenSku} ORDER BY on_hand DESC LIMIT 20`,
    ),
    panel(
      'lines',
      'Sellable by channel',
      'As published.',
      `SELECT since AS time, channel, sellable FROM channel_availability WHERE sku = ${chosenSku} AND $__timeFilter(since) ORDER BY time`,
    ),
    panel(
      'table',
      'What each step did',
      'Latest first, with the document.',
      `SELECT sequence, occurred_at, bucket, kind, reason, quantity, applied, reference, system FROM ledger_entry_changes WHERE sku = ${chosenSku} AND location = ${chosenLocation} ORDER BY sequence DESC, change LIMIT 100`,
      { width: 24 },
    ),
    panel(
      'table',
      'What the sources said',
      'Latest first.',
      `SELECT committed_at, occurred_at, system, kind, reason, bucket, quantity, asserted, reference FROM movements_of_sku WHERE sku = ${chosenSku} AND location = ${chosenLocation} ORDER BY committed_at DESC LIMIT 100`,
      { width: 24 },
    ),
  ],
};
