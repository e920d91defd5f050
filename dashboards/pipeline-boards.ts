/** How the pipeline does, and what it could not use. */
import { type Board, panel, prometheus, stat } from './board.ts';

export const pipelineBoard: Board = {
  uid: 'stockline-pipeline',
  title: 'Pipeline latency and lag',
  description: 'How long a change takes at each hop, and how much waits.',
  from: 'now-3h',
  variables: [],
  panels: [
    panel(
      'lines',
      'COMMIT to ledger',
      'Quantiles over all sources.',
      "SELECT minute AS time, max(p50_ms) AS p50, max(p95_ms) AS p95, max(p99_ms) AS p99 FROM hop_latency WHERE hop = 'stock' AND $__timeFilter(minute) GROUP BY time ORDER BY time",
      { unit: 'ms' },
    ),
    panel(
      'lines',
      'COMMIT to channel topics',
      'Quantiles over all sources and channels.',
      "SELECT minute AS time, max(p50_ms) AS p50, max(p95_ms) AS p95, max(p99_ms) AS p99 FROM hop_latency WHERE hop = 'channels' AND $__timeFilter(minute) GROUP BY time ORDER BY time",
      { unit: 'ms' },
    ),
    panel(
      'lines',
      'What the sources tell',
      'Movements per minute.',
      'SELECT minute AS time, system, movements FROM source_activity WHERE $__timeFilter(minute) ORDER BY time',
      { width: 24 },
    ),
    prometheus(
      'Records that wait',
      'By processor; rising without end means that it is too slow or stands.',
      'sum by (processor) (stockline_lag_records)',
      '{{processor}}',
      { unit: 'short' },
    ),
    prometheus(
      'Age of the last record taken',
      'While more wait.',
      'max by (processor) (stockline_lag_seconds)',
      '{{processor}}',
      { unit: 's' },
    ),
    prometheus(
      'Records per second',
      'Taken by committed transactions.',
      'sum by (processor) (rate(stockline_records_total[1m]))',
      '{{processor}}',
      { unit: 'short' },
    ),
    prometheus(
      'Time to commit, p99',
      'From the begin of a transaction to its commit.',
      'histogram_quantile(0.99, sum by (processor, le) (rate(stockline_commit_seconds_bucket[5m])))',
      '{{processor}}',
      { unit: 's' },
    ),
    prometheus(
      'Transactions aborted per second',
      'Now and then is normal; a steady rate is not.',
      'sum by (processor) (rate(stockline_transactions_aborted_total[5m]))',
      '{{processor}}',
      { unit: 'short', width: 24 },
    ),
    panel(
      'table',
      'How far the load into ClickHouse is',
      'By topic and table.',
      'SELECT topic, table, lineage, offsets, last_record_at, written_at FROM load_status ORDER BY topic, table',
    ),
    panel(
      'table',
      'Freshness',
      'How far each source and hop has come.',
      'SELECT source, hop, state, as_of, observed_at, reason FROM freshness_now ORDER BY source, hop',
    ),
  ],
};

export const qualityBoard: Board = {
  uid: 'stockline-quality',
  title: 'Data quality and drift',
  description: 'What could not be used, what does not agree, and what was corrected.',
  from: 'now-7d',
  variables: [],
  panels: [
    stat(
      'Open alerts',
      'That nobody has closed.',
      'SELECT countIf(open) AS alerts FROM alerts_now',
    ),
    stat(
      'Critical',
      'Open and critical.',
      "SELECT countIf(open AND severity = 'critical') AS alerts FROM alerts_now",
    ),
    stat(
      'Dead letters',
      'In the time shown.',
      'SELECT count() AS letters FROM dead_letters_seen WHERE $__timeFilter(recorded_at)',
    ),
    stat(
      'Redriven',
      'Dead letters that were sent again.',
      'SELECT countIf(redrives > 0) AS letters FROM dead_letters_seen',
    ),
    stat(
      'Units lost',
      'Counts, corrections and scrap in the time shown; negative: found.',
      'SELECT sum(units_lost) AS units FROM shrinkage WHERE day >= toDate($__fromTime) AND day <= toDate($__toTime)',
    ),
    stat(
      'Restatements',
      'Pasts already told that were corrected in the time shown.',
      "SELECT count() AS restatements FROM alerts_now WHERE kind = 'restatement' AND $__timeFilter(last_raised_at)",
    ),
    panel(
      'bars',
      'Dead letters by reason',
      'Stable codes; docs/runbook.md says what to do about each.',
      'SELECT code, processor, count() AS letters FROM dead_letters_seen WHERE $__timeFilter(recorded_at) GROUP BY code, processor ORDER BY letters DESC',
    ),
    panel(
      'bars',
      'Alerts by kind',
      'Open and closed.',
      "SELECT kind, if(open, 'open', 'closed') AS state, count() AS alerts FROM alerts_now GROUP BY kind, state ORDER BY kind, state",
    ),
    panel(
      'lines',
      'Retracted effects',
      'Per cent of all effects, by source: voids, corrections and deletions.',
      'SELECT toStartOfHour(minute) AS time, system, round(100 * sum(retracted) / sum(effects), 2) AS percent FROM source_activity WHERE $__timeFilter(minute) GROUP BY time, system ORDER BY time',
      { unit: 'percent' },
    ),
    panel(
      'bars',
      'Units lost by cause and location',
      'Counts, corrections and scrap.',
      'SELECT location, cause, sum(units_lost) AS units FROM shrinkage WHERE day >= toDate($__fromTime) AND day <= toDate($__toTime) GROUP BY location, cause ORDER BY location, cause',
    ),
    panel(
      'table',
      'Open alerts, latest first',
      'What was expected, and what was seen.',
      'SELECT last_raised_at, severity, kind, sku, location, system, expected, seen, message FROM alerts_now WHERE open ORDER BY last_raised_at DESC LIMIT 50',
      { width: 24 },
    ),
    panel(
      'table',
      'Dead letters, latest first',
      'Where each came from.',
      'SELECT recorded_at, processor, code, reason, origin_topic, origin_partition, origin_offset, redrives FROM dead_letters_seen ORDER BY recorded_at DESC LIMIT 50',
      { width: 24 },
    ),
  ],
};
