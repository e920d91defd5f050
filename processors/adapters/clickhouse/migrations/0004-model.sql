-- The model for analysts, on top of 0002-views.sql: what was sold, lost, late, stuck, shrunk, and what is expected.

CREATE OR REPLACE VIEW sales_hourly
(
    `hour` DateTime('UTC') COMMENT 'Hour of the sale, business time.',
    `location` LowCardinality(String) COMMENT 'Shop.',
    `sku` String COMMENT 'SKU.',
    `units_sold` Decimal(18, 3) COMMENT 'Units sold, voids taken off.',
    `units_returned` Decimal(18, 3) COMMENT 'Units brought back.',
    `receipts` UInt64 COMMENT 'Receipts with at least one line of the SKU that stands.'
)
AS SELECT hour, location, sku, -sumIf(units, reason = 'sale') AS units_sold, sumIf(units, reason = 'return') AS units_returned,
  uniqExactIf(reference, standing > 0) AS receipts
FROM
(
  SELECT toStartOfHour(occurred_at) AS hour, location, sku, reason, reference, sum(quantity) AS units,
    sum(if(asserted, 1, -1)) AS standing
  FROM sale_lines FINAL
  WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
  GROUP BY hour, location, sku, reason, reference
)
GROUP BY hour, location, sku
HAVING units_sold != 0 OR units_returned != 0 OR receipts > 0
COMMENT 'Sales per hour, shop and SKU as the tills tell them.';

CREATE OR REPLACE VIEW sales_daily
(
    `day` Date COMMENT 'Day of the sale, UTC.',
    `location` LowCardinality(String) COMMENT 'Shop.',
    `sku` String COMMENT 'SKU.',
    `units_sold` Decimal(18, 3) COMMENT 'Units sold, voids taken off.',
    `units_returned` Decimal(18, 3) COMMENT 'Units brought back.',
    `receipts` UInt64 COMMENT 'Receipts with the SKU, counted per hour.'
)
AS SELECT toDate(hour) AS day, location, sku, sum(units_sold) AS units_sold, sum(units_returned) AS units_returned, sum(receipts) AS receipts
FROM sales_hourly GROUP BY day, location, sku
COMMENT 'Sales per day, shop and SKU.';

