/**
 * What Stockline needs on the side of a source, and nothing more: a user that reads and replicates, and on
 * PostgreSQL a publication of exactly the captured tables. Safe to repeat.
 */
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { publicationFacts } from './postgres-facts.ts';

export type DatabaseAccess = {
  readonly host: string;
  readonly port: number;
  readonly adminUser: string;
  readonly adminPassword: string;
  readonly database: string;
};

export type CaptureUser = { readonly user: string; readonly password: string };

/**
 * Creates the user and the publication. `pg_read_all_data` instead of a grant per table: a grant would be a
 * change of the ERP's schema, membership in a role is not.
 */
export async function grantPostgres(
  access: DatabaseAccess,
  capture: CaptureUser,
  publication: { readonly name: string; readonly tables: readonly string[] },
): Promise<void> {
  const client = new pg.Client({
    host: access.host,
    port: access.port,
    user: access.adminUser,
    password: access.adminPassword,
    database: access.database,
  });
  await client.connect();
  try {
    const password = pg.escapeLiteral(capture.password);
    const user = pg.escapeIdentifier(capture.user);
    const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [capture.user]);
    const verb = known.rowCount === 0 ? 'CREATE' : 'ALTER';
    await client.query(`${verb} ROLE ${user} LOGIN REPLICATION PASSWORD ${password}`);
    await client.query(`GRANT pg_read_all_data TO ${user}`);
    await convergePublication(client, publication);
  } finally {
    await client.end();
  }
}

async function convergePublication(
  client: pg.Client,
  publication: { readonly name: string; readonly tables: readonly string[] },
): Promise<void> {
  const keyless = await client.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c
     WHERE c.oid = ANY($1::regclass[]) AND NOT EXISTS
       (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)`,
    [publication.tables],
  );
  const refused = keyless.rows.map((row) => row.name);
  if (refused.length > 0) {
    throw new Error(
      `tables without primary key cannot be captured (${refused.join(', ')}): publishing them would make ` +
        'UPDATE and DELETE fail in the source; take them out of the mapping',
    );
  }
  const name = pg.escapeIdentifier(publication.name);
  const tables = publication.tables
    .map((table) => table.split('.').map(pg.escapeIdentifier).join('.'))
    .join(', ');
  const { publication: found } = await publicationFacts(client, publication.name);
  const isWhole = found.hidden.length === 0 && found.filtered.length === 0 && found.viaRoot;
  if (!found.exists) {
    await client.query(`CREATE PUBLICATION ${name} FOR TABLE ${tables} WITH (${wholly})`);
  } else if (!isWhole || !sameMembers(found.tables, publication.tables)) {
    await client.query(`ALTER PUBLICATION ${name} SET TABLE ${tables}`);
    await client.query(`ALTER PUBLICATION ${name} SET (${wholly})`);
  }
}

/** All that is done to a table, and to its partitions in its name. */
const wholly = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  return [...one].sort().join() === [...other].sort().join();
}

/** Creates the user that reads the binary log and the snapshot. */
export async function grantMariadb(access: DatabaseAccess, capture: CaptureUser): Promise<void> {
  const connection = await createConnection({
    host: access.host,
    port: access.port,
    user: access.adminUser,
    password: access.adminPassword,
  });
  try {
    const account = `${connection.escape(capture.user)}@'%'`;
    const password = connection.escape(capture.password);
    await connection.query(`CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY ${password}`);
    await connection.query(`ALTER USER ${account} IDENTIFIED BY ${password}`);
    await connection.query(
      `GRANT RELOAD, SHOW DATABASES, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO ${account}`,
    );
    await connection.query(
      `GRANT SELECT, LOCK TABLES ON ${connection.escapeId(access.database)}.* TO ${account}`,
    );
  } finally {
    await connection.end();
  }
}
