-- What was asked and decided, what was told outside, what is unusual and what is expected; and the narrow table of sales.

ALTER TABLE movements ADD COLUMN IF NOT EXISTS `expected_at` DateTime64(3, 'UTC') COMMENT 'For incoming and reserved: the day on which it is expected; 1970: none told.' AFTER occurred_at;

CREATE TABLE IF NOT EXISTS requests
(
    `client` LowCardinality(String) COMMENT 'Client.',
    `idempotency_key` String COMMENT 'The client''s key.',
    `kind` LowCardinality(String) COMMENT 'reserve, commit, release, fulfil, adjust, count, transfer, ...',
    `policy` LowCardinality(String) COMMENT 'FillOrKill, FillAll or FillAllAvailable.',
    `line` UInt32 COMMENT 'Place of the line in its request.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location, or empty: by preference.',
    `quantity` Decimal(18, 3) COMMENT 'Units asked for.',
    `reservation` String COMMENT 'Reservation that it acts on, or empty.',
    `channel` LowCardinality(String) COMMENT 'Sales channel, or empty.',
    `to_location` LowCardinality(String) COMMENT 'Target of a transfer, or empty.',
    `bucket` LowCardinality(String) COMMENT 'For an adjustment: the quantity that it changes.',
    `reason` String COMMENT 'Why.',
    `reference` String COMMENT 'Document.',
    `actor` String COMMENT 'Who.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'Business time.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (client, idempotency_key, _lineage, _partition, _offset, line)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row per line of inventory.request.v1.';

CREATE TABLE IF NOT EXISTS outcomes
(
    `client` LowCardinality(String) COMMENT 'Client.',
    `idempotency_key` String COMMENT 'The client''s key.',
    `accepted` Bool COMMENT 'Accepted or refused.',
    `code` LowCardinality(String) COMMENT 'Stable reason code; empty when accepted.',
    `reason` String COMMENT 'In words.',
    `reservation` String COMMENT 'Reservation made, or empty.',
    `state` LowCardinality(String) COMMENT 'The reservation''s state, or empty.',
    `line` UInt32 COMMENT 'Place of the line in its outcome.',
    `sku` String COMMENT 'SKU; empty where there is no line.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `quantity` Decimal(18, 3) COMMENT 'Units granted.',
    `short` Decimal(18, 3) COMMENT 'Units missing.',
    `line_code` LowCardinality(String) COMMENT 'Why the line is short; empty when it is not.',
    `line_reason` String COMMENT 'In words.',
    `sequence` UInt64 COMMENT 'The cell''s sequence at the decision.',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'When.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (client, idempotency_key, _lineage, _partition, _offset, line)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row per line of inventory.outcome.v1.';

CREATE TABLE IF NOT EXISTS decisions
(
    `command_id` String COMMENT 'Request and line that it answers.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `accepted` Bool COMMENT 'Accepted or refused.',
    `code` LowCardinality(String) COMMENT 'Stable reason code; empty when accepted.',
    `reason` String COMMENT 'In words.',
    `quantity` Decimal(18, 3) COMMENT 'Units granted.',
    `short` Decimal(18, 3) COMMENT 'Units missing.',
    `sequence` UInt64 COMMENT 'The cell''s sequence at the decision.',
    `reservation` String COMMENT 'Reservation that it acted on, or empty.',
    `state` LowCardinality(String) COMMENT 'The reservation''s state for this SKU, or empty.',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'When.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (sku, _lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row per record of inventory.decision.v1.';

CREATE TABLE IF NOT EXISTS delivery_attempts
(
    `destination` LowCardinality(String) COMMENT 'Webhook subscription or marketplace account.',
    `destination_kind` LowCardinality(String) COMMENT 'webhook, amazon, ebay, shop or other.',
    `channel` LowCardinality(String) COMMENT 'Sales channel whose figure it is.',
    `sku` String COMMENT 'SKU.',
    `sequence` UInt64 COMMENT 'Sequence of the figure on its channel; 0 for a test.',
    `sellable` Decimal(18, 3) COMMENT 'Units that were told.',
    `delivery` String COMMENT 'Attempts of one delivery share it.',
    `attempt` UInt32 COMMENT 'Counts the attempts of the figure, from 1.',
    `outcome` LowCardinality(String) COMMENT 'accepted, queued, throttled, failed, unknown, refused, exhausted, ...',
    `status` UInt32 COMMENT 'HTTP status; 0 without an answer.',
    `took_ms` UInt32 COMMENT 'Duration of the call.',
    `attempted_at` DateTime64(3, 'UTC') COMMENT 'When the call began.',
    `published_at` DateTime64(3, 'UTC') COMMENT 'When the figure was written to its topic.',
    `reason` String COMMENT 'What the destination or the network said; empty when all is well.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (destination, sku, _lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row per record of inventory.delivery.v1.';

CREATE TABLE IF NOT EXISTS anomalies
(
    `id` String COMMENT 'Names the episode.',
    `subject` String COMMENT 'What it is about; at most one episode of a subject is open.',
    `kind` LowCardinality(String) COMMENT 'negativeStock, suddenDrop, salesSpike, salesSilence, silentSource, silentTill, duplicateBurst, stuckLevel or countDiscrepancy.',
    `state` LowCardinality(String) COMMENT 'open, updated, acknowledged or closed.',
    `severity` LowCardinality(String) COMMENT 'info, warning or critical.',
    `sku` String COMMENT 'SKU, or empty.',
    `location` LowCardinality(String) COMMENT 'Location, or empty.',
    `till` LowCardinality(String) COMMENT 'Till, or empty.',
    `system` LowCardinality(String) COMMENT 'Source system, or empty.',
    `message` String COMMENT 'One sentence.',
    `expected` String COMMENT 'What was expected, in words.',
    `seen` String COMMENT 'What was seen, in words.',
    `expected_value` Float64 COMMENT 'What was expected, as a figure.',
    `seen_value` Float64 COMMENT 'What was seen, as a figure.',
    `probability` Float64 COMMENT 'How likely so much is when nothing is wrong; 0 for a fact.',
    `threshold` Float64 COMMENT 'The probability below which it is told; 0 for a fact.',
    `evidence_names` Array(String) COMMENT 'What was looked at.',
    `evidence_values` Array(String) COMMENT 'Its values, in the same order.',
    `opened_at` DateTime64(3, 'UTC') COMMENT 'When it was first seen.',
    `observed_at` DateTime64(3, 'UTC') COMMENT 'When this record was written, by the stream''s clock.',
    `closed_at` DateTime64(3, 'UTC') COMMENT 'When it was over; 1970 while it is open.',
    `acknowledged_by` String COMMENT 'Who has acknowledged it, or empty.',
    `note` String COMMENT 'What that person wrote.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (kind, id, _lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every record of inventory.anomaly.v1.';

CREATE TABLE IF NOT EXISTS forecasts
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `made_at` DateTime64(3, 'UTC') COMMENT 'When it was made.',
    `from_time` DateTime64(3, 'UTC') COMMENT 'Up to here sales were known.',
    `method` LowCardinality(String) COMMENT 'seasonal, croston, sba, tsb or poor.',
    `history_days` UInt32 COMMENT 'Days of history.',
    `stock_out_days` Float64 COMMENT 'Days of these without stock, left out.',
    `daily_demand` Decimal(18, 3) COMMENT 'Units a day at present.',
    `stock_out_at` DateTime64(3, 'UTC') COMMENT 'When stock has more likely than not run out; 1970: beyond the horizon.',
    `stock_out_probability` Float64 COMMENT 'How likely it runs out within the days forecast.',
    `step` UInt32 COMMENT 'Place of the step in the forecast.',
    `start` DateTime64(3, 'UTC') COMMENT 'Beginning of the step.',
    `hours` UInt32 COMMENT 'Its length: 1, or the hours of a day.',
    `expected` Decimal(18, 3) COMMENT 'Mean demand in the step.',
    `lower95` Decimal(18, 3) COMMENT '2.5 percent lie below.',
    `lower90` Decimal(18, 3) COMMENT '5 percent lie below.',
    `lower80` Decimal(18, 3) COMMENT '10 percent lie below.',
    `median` Decimal(18, 3) COMMENT 'Half lie below.',
    `upper80` Decimal(18, 3) COMMENT '10 percent lie above.',
    `upper90` Decimal(18, 3) COMMENT '5 percent lie above.',
    `upper95` Decimal(18, 3) COMMENT '2.5 percent lie above.',
    `deleted` Bool COMMENT 'The key was removed from the topic.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (sku, location, _lineage, _partition, _offset, step)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row per step of every record of inventory.forecast.v1.';

CREATE TABLE IF NOT EXISTS replenishment_proposals
(
    `id` String COMMENT 'Names the proposal: SKU, location and day.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `state` LowCardinality(String) COMMENT 'proposed, approved, rejected or superseded.',
    `made_at` DateTime64(3, 'UTC') COMMENT 'When it was made.',
    `on_hand` Decimal(18, 3) COMMENT 'Units physically there.',
    `available` Decimal(18, 3) COMMENT 'Units that may be sold.',
    `incoming` Decimal(18, 3) COMMENT 'Units on order and on the way.',
    `daily_demand` Decimal(18, 3) COMMENT 'Units a day expected over the lead time.',
    `lead_time_days` Float64 COMMENT 'Mean days from the order to the shelf.',
    `lead_time_deviation_days` Float64 COMMENT 'Standard deviation of these days.',
    `review_days` Float64 COMMENT 'Days between two looks at the cell.',
    `service_level` Float64 COMMENT 'Wanted probability that demand until the next receipt is met.',
    `stock_out_at` DateTime64(3, 'UTC') COMMENT 'When stock has more likely than not run out; 1970: beyond the horizon.',
    `stock_out_probability` Float64 COMMENT 'How likely stock runs out before an order of today arrives.',
    `reorder_point` Decimal(18, 3) COMMENT 'Order when available and incoming together are at or below this.',
    `order_up_to` Decimal(18, 3) COMMENT 'What both together shall be after the order.',
    `quantity` Decimal(18, 3) COMMENT 'Units to order, in whole packs.',
    `decided_by` String COMMENT 'Who approved or rejected it, or empty.',
    `reason` String COMMENT 'Why.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (sku, location, id, _lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every record of inventory.proposal.v1.';

CREATE TABLE IF NOT EXISTS freshness
(
    `source` LowCardinality(String) COMMENT 'Source system.',
    `hop` LowCardinality(String) COMMENT 'capture, intake, stock, channels or analytics.',
    `position` String COMMENT 'Last position seen.',
    `as_of` DateTime64(3, 'UTC') COMMENT 'Everything committed in the source up to here is contained.',
    `observed_at` DateTime64(3, 'UTC') COMMENT 'When this was written.',
    `state` LowCardinality(String) COMMENT 'fresh, degraded or unknown.',
    `reason` String COMMENT 'Why it is not fresh.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (source, hop, _lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every record of inventory.freshness.v1; each goes to every partition.';

CREATE TABLE IF NOT EXISTS sale_lines
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Shop.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'Business time.',
    `reason` LowCardinality(String) COMMENT 'sale or return.',
    `reference` String COMMENT 'The receipt.',
    `asserted` Bool COMMENT 'False: takes an earlier row back.',
    `quantity` Decimal(18, 3) COMMENT 'Signed change of stock in units.',
    `effect` UInt32 COMMENT 'Place of the effect in its movement.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (location, toStartOfHour(occurred_at), sku, _lineage, _partition, _offset, effect)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Sales and returns as the tills tell them: the part of movements that most questions are about.';

CREATE MATERIALIZED VIEW IF NOT EXISTS sale_lines_from_movements TO sale_lines
AS SELECT sku, location, occurred_at, reason, reference, asserted, quantity, effect, _topic, _lineage, _partition, _offset, _timestamp
FROM movements
WHERE bucket = 'onHand' AND kind = 'event' AND reason IN ('sale', 'return') AND echo_role != 'posting';

-- Rows that were there before; a repetition changes nothing.
INSERT INTO sale_lines (sku, location, occurred_at, reason, reference, asserted, quantity, effect, _topic, _lineage, _partition, _offset, _timestamp)
SELECT sku, location, occurred_at, reason, reference, asserted, quantity, effect, _topic, _lineage, _partition, _offset, _timestamp
FROM movements
WHERE bucket = 'onHand' AND kind = 'event' AND reason IN ('sale', 'return') AND echo_role != 'posting';