CREATE OR REPLACE VIEW stock_intervals
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `since` DateTime64(3, 'UTC') COMMENT 'From here …',
    `until` DateTime64(3, 'UTC') COMMENT '… up to here, or now.',
    `on_hand` Decimal(18, 3) COMMENT 'Units physically there meanwhile.',
    `available` Decimal(18, 3) COMMENT 'Units that could be sold meanwhile; negative means oversold.',
    `sequence` UInt64 COMMENT 'The step that began it.'
)
AS SELECT sku, location, committed_at AS since,
  leadInFrame(committed_at, 1, greatest(committed_at, now64(3, 'UTC'))) OVER
    (PARTITION BY sku, location ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until,
  on_hand, available, sequence
FROM ledger_entries
COMMENT 'How long each figure of a cell stood, by the sources clock.';

CREATE OR REPLACE VIEW stock_at
AS SELECT sku, location, argMax(on_hand, sequence) AS on_hand, argMax(reserved, sequence) AS reserved,
  argMax(incoming, sequence) AS incoming, argMax(in_transit, sequence) AS in_transit, argMax(damaged, sequence) AS damaged,
  argMax(quality_control, sequence) AS quality_control, argMax(safety_stock, sequence) AS safety_stock,
  argMax(available, sequence) AS available, max(sequence) AS last_sequence, argMax(committed_at, sequence) AS changed_at
FROM ledger_entries
WHERE recorded_at <= {at:DateTime64(3)}
GROUP BY sku, location
COMMENT 'stock_at(at = ''2026-03-02 12:00:00''): stock of every cell as it was published at a moment, UTC.';

CREATE OR REPLACE VIEW channel_availability
(
    `channel` LowCardinality(String) COMMENT 'Sales channel.',
    `sku` String COMMENT 'SKU.',
    `since` DateTime64(3, 'UTC') COMMENT 'From here …',
    `until` DateTime64(3, 'UTC') COMMENT '… up to here, or now.',
    `sellable` Decimal(18, 3) COMMENT 'Units that the channel could sell meanwhile.',
    `status` LowCardinality(String) COMMENT 'inStock, low or out.',
    `sequence` UInt64 COMMENT 'The published figure.'
)
AS SELECT channel, sku, _timestamp AS since,
  leadInFrame(_timestamp, 1, greatest(_timestamp, now64(3, 'UTC'))) OVER
    (PARTITION BY channel, sku ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until,
  sellable, status, sequence
FROM channel_stock FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages) AND NOT deleted
COMMENT 'What each channel showed of each SKU, and how long.';

CREATE OR REPLACE VIEW lost_sales
AS SELECT sku, location, round(out_seconds / 3600, 1) AS hours_out, round(in_seconds / 3600, 1) AS hours_in, units_sold,
  if(in_seconds = 0, 0, toFloat64(units_sold) / in_seconds * 3600) AS units_per_hour,
  round(units_per_hour * hours_out, 2) AS lost_units
FROM
(
  SELECT sku, location,
    sumIf(dateDiff('second', greatest(since, {from:DateTime64(3)}), least(until, {until:DateTime64(3)})), available <= 0) AS out_seconds,
    sumIf(dateDiff('second', greatest(since, {from:DateTime64(3)}), least(until, {until:DateTime64(3)})), available > 0) AS in_seconds
  FROM stock_intervals
  WHERE since < {until:DateTime64(3)} AND until > {from:DateTime64(3)}
  GROUP BY sku, location
) AS time
LEFT JOIN
(
  SELECT sku, location, sum(s.units_sold) AS units_sold
  FROM sales_hourly AS s
  WHERE hour >= {from:DateTime64(3)} AND hour < {until:DateTime64(3)}
  GROUP BY sku, location
) AS sold USING (sku, location)
WHERE out_seconds > 0
COMMENT 'lost_sales(from = …, until = …): what was probably not sold while a cell was empty: its hours without stock times its sales per hour with stock.';

CREATE OR REPLACE VIEW stock_turn
AS SELECT sku, location, units_sold, round(unit_seconds / dateDiff('second', {from:DateTime64(3)}, {until:DateTime64(3)}), 3) AS average_on_hand,
  if(average_on_hand <= 0, NULL, round(toFloat64(units_sold) / average_on_hand * 31557600 / dateDiff('second', {from:DateTime64(3)}, {until:DateTime64(3)}), 2)) AS turns_per_year,
  if(units_sold <= 0, NULL, round(average_on_hand / toFloat64(units_sold) * dateDiff('second', {from:DateTime64(3)}, {until:DateTime64(3)}) / 86400, 1)) AS days_of_stock
FROM
(
  SELECT sku, location,
    sum(toFloat64(on_hand) * dateDiff('second', greatest(since, {from:DateTime64(3)}), least(until, {until:DateTime64(3)}))) AS unit_seconds
  FROM stock_intervals
  WHERE since < {until:DateTime64(3)} AND until > {from:DateTime64(3)}
  GROUP BY sku, location
) AS held
LEFT JOIN
(
  SELECT sku, location, sum(s.units_sold) AS units_sold
  FROM sales_hourly AS s
  WHERE hour >= {from:DateTime64(3)} AND hour < {until:DateTime64(3)}
  GROUP BY sku, location
) AS sold USING (sku, location)
COMMENT 'stock_turn(from = …, until = …): how often the average stock of a cell was sold, by the year, and how many days it lasts.';

CREATE OR REPLACE VIEW sell_through
AS SELECT sku, location, units_sold, greatest(opening, 0) AS opening, received,
  if(greatest(opening, 0) + received <= 0, NULL, round(100 * toFloat64(units_sold) / toFloat64(greatest(opening, 0) + received), 1)) AS percent
FROM
(
  SELECT sku, location, argMinIf(on_hand, sequence, until > {from:DateTime64(3)}) AS opening
  FROM stock_intervals WHERE since < {until:DateTime64(3)} GROUP BY sku, location
) AS held
LEFT JOIN
(
  SELECT sku, location, sum(quantity) AS received
  FROM movements_of_sku
  WHERE bucket = 'onHand' AND kind = 'event' AND reason = 'receipt' AND occurred_at >= {from:DateTime64(3)} AND occurred_at < {until:DateTime64(3)}
  GROUP BY sku, location
) AS receipts USING (sku, location)
LEFT JOIN
(
  SELECT sku, location, sum(s.units_sold) AS units_sold
  FROM sales_hourly AS s
  WHERE hour >= {from:DateTime64(3)} AND hour < {until:DateTime64(3)}
  GROUP BY sku, location
) AS sold USING (sku, location)
COMMENT 'sell_through(from = …, until = …): percent of what was there and came that was sold.';

CREATE OR REPLACE VIEW on_time
(
    `system` LowCardinality(String) COMMENT 'Source system.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `expected_day` Date COMMENT 'Day on which it was expected.',
    `units` Decimal(18, 3) COMMENT 'Units that arrived against this day.',
    `units_on_time` Decimal(18, 3) COMMENT 'Of these on that day or before.',
    `days_late` Float64 COMMENT 'Mean days after it, weighted by units; negative: before.'
)
AS SELECT system, location, toDate(expected_at) AS expected_day, sum(arrived) AS units, sumIf(arrived, toDate(arrived_at) <= toDate(expected_at)) AS units_on_time,
  toFloat64(sum(arrived * dateDiff('day', toDate(expected_at), toDate(arrived_at)))) / toFloat64(sum(arrived)) AS days_late
FROM
(
  SELECT m.system AS system, m.location AS location, e.expected_at AS expected_at, m.arrived_at AS arrived_at, least(e.units, m.units) AS arrived
  FROM
  (
    SELECT movement_id, sku, location, any(system) AS system, max(occurred_at) AS arrived_at, sum(quantity) AS units
    FROM movements FINAL
    WHERE bucket = 'onHand' AND (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
    GROUP BY movement_id, sku, location HAVING units > 0
  ) AS m
  INNER JOIN
  (
    SELECT movement_id, sku, location, expected_at, -sum(quantity) AS units
    FROM movements FINAL
    WHERE bucket = 'incoming' AND expected_at > '1970-01-02' AND (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
    GROUP BY movement_id, sku, location, expected_at HAVING units > 0
  ) AS e USING (movement_id, sku, location)
)
GROUP BY system, location, expected_day
COMMENT 'Deliveries against the day on which they were expected: what a source transaction booked in while it took it off what was incoming.';

CREATE OR REPLACE VIEW shrinkage
(
    `day` Date COMMENT 'Day, business time.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `sku` String COMMENT 'SKU.',
    `cause` LowCardinality(String) COMMENT 'count, correction, scrap: why the figure changed without a sale or a receipt.',
    `units_lost` Decimal(18, 3) COMMENT 'Units fewer; negative: units found.',
    `times` UInt64 COMMENT 'How often.'
)
AS SELECT toDate(occurred_at) AS day, location, sku, if(kind = 'count', 'count', reason) AS cause, -sum(applied) AS units_lost, count() AS times
FROM ledger_entry_changes
WHERE bucket = 'onHand' AND (kind = 'count' OR reason IN ('scrap', 'correction', 'adjust', 'adjustment')) AND applied != 0
GROUP BY day, location, sku, cause
COMMENT 'Stock that went or came without a document of sale or receipt.';

CREATE OR REPLACE VIEW stock_aging
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `on_hand` Decimal(18, 3) COMMENT 'Units physically there.',
    `last_received_at` DateTime64(3, 'UTC') COMMENT 'Last receipt; 1970: none known.',
    `last_sold_at` DateTime64(3, 'UTC') COMMENT 'Last sale; 1970: none known.',
    `days_since_sale` Int64 COMMENT 'Days since the last sale, or since the last receipt where nothing was sold.'
)
AS SELECT s.sku AS sku, s.location AS location, s.on_hand AS on_hand, m.last_received_at AS last_received_at, m.last_sold_at AS last_sold_at,
  dateDiff('day', greatest(m.last_received_at, m.last_sold_at, m.first_seen_at), now64(3, 'UTC')) AS days_since_sale
FROM stock_now AS s
LEFT JOIN
(
  SELECT sku, location, maxIf(occurred_at, reason = 'receipt') AS last_received_at, maxIf(occurred_at, reason = 'sale') AS last_sold_at,
    min(occurred_at) AS first_seen_at
  FROM movements_of_sku WHERE bucket = 'onHand' AND asserted GROUP BY sku, location
) AS m USING (sku, location)
WHERE s.on_hand > 0
COMMENT 'How long goods have lain.';

CREATE OR REPLACE VIEW hop_latency
(
    `minute` DateTime('UTC') COMMENT 'Minute in which the record was published.',
    `hop` LowCardinality(String) COMMENT 'stock: source COMMIT to the ledger; channels: to a channel topic.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `records` UInt64 COMMENT 'Records.',
    `p50_ms` Float64 COMMENT 'Median, in milliseconds.',
    `p95_ms` Float64 COMMENT '95 of 100 are quicker.',
    `p99_ms` Float64 COMMENT '99 of 100 are quicker.'
)
AS SELECT minute, hop, system, count() AS records, quantile(0.5)(ms) AS p50_ms, quantile(0.95)(ms) AS p95_ms, quantile(0.99)(ms) AS p99_ms
FROM
(
  SELECT toStartOfMinute(_timestamp) AS minute, 'stock' AS hop, system, dateDiff('millisecond', committed_at, _timestamp) AS ms
  FROM ledger WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages) AND transaction != ''
  UNION ALL
  SELECT toStartOfMinute(_timestamp) AS minute, 'channels' AS hop, system, dateDiff('millisecond', committed_at, _timestamp) AS ms
  FROM channel_stock WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages) AND transaction != ''
)
GROUP BY minute, hop, system
COMMENT 'How long a change took from its COMMIT in the source; snapshot reads are left out.';

