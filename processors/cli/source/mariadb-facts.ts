/** Asks a MariaDB what `source check` judges. Reads variables and the information schema only. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { MariadbFacts } from './findings.ts';

type Rows = readonly Readonly<Record<string, unknown>>[];

const silentRules = new Set(['CASCADE', 'SET NULL', 'SET DEFAULT']);

export async function mariadbFacts(
  connection: Connection,
  schema: string,
  names: readonly string[],
): Promise<MariadbFacts> {
  const ask = async (text: string, values: readonly unknown[] = []): Promise<Rows> => {
    const [rows] = await connection.query<RowDataPacket[]>(text, [...values]);
    return rows;
  };
  const variables = new Map(
    (await ask('SHOW GLOBAL VARIABLES')).map((row) => [
      String(row.Variable_name),
      String(row.Value),
    ]),
  );
  // Both need a privilege that a user may lack; what they tell is then not judged.
  const masters = await ask('SHOW MASTER STATUS').catch((): Rows => []);
  const hiding = await ask(
    `SELECT DISTINCT grantee FROM information_schema.user_privileges
     WHERE privilege_type IN ('SUPER', 'BINLOG ADMIN')`,
  ).catch((): Rows => []);
  const [user] = await ask('SELECT current_user() AS name');
  const grants = await ask('SHOW GRANTS');
  return {
    version: variables.get('version') ?? '',
    logBin: variables.get('log_bin') === 'ON',
    format: variables.get('binlog_format') ?? '',
    rowImage: variables.get('binlog_row_image') ?? 'FULL',
    serverId: Number(variables.get('server_id')),
    keepSeconds:
      Number(variables.get('binlog_expire_logs_seconds') ?? 0) ||
      Number(variables.get('expire_logs_days') ?? 0) * 86_400,
    doDatabases: words(masters[0]?.Binlog_Do_DB),
    ignoreDatabases: words(masters[0]?.Binlog_Ignore_DB),
    user: { name: String(user?.name), privileges: privilegesIn(grants) },
    hidingAccounts: hiding
      .map((row) => String(row.grantee ?? row.GRANTEE))
      .filter((name) => !/'(root|mysql|mariadb\.sys)'@/.test(name)),
    tables: await tableFacts(ask, schema, names),
  };
}

async function tableFacts(
  ask: (text: string, values: readonly unknown[]) => Promise<Rows>,
  schema: string,
  names: readonly string[],
): Promise<MariadbFacts['tables']> {
  const tables = await ask(
    'SELECT table_name AS name, engine AS engine FROM information_schema.tables WHERE table_schema = ?',
    [schema],
  );
  const columns = await ask(
    `SELECT table_name AS t, column_name AS c, column_key AS k FROM information_schema.columns
     WHERE table_schema = ? ORDER BY ordinal_position`,
    [schema],
  );
  const keys = await ask(
    `SELECT table_name AS t, column_name AS c FROM information_schema.key_column_usage
     WHERE table_schema = ? AND constraint_name = 'PRIMARY' ORDER BY ordinal_position`,
    [schema],
  );
  const foreign = await ask(
    `SELECT table_name AS t, constraint_name AS c, delete_rule AS d, update_rule AS u
     FROM information_schema.referential_constraints WHERE constraint_schema = ?`,
    [schema],
  );
  const of = (rows: Rows, table: string): readonly string[] =>
    rows.filter((row) => row.t === table).map((row) => String(row.c));
  return names.map((name) => {
    const table = name.slice(name.indexOf('.') + 1);
    const found = tables.find((row) => row.name === table);
    return {
      name,
      exists: found !== undefined,
      primaryKey: of(keys, table),
      columns: of(columns, table),
      // The information schema shows only what may be read.
      isReadable: found !== undefined,
      engine: String(found?.engine ?? ''),
      silentKeys: of(
        foreign.filter((row) => silentRules.has(String(row.d)) || silentRules.has(String(row.u))),
        table,
      ),
    };
  });
}

function words(text: unknown): readonly string[] {
  return String(text ?? '')
    .split(',')
    .filter((word) => word !== '');
}

/** From lines such as `GRANT SELECT, RELOAD ON *.* TO ...`; ALL PRIVILEGES has them all. */
function privilegesIn(grants: Rows): readonly string[] {
  const all = grants.flatMap((row) => {
    const list = /^GRANT (.+?) ON /.exec(String(Object.values(row)[0]))?.[1] ?? '';
    return list.split(',').map((word) => word.trim());
  });
  return all.includes('ALL PRIVILEGES')
    ? [...all, 'SELECT', 'REPLICATION SLAVE', 'BINLOG MONITOR']
    : all.map((word) => (word === 'REPLICATION CLIENT' ? 'BINLOG MONITOR' : word));
}
