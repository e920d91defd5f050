/**
 * Applies the numbered SQL files in order, each once. A file is recorded when all its statements are done, and every
 * statement may be repeated, so an interrupted run is simply run again.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ClickHouse } from './client.ts';
import { historyTables, onCluster, type Retention, retentionOf } from './layout.ts';

export type Migration = {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
  readonly checksum: string;
};

const directory = fileURLToPath(new URL('./migrations/', import.meta.url));

/** The migrations that come with Stockline, in order. */
export function readMigrations(folder: string = directory): readonly Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}-[a-z0-9-]+\.sql$/.test(file))
    .sort()
    .map((file) => {
      const text = readFileSync(`${folder}/${file}`, 'utf8');
      return {
        version: Number(file.slice(0, 4)),
        name: file.slice(5, -4),
        statements: statementsOf(text),
        checksum: createHash('sha256').update(text).digest('hex'),
      };
    });
}

/** Resolves with the names of those that were applied now. */
export async function migrate(
  clickHouse: ClickHouse,
  migrations: readonly Migration[] = readMigrations(),
): Promise<readonly string[]> {
  await run(
    clickHouse,
    'CREATE TABLE IF NOT EXISTS migrations (version UInt32, name String, checksum String, ' +
      'applied_at DateTime64(3)) ENGINE = ReplacingMergeTree ORDER BY version',
  );
  const applied = await appliedChecksums(clickHouse);
  refuseForeign(migrations, applied);
  const names: string[] = [];
  for (const migration of migrations) {
    if (applied.has(migration.version)) continue;
    for (const statement of migration.statements) await run(clickHouse, statement);
    await clickHouse.writer.command({
      query:
        `INSERT INTO migrations SELECT ${migration.version}, '${migration.name}', ` +
        `'${migration.checksum}', now64(3)`,
    });
    names.push(migration.name);
  }
  return names;
}

async function run(clickHouse: ClickHouse, statement: string): Promise<void> {
  const { cluster } = clickHouse;
  const queries = cluster === undefined ? [statement] : onCluster(statement, cluster);
  for (const query of queries) await clickHouse.writer.command({ query });
}

/** History is kept as long as wanted from now on; resolves with what was changed. Nothing is done twice. */
export async function applyRetention(
  clickHouse: ClickHouse,
  retention: Retention,
): Promise<readonly string[]> {
  const { cluster, reader, writer } = clickHouse;
  const [ending, on] = cluster === undefined ? ['', ''] : ['_local', ` ON CLUSTER '${cluster}'`];
  const result = await reader.query({
    query: 'SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()',
    format: 'JSONCompactEachRow',
  });
  const engines = new Map(await result.json<[string, string]>());
  const changes = historyTables.flatMap((table) =>
    retentionOf(`${table}${ending}`, engines.get(`${table}${ending}`) ?? '', retention),
  );
  for (const change of changes) {
    await writer.command({ query: change.replace(/^(ALTER TABLE \w+)/, `$1${on}`) });
  }
  return changes;
}

async function appliedChecksums(clickHouse: ClickHouse): Promise<ReadonlyMap<number, string>> {
  const result = await clickHouse.writer.query({
    query: 'SELECT version, checksum FROM migrations FINAL ORDER BY version',
    format: 'JSONCompactEachRow',
  });
  return new Map(await result.json<[number, string]>());
}

function refuseForeign(
  migrations: readonly Migration[],
  applied: ReadonlyMap<number, string>,
): void {
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const [version, checksum] of applied) {
    const migration = known.get(version);
    if (migration === undefined) {
      throw new Error(
        `The analytics tables were made by a newer Stockline (migration ${version} is unknown here): ` +
          'run that version, or give this one another folder or database.',
      );
    }
    if (migration.checksum !== checksum) {
      throw new Error(
        `Migration ${version} (${migration.name}) was changed after it had been applied: ` +
          'put the file back as it was, and make the change in a new migration.',
      );
    }
  }
}

/** Statements end with a semicolon at the end of a line; lines that begin with -- are comments. */
function statementsOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('--'))
    .join('\n')
    .split(/;\s*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