CREATE OR REPLACE VIEW source_activity
(
    `minute` DateTime('UTC') COMMENT 'Minute in which it was published.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `movements` UInt64 COMMENT 'Movements.',
    `effects` UInt64 COMMENT 'Effects.',
    `retracted` UInt64 COMMENT 'Effects that take an earlier one back.',
    `last_committed_at` DateTime64(3, 'UTC') COMMENT 'Last COMMIT in the source.'
)
AS SELECT toStartOfMinute(_timestamp) AS minute, system, uniqExact(movement_id) AS movements, count() AS effects, countIf(NOT asserted) AS retracted,
  max(committed_at) AS last_committed_at
FROM movements FINAL WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages) GROUP BY minute, system
COMMENT 'What each source told, by the minute.';

CREATE OR REPLACE VIEW load_status
(
    `topic` LowCardinality(String) COMMENT 'Topic.',
    `table` LowCardinality(String) COMMENT 'Table.',
    `lineage` UInt32 COMMENT 'Which life of the topic.',
    `partitions` UInt64 COMMENT 'Partitions that have told something.',
    `offsets` UInt64 COMMENT 'Offsets that the table has come past.',
    `last_record_at` DateTime64(3, 'UTC') COMMENT 'Time of the last record.',
    `written_at` DateTime64(3, 'UTC') COMMENT 'When the last block was written.'
)
AS SELECT topic, table, lineage, count() AS partitions, sum(next_offset) AS offsets, max(last_timestamp) AS last_record_at, max(r.written_at) AS written_at
FROM load_ranges AS r FINAL
WHERE (topic, lineage) IN (SELECT topic, lineage FROM current_lineages)
GROUP BY topic, table, lineage
COMMENT 'How far each table has come.';

