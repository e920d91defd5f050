-- What analysts ask. Each row counts once, whatever was repeated on the way, and only the present life of a topic counts.

CREATE OR REPLACE VIEW current_lineages
(
    `topic` LowCardinality(String) COMMENT 'Topic.',
    `lineage` UInt32 COMMENT 'Its present life.'
)
AS SELECT topic, max(lineage) AS lineage FROM load_ranges GROUP BY topic
COMMENT 'Which life of each topic the views show.';

CREATE OR REPLACE VIEW stock_now
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
    `sequence` UInt64 COMMENT 'Steps of the cell so far.',
    `changed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed what changed it.',
    `cause_kind` LowCardinality(String) COMMENT 'movement, decision, expiry or restatement.',
    `system` LowCardinality(String) COMMENT 'Source system of the last change.',
    `transaction` String COMMENT 'Source transaction of the last change.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When it was published.'
)
AS SELECT sku, location, on_hand, reserved, incoming, in_transit, damaged, quality_control, safety_stock, available, sequence, committed_at AS changed_at, cause_kind, system, transaction,
  _timestamp AS recorded_at
FROM stock_levels FINAL
WHERE NOT deleted AND (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'Stock of each SKU at each location, as it stands.';

CREATE OR REPLACE VIEW channel_now
(
    `channel` LowCardinality(String) COMMENT 'Sales channel.',
    `sku` String COMMENT 'SKU.',
    `sellable` Decimal(18, 3) COMMENT 'Units that the channel may sell.',
    `status` LowCardinality(String) COMMENT 'inStock, low or out.',
    `sequence` UInt64 COMMENT 'Counts the published figures.',
    `formula` LowCardinality(String) COMMENT 'Policy that computed it.',
    `formula_version` UInt32 COMMENT 'Version of that policy.',
    `changed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed what changed it.',
    `cause_kind` LowCardinality(String) COMMENT 'movement, decision, expiry or restatement.',
    `system` LowCardinality(String) COMMENT 'Source system of the last change.',
    `transaction` String COMMENT 'Source transaction of the last change.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When it was published.'
)
AS SELECT c.channel AS channel, c.sku AS sku, argMax(c.sellable, c._offset) AS sellable, argMax(c.status, c._offset) AS status,
  argMax(c.sequence, c._offset) AS sequence, argMax(c.formula, c._offset) AS formula,
  argMax(c.formula_version, c._offset) AS formula_version, argMax(c.committed_at, c._offset) AS changed_at,
  argMax(c.cause_kind, c._offset) AS cause_kind, argMax(c.system, c._offset) AS system,
  argMax(c.transaction, c._offset) AS transaction, argMax(c._timestamp, c._offset) AS recorded_at
FROM channel_stock AS c
WHERE (c._topic, c._lineage) IN (SELECT topic, lineage FROM current_lineages)
GROUP BY c.channel, c.sku
HAVING NOT argMax(c.deleted, c._offset)
COMMENT 'What each sales channel may sell of each SKU, as it stands.';

CREATE OR REPLACE VIEW movements_of_sku
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'Business time.',
    `kind` LowCardinality(String) COMMENT 'event, level, count or opening.',
    `reason` LowCardinality(String) COMMENT 'sale, return, receipt, shipment, transfer, ...',
    `bucket` LowCardinality(String) COMMENT 'The quantity that it changes.',
    `quantity` Decimal(18, 3) COMMENT 'Signed change in units; for a count and an opening the figure itself.',
    `asserted` Bool COMMENT 'False: takes an earlier row back.',
    `reference` String COMMENT 'The document.',
    `echo_key` String COMMENT 'Names a sale that two systems tell; else empty.',
    `echo_role` LowCardinality(String) COMMENT 'till, posting or empty.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `transaction` String COMMENT 'Source transaction.',
    `committed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed.',
    `movement_id` String COMMENT 'The movement it is part of.',
    `effect_id` String COMMENT 'Its own id.'
)
AS SELECT sku, location, occurred_at, kind, reason, bucket, quantity, asserted, reference, echo_key, echo_role,
  system, transaction, committed_at, movement_id, effect_id
FROM movements FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'Everything that the sources said about a SKU; a WHERE on sku makes it quick.';

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
  FROM movements FINAL
  WHERE bucket = 'onHand' AND kind = 'event' AND reason IN ('sale', 'return') AND echo_role != 'posting'
    AND (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
  GROUP BY hour, location, sku, reason, reference
)
GROUP BY hour, location, sku
HAVING units_sold != 0 OR units_returned != 0 OR receipts > 0
COMMENT 'Sales per hour, shop and SKU as the tills tell them.';

CREATE OR REPLACE VIEW ledger_entries
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `sequence` UInt64 COMMENT 'Counts the steps of the cell from 1.',
    `committed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed.',
    `cause_kind` LowCardinality(String) COMMENT 'movement, decision, expiry or restatement.',
    `cause_id` String COMMENT 'Movement or decision.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `transaction` String COMMENT 'Source transaction; empty for snapshot reads.',
    `position` String COMMENT 'Position in the source''s log.',
    `on_hand` Decimal(18, 3) COMMENT 'Units physically there.',
    `reserved` Decimal(18, 3) COMMENT 'Units promised to orders.',
    `incoming` Decimal(18, 3) COMMENT 'Units ordered from suppliers.',
    `in_transit` Decimal(18, 3) COMMENT 'Units on the way between locations.',
    `damaged` Decimal(18, 3) COMMENT 'Units that cannot be sold.',
    `quality_control` Decimal(18, 3) COMMENT 'Units held for inspection.',
    `safety_stock` Decimal(18, 3) COMMENT 'Units kept back.',
    `available` Decimal(18, 3) COMMENT 'on_hand - reserved - damaged - quality_control - safety_stock; negative means oversold.',
    `changes` UInt32 COMMENT 'How many changes the step made.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When it was published.'
)
AS SELECT sku, location, sequence, committed_at, cause_kind, cause_id, system, transaction, position,
  on_hand, reserved, incoming, in_transit, damaged, quality_control, safety_stock, available, changes, _timestamp AS recorded_at
