/** What is unusual, and what is expected. */
import { type Board, panel, stat } from './board.ts';

export const anomalyBoard: Board = {
  uid: 'stockline-anomalies',
  title: 'Anomalies',
  description: 'What is unusual, what was expected instead, and who looks after it.',
  from: 'now-7d',
  variables: [],
  panels: [
    stat(
      'Open',
      'Episodes that are not over.',
      "SELECT countIf(state != 'closed') AS episodes FROM anomalies_now",
    ),
    stat(
      'Critical',
      'Open and critical.',
      "SELECT countIf(state != 'closed' AND severity = 'critical') AS episodes FROM anomalies_now",
    ),
    stat(
      'Not acknowledged',
      'Open, and nobody has taken them.',
      "SELECT countIf(state != 'closed' AND acknowledged_by = '') AS episodes FROM anomalies_now",
    ),
    stat(
      'Median duration',
      'Of episodes that are over.',
      "SELECT quantileIf(0.5)(dateDiff('second', opened_at, closed_at), state = 'closed') AS seconds FROM anomalies_now",
      's',
    ),
    stat(
      'Cells concerned',
      'SKUs at locations with an open episode.',
      "SELECT uniqExactIf((sku, location), state != 'closed' AND sku != '') AS cells FROM anomalies_now",
    ),
    stat(
      'Opened',
      'In the time shown.',
      'SELECT count() AS episodes FROM anomalies_now WHERE $__timeFilter(opened_at)',
    ),
    panel(
      'bars',
      'By kind',
      'Open and closed episodes.',
      "SELECT kind, if(state = 'closed', 'closed', 'open') AS now, count() AS episodes FROM anomalies_now GROUP BY kind, now ORDER BY kind, now",
    ),
    panel(
      'lines',
      'Opened per day',
      'By kind.',
      'SELECT toStartOfDay(opened_at) AS time, kind, count() AS episodes FROM anomalies_now WHERE $__timeFilter(opened_at) GROUP BY time, kind ORDER BY time',
    ),
    panel(
      'table',
      'Open episodes',
      'The most severe and latest first.',
      "SELECT severity, kind, sku, location, till, system, expected, seen, opened_at, acknowledged_by FROM anomalies_now WHERE state != 'closed' ORDER BY severity = 'critical' DESC, opened_at DESC LIMIT 100",
      { width: 24, height: 10 },
    ),
    panel(
      'table',
      'Closed episodes',
      'What it was, and how long it lasted.',
      "SELECT kind, sku, location, message, opened_at, closed_at, dateDiff('minute', opened_at, closed_at) AS minutes FROM anomalies_now WHERE state = 'closed' ORDER BY closed_at DESC LIMIT 50",
      { width: 24 },
    ),
  ],
};

export const forecastBoard: Board = {
  uid: 'stockline-forecast',
  title: 'Forecast and replenishment',
  description: 'What will be asked for, when stock runs out, and what to order.',
  from: 'now-14d',
  variables: [],
  panels: [
    stat(
      'Cells forecast',
      'With a present forecast.',
      'SELECT uniqExact(sku, location) AS cells FROM forecasts_now',
    ),
    stat(
      'Likely to run out',
      'Above 50 percent within the days forecast.',
      'SELECT uniqExactIf((sku, location), stock_out_probability > 0.5) AS cells FROM forecasts_now',
    ),
    stat(
      'Demand a day',
      'Units expected, all cells.',
      'SELECT sum(demand) AS units FROM (SELECT sku, location, any(daily_demand) AS demand FROM forecasts_now GROUP BY sku, location)',
    ),
    stat(
      'To decide',
      'Proposals that wait for a person or a policy.',
      "SELECT countIf(state = 'proposed') AS proposals FROM proposals_now",
    ),
    stat(
      'Units to order',
      'Of proposals that wait.',
      "SELECT sumIf(quantity, state = 'proposed') AS units FROM proposals_now",
    ),
    stat(
      'On time',
      'Units that arrived by the day on which they were expected.',
      'SELECT round(100 * sum(units_on_time) / sum(units), 1) AS percent FROM on_time',
      'percent',
    ),
    panel(
      'lines',
      'Demand expected',
      'By hour or day, with 80 of 100 between the outer lines.',
      'SELECT start AS time, sum(lower80) AS lower, sum(expected) AS expected, sum(upper80) AS upper FROM forecasts_now WHERE hours > 1 GROUP BY time ORDER BY time',
    ),
    panel(
      'lines',
      'Units sold per day',
      'What the forecast has to go on.',
      'SELECT toDateTime(day) AS time, sum(units_sold) AS units FROM sales_daily WHERE $__timeFilter(time) GROUP BY time ORDER BY time',
    ),
    panel(
      'bars',
      'Method of forecasting',
      'Cells by method.',
      'SELECT method, uniqExact(sku, location) AS cells FROM forecasts_now GROUP BY method ORDER BY cells DESC',
    ),
    panel(
      'bars',
      'Sell-through by location',
      'Percent of what was there and came that was sold, over the time shown.',
      'SELECT location, round(100 * toFloat64(sum(units_sold)) / toFloat64(sum(opening + received)), 1) AS percent FROM sell_through(from = $__fromTime, until = $__toTime) GROUP BY location HAVING sum(opening + received) > 0 ORDER BY percent DESC LIMIT 10',
      { unit: 'percent' },
    ),
    panel(
      'table',
      'Proposals',
      'The most urgent first.',
      "SELECT sku, location, state, quantity, available, incoming, daily_demand, reorder_point, order_up_to, round(100 * stock_out_probability) AS stock_out_percent, if(stock_out_at < '1970-01-02', '', toString(toDate(stock_out_at))) AS stock_out, decided_by, reason FROM proposals_now ORDER BY state = 'proposed' DESC, stock_out_probability DESC LIMIT 100",
      { width: 24, height: 10 },
    ),
    panel(
      'table',
      'Next to run out',
      'By the day on which stock has more likely than not run out.',
      "SELECT sku, location, any(daily_demand) AS per_day, toDate(any(stock_out_at)) AS runs_out, round(100 * any(stock_out_probability)) AS percent, any(method) AS method FROM forecasts_now WHERE stock_out_at > '1970-01-02' GROUP BY sku, location ORDER BY runs_out, sku LIMIT 50",
      { width: 24 },
    ),
  ],
};