CREATE OR REPLACE VIEW anomalies_now
(
    `id` String COMMENT 'Names the episode.',
    `kind` LowCardinality(String) COMMENT 'What kind.',
    `state` LowCardinality(String) COMMENT 'open, updated, acknowledged or closed.',
    `severity` LowCardinality(String) COMMENT 'info, warning or critical.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `till` LowCardinality(String) COMMENT 'Till, or empty.',
    `system` LowCardinality(String) COMMENT 'Source system, or empty.',
    `message` String COMMENT 'One sentence.',
    `expected` String COMMENT 'What was expected.',
    `seen` String COMMENT 'What was seen.',
    `expected_value` Float64 COMMENT 'What was expected, as a figure.',
    `seen_value` Float64 COMMENT 'What was seen, as a figure.',
    `opened_at` DateTime64(3, 'UTC') COMMENT 'When it was first seen.',
    `observed_at` DateTime64(3, 'UTC') COMMENT 'When it was last told.',
    `closed_at` DateTime64(3, 'UTC') COMMENT 'When it was over; 1970 while it is open.',
    `acknowledged_by` String COMMENT 'Who has acknowledged it, or empty.',
    `evidence_names` Array(String) COMMENT 'What was looked at.',
    `evidence_values` Array(String) COMMENT 'Its values, in the same order.'
)
AS SELECT a.id AS id, argMax(a.kind, a._offset) AS kind, argMax(a.state, a._offset) AS state, argMax(a.severity, a._offset) AS severity, argMax(a.sku, a._offset) AS sku, argMax(a.location, a._offset) AS location, argMax(a.till, a._offset) AS till, argMax(a.system, a._offset) AS system, argMax(a.message, a._offset) AS message, argMax(a.expected, a._offset) AS expected, argMax(a.seen, a._offset) AS seen, argMax(a.expected_value, a._offset) AS expected_value, argMax(a.seen_value, a._offset) AS seen_value, argMax(a.opened_at, a._offset) AS opened_at, argMax(a.observed_at, a._offset) AS observed_at, argMax(a.closed_at, a._offset) AS closed_at, argMax(a.acknowledged_by, a._offset) AS acknowledged_by, argMax(a.evidence_names, a._offset) AS evidence_names, argMax(a.evidence_values, a._offset) AS evidence_values
FROM anomalies AS a
WHERE (a._topic, a._lineage) IN (SELECT topic, lineage FROM current_lineages)
GROUP BY a.id
COMMENT 'One row per episode of an anomaly, as it stands.';