FROM ledger FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'Every step of every cell, with the quantities after it.';

CREATE OR REPLACE VIEW ledger_entry_changes
(
    `sku` String COMMENT 'SKU.',
    `location` LowCardinality(String) COMMENT 'Location.',
    `sequence` UInt64 COMMENT 'Step of the cell.',
    `change` UInt32 COMMENT 'Place of the change in its step.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'Business time.',
    `bucket` LowCardinality(String) COMMENT 'The quantity that it changes.',
    `kind` LowCardinality(String) COMMENT 'event, level, count, opening, echo or restatement.',
    `quantity` Decimal(18, 3) COMMENT 'Units told by the source; for a count the counted figure.',
    `applied` Decimal(18, 3) COMMENT 'Units by which the quantity really changed.',
    `reason` LowCardinality(String) COMMENT 'Why.',
    `reference` String COMMENT 'Document.',
    `cause_kind` LowCardinality(String) COMMENT 'movement, decision, expiry or restatement.',
    `system` LowCardinality(String) COMMENT 'Source system.',
    `transaction` String COMMENT 'Source transaction.',
    `committed_at` DateTime64(3, 'UTC') COMMENT 'When the source committed.',
    `effect_id` String COMMENT 'Effect of the movement; empty when derived.'
)
AS SELECT sku, location, sequence, change, occurred_at, bucket, kind, quantity, applied, reason, reference,
  cause_kind, system, transaction, committed_at, effect_id
FROM ledger_changes FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'What each step of the ledger did, change by change.';

CREATE OR REPLACE VIEW alerts_now
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
    `open` Bool COMMENT 'False: closed.',
    `raised_at` DateTime64(3, 'UTC') COMMENT 'First time.',
    `last_raised_at` DateTime64(3, 'UTC') COMMENT 'Last time.',
    `times` UInt64 COMMENT 'How often it was told.'
)
AS SELECT a.id AS id, argMax(a.kind, a._offset) AS kind, argMax(a.severity, a._offset) AS severity, argMax(a.sku, a._offset) AS sku,
  argMax(a.location, a._offset) AS location, argMax(a.system, a._offset) AS system, argMax(a.message, a._offset) AS message,
  argMax(a.expected, a._offset) AS expected, argMax(a.seen, a._offset) AS seen, argMax(a.open, a._offset) AS open,
  min(a.raised_at) AS raised_at, max(a.raised_at) AS last_raised_at, uniqExact(a._partition, a._offset) AS times
FROM alerts AS a
WHERE (a._topic, a._lineage) IN (SELECT topic, lineage FROM current_lineages)
GROUP BY a.id
COMMENT 'One row per alert, as it stands.';

CREATE OR REPLACE VIEW dead_letters_seen
(
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When it was refused.',
    `processor` LowCardinality(String) COMMENT 'Who refused it.',
    `code` LowCardinality(String) COMMENT 'Stable reason code.',
    `reason` String COMMENT 'In words.',
    `origin_topic` LowCardinality(String) COMMENT 'Where the record came from.',
    `origin_partition` UInt32 COMMENT 'Where it came from.',
    `origin_offset` UInt64 COMMENT 'Where it came from.',
    `redrives` UInt32 COMMENT 'How often it was redriven.',
    `key_base64` String COMMENT 'The original key.',
    `value_base64` String COMMENT 'The original value.'
)
AS SELECT _timestamp AS recorded_at, processor, code, reason, origin_topic, origin_partition, origin_offset, redrives,
  key_base64, value_base64
FROM dead_letters FINAL
WHERE (_topic, _lineage) IN (SELECT topic, lineage FROM current_lineages)
COMMENT 'Records that could not be used, and why.';
