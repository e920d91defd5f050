/**
 * How the tables are laid out: as the migrations say on one server, or replicated and sharded by SKU on a cluster; how
 * long history is kept, and where. Statement → statements. Pure.
 */

/** Every table becomes a replicated one per shard, named `<table>_local`, behind a Distributed one with its name. */
export function onCluster(statement: string, cluster: string): readonly string[] {
  const on = `ON CLUSTER '${cluster}'`;
  const table = /^CREATE TABLE IF NOT EXISTS (\w+)\s/.exec(statement)?.[1];
  if (table !== undefined) {
    const local = statement
      .replace(/^CREATE TABLE IF NOT EXISTS \w+/, `CREATE TABLE IF NOT EXISTS ${table}_local ${on}`)
      .replace(/ENGINE = ReplacingMergeTree(?:\((\w+)\))?/, (_, version?: string) =>
        replicated(table, version),
      );
    const distributed =
      `CREATE TABLE IF NOT EXISTS ${table} ${on} AS ${table}_local ` +
      `ENGINE = Distributed('${cluster}', currentDatabase(), '${table}_local', ${shardOf(table, statement)})`;
    return [local, distributed];
  }
  if (statement.startsWith('CREATE OR REPLACE VIEW ')) {
    return [statement.replace(/^(CREATE OR REPLACE VIEW \w+)/, `$1 ${on}`)];
  }
  if (statement.startsWith('CREATE MATERIALIZED VIEW ')) {
    // Each shard fills its own part: the same rows, as both tables are sharded alike.
    const filled = statement.replace(/ TO (\w+)/, ` ${on} TO $1_local`);
    return [filled.replace(/\nFROM (\w+)/, '\nFROM $1_local')];
  }
  const altered = /^ALTER TABLE (\w+) /.exec(statement)?.[1];
  if (altered === undefined) return [statement];
  // Settings are the stored table's: the one before it has none of them.
  const names = statement.includes(' MODIFY SETTING ') ? [] : [altered];
  return [`${altered}_local`, ...names].map((name) =>
    statement.replace(/^ALTER TABLE \w+/, `ALTER TABLE ${name} ${on}`),
  );
}

function replicated(table: string, version: string | undefined): string {
  const place = `'/clickhouse/tables/{shard}/{database}/${table}', '{replica}'`;
  return `ENGINE = ReplicatedReplacingMergeTree(${place}${version === undefined ? '' : `, ${version}`})`;
}

/** All rows that may replace each other are on one shard: by SKU where there is one, else by the first of the key. */
function shardOf(table: string, statement: string): string {
  if (/\n\s+`sku` /.test(statement)) return 'cityHash64(sku)';
  const first = /ORDER BY \(?(\w+)/.exec(statement)?.[1] ?? '';
  return table === 'dead_letters' ? 'cityHash64(_partition)' : `cityHash64(${first})`;
}

export type Retention = {
  /** History older than this is removed; absent: kept for ever. */
  readonly keepDays?: number;
  /** History older than this moves to the volume; absent: it stays. */
  readonly cold?: { readonly days: number; readonly volume: string };
  /** The storage policy that has that volume. */
  readonly storagePolicy?: string;
};

/** Tables whose old rows say nothing of the present. What stands is in stock_levels and channel_stock. */
export const historyTables = [
  'movements',
  'sale_lines',
  'ledger',
  'ledger_changes',
  'requests',
  'outcomes',
  'decisions',
  'delivery_attempts',
  'alerts',
  'dead_letters',
  'anomalies',
  'forecasts',
  'replenishment_proposals',
  'freshness',
] as const;

/** What has to be changed of a table whose engine is described by `engineFull`, as system.tables gives it. */
export function retentionOf(
  table: string,
  engineFull: string,
  { keepDays, cold, storagePolicy }: Retention,
): readonly string[] {
  const statements: string[] = [];
  if (storagePolicy !== undefined && !engineFull.includes(`storage_policy = '${storagePolicy}'`)) {
    statements.push(`ALTER TABLE ${table} MODIFY SETTING storage_policy = '${storagePolicy}'`);
  }
  const age = (days: number): string => `toDateTime(_timestamp) + toIntervalDay(${days})`;
  const wanted = [
    ...(keepDays === undefined ? [] : [age(keepDays)]),
    ...(cold === undefined ? [] : [`${age(cold.days)} TO VOLUME '${cold.volume}'`]),
  ].join(', ');
  const present = / TTL (.*?)(?: SETTINGS |$)/.exec(engineFull)?.[1] ?? '';
  if (wanted === present) return statements;
  const change = wanted === '' ? 'REMOVE TTL' : `MODIFY TTL ${wanted}`;
  return [...statements, `ALTER TABLE ${table} ${change}`];
}