CREATE OR REPLACE VIEW proposals_now
(
    `id` String COMMENT 'Names the proposal.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `state` LowCardinality(String) COMMENT 'proposed, approved, rejected or superseded.',
    `made_at` DateTime64(3, 'UTC') COMMENT 'When it was made.',
    `on_hand` Decimal(18, 3) COMMENT 'Units physically there.',
    `available` Decimal(18, 3) COMMENT 'Units that may be sold.',
    `incoming` Decimal(18, 3) COMMENT 'Units on order and on the way.',
    `daily_demand` Decimal(18, 3) COMMENT 'Units a day expected.',
    `lead_time_days` Float64 COMMENT 'Mean days from the order to the shelf.',
    `service_level` Float64 COMMENT 'Wanted probability that demand is met.',
    `stock_out_at` DateTime64(3, 'UTC') COMMENT 'When stock has more likely than not run out; 1970: beyond the horizon.',
    `stock_out_probability` Float64 COMMENT 'How likely stock runs out before an order of today arrives.',
    `reorder_point` Decimal(18, 3) COMMENT 'Order at or below this.',
    `order_up_to` Decimal(18, 3) COMMENT 'What is wanted after the order.',
    `quantity` Decimal(18, 3) COMMENT 'Units to order.',
    `decided_by` String COMMENT 'Who decided, or empty.',
    `reason` String COMMENT 'Why.'
)
AS SELECT a.id AS id, argMax(a.sku, a._offset) AS sku, argMax(a.location, a._offset) AS location, argMax(a.state, a._offset) AS state, argMax(a.made_at, a._offset) AS made_at, argMax(a.on_hand, a._offset) AS on_hand, argMax(a.available, a._offset) AS available, argMax(a.incoming, a._offset) AS incoming, argMax(a.daily_demand, a._offset) AS daily_demand, argMax(a.lead_time_days, a._offset) AS lead_time_days, argMax(a.service_level, a._offset) AS service_level, argMax(a.stock_out_at, a._offset) AS stock_out_at, argMax(a.stock_out_probability, a._offset) AS stock_out_probability, argMax(a.reorder_point, a._offset) AS reorder_point, argMax(a.order_up_to, a._offset) AS order_up_to, argMax(a.quantity, a._offset) AS quantity, argMax(a.decided_by, a._offset) AS decided_by, argMax(a.reason, a._offset) AS reason
FROM replenishment_proposals AS a
WHERE (a._topic, a._lineage) IN (SELECT topic, lineage FROM current_lineages)
GROUP BY a.id
COMMENT 'One row per replenishment proposal, as it stands.';

