-- ClickHouse notes a block before it has it, and does not tell views of a block that it has noted: a crash in between lost rows. The views count a repeated row once.
ALTER TABLE load_ranges MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE movements MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE ledger MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE ledger_changes MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE stock_levels MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE channel_stock MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE alerts MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE dead_letters MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE requests MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE outcomes MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE decisions MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE delivery_attempts MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE anomalies MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE forecasts MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE replenishment_proposals MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE freshness MODIFY SETTING non_replicated_deduplication_window = 0;

ALTER TABLE sale_lines MODIFY SETTING non_replicated_deduplication_window = 0;
