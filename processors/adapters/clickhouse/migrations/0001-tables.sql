-- What the topics say, row by row, with the place of each record. Ask the views of 0002-views.sql instead of these:
-- a block that is written twice is seen once there, and so is a topic that was recreated.

CREATE TABLE IF NOT EXISTS load_ranges
(
    `block` UInt64 COMMENT 'Number of the block; only the last one can be unfinished.',
    `table` LowCardinality(String) COMMENT 'Table that the range goes to.',
    `topic` LowCardinality(String) COMMENT 'Topic.',
    `lineage` UInt32 COMMENT 'Which life of the topic.',
    `partition` UInt32 COMMENT 'Partition.',
    `first_offset` UInt64 COMMENT 'First offset of the range.',
    `next_offset` UInt64 COMMENT 'Offset after the last record of the range.',
    `last_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the last record: proves later that the topic is still the same.',
    `records` UInt64 COMMENT 'Records in the range.',
    `written_at` DateTime64(3, 'UTC') COMMENT 'When.'
)
ENGINE = ReplacingMergeTree(block)
ORDER BY (table, topic, lineage, partition)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What is about to be loaded, written before it is; the latest range per table and partition stays.';

CREATE TABLE IF NOT EXISTS movements
(
    `movement_id` String COMMENT 'The same on redelivery.',
    `effect_id` String COMMENT 'Names the effect, asserted or retracted.',
    `effect` UInt32 COMMENT 'Place of the effect in its movement.',
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `kind` LowCardinality(String) COMMENT 'event, level, count or opening.',
    `asserted` Bool COMMENT 'False: takes an earlier effect back.',
    `bucket` LowCardinality(String) COMMENT 'The quantity that it changes.',
    `quantity` Decimal(18, 3) COMMENT 'Signed change in units; for a count and an opening the figure itself.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'Business time.',
    `reason` LowCardinality(String) COMMENT 'sale, return, receipt, shipment, transfer, scrap, correction, count, order, ...',
    `reference` String COMMENT 'The document.',
    `source_order` String COMMENT 'Position of the row that states it.',
    `echo_key` String COMMENT 'Names a sale that two systems tell; else empty.',
    `echo_role` LowCardinality(String) COMMENT 'till, posting or empty.',
    `echo_rule` LowCardinality(String) COMMENT 'supersede, max or empty.',
    `echo_complete` Bool COMMENT 'Posting: its document is complete.',
    `echo_contained` Bool COMMENT 'Posting: part of the opening balance.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `transaction` String COMMENT 'Source transaction; empty for snapshot reads.',
    `position` String COMMENT 'Last position of the transaction in the source''s log.',
    `committed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (sku, _lineage, _partition, _offset, effect)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row per effect of inventory.movement.v1.';

CREATE TABLE IF NOT EXISTS ledger
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `sequence` UInt64 COMMENT 'Counts the steps of the cell from 1.',
    `changes` UInt32 COMMENT 'How many rows of ledger_changes belong to it.',
    `cause_kind` LowCardinality(String) COMMENT 'movement, decision, expiry or restatement.',
    `cause_id` String COMMENT 'Movement or decision.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `transaction` String COMMENT 'Source transaction; empty for snapshot reads.',
    `position` String COMMENT 'Position in the source''s log.',
    `committed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed.',
    `on_hand` Decimal(18, 3) COMMENT 'Units physically there.',
    `reserved` Decimal(18, 3) COMMENT 'Units promised to orders.',
    `incoming` Decimal(18, 3) COMMENT 'Units ordered from suppliers.',
    `in_transit` Decimal(18, 3) COMMENT 'Units on the way between locations.',
    `damaged` Decimal(18, 3) COMMENT 'Units that cannot be sold.',
    `quality_control` Decimal(18, 3) COMMENT 'Units held for inspection.',
    `safety_stock` Decimal(18, 3) COMMENT 'Units kept back.',
    `available` Decimal(18, 3) COMMENT 'on_hand - reserved - damaged - quality_control - safety_stock; negative means oversold.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (sku, location, _lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row per step of inventory.ledger.v1, with the quantities after it.';

CREATE TABLE IF NOT EXISTS ledger_changes
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `sequence` UInt64 COMMENT 'Step of the cell.',
    `change` UInt32 COMMENT 'Place of the change in its step.',
    `bucket` LowCardinality(String) COMMENT 'The quantity that it changes.',
    `kind` LowCardinality(String) COMMENT 'event, level, count, opening, echo or restatement.',
    `quantity` Decimal(18, 3) COMMENT 'Units told by the source; for a count the counted figure.',
    `applied` Decimal(18, 3) COMMENT 'Units by which the quantity really changed.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'Business time.',
    `reason` LowCardinality(String) COMMENT 'Why.',
    `reference` String COMMENT 'Document.',
    `effect_id` String COMMENT 'Effect of the movement; empty when derived.',
    `cause_kind` LowCardinality(String) COMMENT 'movement, decision, expiry or restatement.',
    `cause_id` String COMMENT 'Movement or decision.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `transaction` String COMMENT 'Source transaction; empty for snapshot reads.',
    `position` String COMMENT 'Position in the source''s log.',
    `committed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (sku, location, _lineage, _partition, _offset, change)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row per change of inventory.ledger.v1.';

CREATE TABLE IF NOT EXISTS stock_levels
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `on_hand` Decimal(18, 3) COMMENT 'Units physically there.',
    `reserved` Decimal(18, 3) COMMENT 'Units promised to orders.',
    `incoming` Decimal(18, 3) COMMENT 'Units ordered from suppliers.',
    `in_transit` Decimal(18, 3) COMMENT 'Units on the way between locations.',
    `damaged` Decimal(18, 3) COMMENT 'Units that cannot be sold.',
    `quality_control` Decimal(18, 3) COMMENT 'Units held for inspection.',
    `safety_stock` Decimal(18, 3) COMMENT 'Units kept back.',
    `available` Decimal(18, 3) COMMENT 'on_hand - reserved - damaged - quality_control - safety_stock; negative means oversold.',
    `sequence` UInt64 COMMENT 'Steps so far.',
    `previous_sequence` UInt64 COMMENT 'The sequence published before this one.',
    `cause_kind` LowCardinality(String) COMMENT 'movement, decision, expiry or restatement.',
    `cause_id` String COMMENT 'Movement or decision.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `transaction` String COMMENT 'Source transaction; empty for snapshot reads.',
    `position` String COMMENT 'Position in the source''s log.',
    `committed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed.',
    `deleted` Bool COMMENT 'The key was removed from the topic.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree(_offset)
ORDER BY (sku, location, _lineage)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The latest figures per cell of inventory.stock.v1.';

CREATE TABLE IF NOT EXISTS channel_stock
(
    `channel` LowCardinality(String) COMMENT 'Sales channel.',
    `sku` String COMMENT 'SKU.',
    `sellable` Decimal(18, 3) COMMENT 'Units that the channel may sell; never negative.',
    `status` LowCardinality(String) COMMENT 'inStock, low or out.',
    `sequence` UInt64 COMMENT 'Steps so far.',
    `previous_sequence` UInt64 COMMENT 'The sequence published before this one.',
    `formula` LowCardinality(String) COMMENT 'Policy that computed it.',
    `formula_version` UInt32 COMMENT 'Version of that policy.',
    `cause_kind` LowCardinality(String) COMMENT 'movement, decision, expiry or restatement.',
    `cause_id` String COMMENT 'Movement or decision.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `transaction` String COMMENT 'Source transaction; empty for snapshot reads.',
    `position` String COMMENT 'Position in the source''s log.',
    `committed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed.',
    `deleted` Bool COMMENT 'The key was removed from the topic.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (channel, sku, _lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every figure that was published to a sales channel.';

CREATE TABLE IF NOT EXISTS alerts
(
    `id` String COMMENT 'The same for a repetition.',
    `kind` LowCardinality(String) COMMENT 'negativeAvailable, echoMismatch, late, ...',
    `severity` LowCardinality(String) COMMENT 'info, warning or critical.',
    `sku` String COMMENT 'SKU, or empty.',
    `location` LowCardinality(String) COMMENT 'Location, or empty.',
    `system` LowCardinality(String) COMMENT 'Source system, or empty.',
    `message` String COMMENT 'One sentence.',
    `expected` String COMMENT 'What was expected.',
    `seen` String COMMENT 'What was seen.',
    `raised_at` DateTime64(3, 'UTC') COMMENT 'When, in the source''s time.',
    `open` Bool COMMENT 'False closes it.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (_lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every record of inventory.alert.v1.';

CREATE TABLE IF NOT EXISTS dead_letters
(
    `processor` LowCardinality(String) COMMENT 'Who refused it.',
    `code` LowCardinality(String) COMMENT 'Stable reason code.',
    `reason` String COMMENT 'In words.',
    `origin_topic` LowCardinality(String) COMMENT 'Where the record came from.',
    `origin_partition` UInt32 COMMENT 'Where it came from.',
    `origin_offset` UInt64 COMMENT 'Where it came from.',
    `origin_timestamp` DateTime64(3, 'UTC') COMMENT 'The record''s own time.',
    `key_base64` String COMMENT 'The original key.',
    `value_base64` String COMMENT 'The original value.',
    `header_names` Array(String) COMMENT 'Names of the original headers.',
    `header_values_base64` Array(String) COMMENT 'Their values, in the same order.',
    `redrives` UInt32 COMMENT 'How often it was redriven.',
    `_topic` LowCardinality(String) COMMENT 'Topic of the record.',
    `_lineage` UInt32 COMMENT 'Which life of the topic; a recreated topic starts the next one.',
    `_partition` UInt32 COMMENT 'Partition of the record.',
    `_offset` UInt64 COMMENT 'Offset of the record.',
    `_timestamp` DateTime64(3, 'UTC') COMMENT 'Time of the record.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(_timestamp)
ORDER BY (_lineage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every record of inventory.dead-letter.v1.';