CREATE OR REPLACE VIEW forecasts_now
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `made_at` DateTime64(3, 'UTC') COMMENT 'When it was made.',
    `method` LowCardinality(String) COMMENT 'What forecasts the cell.',
    `daily_demand` Decimal(18, 3) COMMENT 'Units a day at present.',
    `stock_out_at` DateTime64(3, 'UTC') COMMENT 'When stock has more likely than not run out; 1970: beyond the horizon.',
    `stock_out_probability` Float64 COMMENT 'How likely it runs out within the days forecast.',
    `start` DateTime64(3, 'UTC') COMMENT 'Beginning of the step.',
    `hours` UInt32 COMMENT 'Its length.',
    `expected` Decimal(18, 3) COMMENT 'Mean demand in the step.',
    `lower80` Decimal(18, 3) COMMENT '10 percent lie below.',
    `median` Decimal(18, 3) COMMENT 'Half lie below.',
    `upper80` Decimal(18, 3) COMMENT '10 percent lie above.',
    `lower95` Decimal(18, 3) COMMENT '2.5 percent lie below.',
    `upper95` Decimal(18, 3) COMMENT '2.5 percent lie above.'
)
AS SELECT sku, location, made_at, method, daily_demand, stock_out_at, stock_out_probability, start, hours, expected, lower80, median, upper80, lower95, upper95
FROM forecasts FINAL
WHERE NOT deleted AND (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
  AND (sku, location, _partition, _offset) IN
    (SELECT sku, location, _partition, max(_offset) FROM forecasts WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages) GROUP BY sku, location, _partition)
COMMENT 'The latest forecast of each cell, step by step.';

CREATE OR REPLACE VIEW freshness_now
(
    `source` LowCardinality(String) COMMENT 'Source system.',
    `hop` LowCardinality(String) COMMENT 'capture, intake, stock, channels or analytics.',
    `as_of` DateTime64(3, 'UTC') COMMENT 'Everything committed up to here is contained.',
    `observed_at` DateTime64(3, 'UTC') COMMENT 'When it was last told.',
    `state` LowCardinality(String) COMMENT 'fresh, degraded or unknown.',
    `reason` String COMMENT 'Why it is not fresh.'
)
AS SELECT a.source AS source, a.hop AS hop, argMax(a.as_of, a.observed_at) AS as_of, max(a.observed_at) AS observed_at, argMax(a.state, a.observed_at) AS state, argMax(a.reason, a.observed_at) AS reason
FROM freshness AS a
WHERE (a._topic, a._lineage) IN (SELECT topic, lineage FROM current_lineages)
GROUP BY a.source, a.hop
COMMENT 'How far each source and hop has come.';

CREATE OR REPLACE VIEW requests_asked
(
    `client` LowCardinality(String) COMMENT 'Client.',
    `idempotency_key` String COMMENT 'The client''s key.',
    `kind` LowCardinality(String) COMMENT 'What is asked.',
    `line` UInt32 COMMENT 'Line.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `quantity` Decimal(18, 3) COMMENT 'Units asked for.',
    `channel` LowCardinality(String) COMMENT 'Sales channel, or empty.',
    `reference` String COMMENT 'Document.',
    `actor` String COMMENT 'Who.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'Business time.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When it was published.'
)
AS SELECT client, idempotency_key, kind, line, sku, location, quantity, channel, reference, actor, occurred_at, _timestamp AS recorded_at
FROM requests FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'What clients asked, line by line.';

CREATE OR REPLACE VIEW outcomes_given
(
    `client` LowCardinality(String) COMMENT 'Client.',
    `idempotency_key` String COMMENT 'The client''s key.',
    `accepted` Bool COMMENT 'Accepted or refused.',
    `code` LowCardinality(String) COMMENT 'Stable reason code; empty when accepted.',
    `reservation` String COMMENT 'Reservation made, or empty.',
    `state` LowCardinality(String) COMMENT 'The reservation''s state.',
    `line` UInt32 COMMENT 'Line.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `quantity` Decimal(18, 3) COMMENT 'Units granted.',
    `short` Decimal(18, 3) COMMENT 'Units missing.',
    `line_code` LowCardinality(String) COMMENT 'Why the line is short.',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'When.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When it was published.'
)
AS SELECT client, idempotency_key, accepted, code, reservation, state, line, sku, location, quantity, short, line_code, decided_at, _timestamp AS recorded_at
FROM outcomes FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'What came of requests, line by line.';

CREATE OR REPLACE VIEW decisions_taken
(
    `command_id` String COMMENT 'Request and line.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `accepted` Bool COMMENT 'Accepted or refused.',
    `code` LowCardinality(String) COMMENT 'Stable reason code; empty when accepted.',
    `quantity` Decimal(18, 3) COMMENT 'Units granted.',
    `short` Decimal(18, 3) COMMENT 'Units missing.',
    `sequence` UInt64 COMMENT 'The cell''s sequence at the decision.',
    `reservation` String COMMENT 'Reservation, or empty.',
    `state` LowCardinality(String) COMMENT 'Its state.',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'When.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When it was published.'
)
AS SELECT command_id, sku, location, accepted, code, quantity, short, sequence, reservation, state, decided_at, _timestamp AS recorded_at
FROM decisions FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'What the single writer of each SKU decided.';

CREATE OR REPLACE VIEW deliveries_attempted
(
    `destination` LowCardinality(String) COMMENT 'Webhook subscription or marketplace account.',
    `destination_kind` LowCardinality(String) COMMENT 'webhook, amazon, ebay, shop or other.',
    `channel` LowCardinality(String) COMMENT 'Sales channel.',
    `sku` String COMMENT 'SKU.',
    `sequence` UInt64 COMMENT 'Sequence of the figure.',
    `sellable` Decimal(18, 3) COMMENT 'Units told.',
    `attempt` UInt32 COMMENT 'Counts the attempts of the figure.',
    `outcome` LowCardinality(String) COMMENT 'What came of it.',
    `status` UInt32 COMMENT 'HTTP status.',
    `took_ms` UInt32 COMMENT 'Duration of the call.',
    `attempted_at` DateTime64(3, 'UTC') COMMENT 'When the call began.',
    `published_at` DateTime64(3, 'UTC') COMMENT 'When the figure was written to its topic.',
    `reason` String COMMENT 'What the destination said.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When it was published.'
)
AS SELECT destination, destination_kind, channel, sku, sequence, sellable, attempt, outcome, status, took_ms, attempted_at, published_at, reason, _timestamp AS recorded_at
FROM delivery_attempts FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'Every attempt to tell a figure outside.';
