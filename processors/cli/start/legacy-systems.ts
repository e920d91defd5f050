/** Sets up the two legacy systems of the demonstration as their makers would: a database and its tables. Once. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import type { DatabaseAccess } from '../source/grants.ts';

const connectors = fileURLToPath(new URL('../../../connectors', import.meta.url));

/** True when the database was made now, false when it was there. */
export async function installErp(access: DatabaseAccess): Promise<boolean> {
  const connect = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({
      host: access.host,
      port: access.port,
      user: access.adminUser,
      password: access.adminPassword,
      database,
    });
    await client.connect();
    return client;
  };
  const server = await connect('postgres');
  try {
    const known = await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [
      access.database,
    ]);
    if (known.rowCount === 0) {
      await server.query(`CREATE DATABASE ${pg.escapeIdentifier(access.database)}`);
    }
  } finally {
    await server.end();
  }
  const erp = await connect(access.database);
  try {
    const tables = await erp.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1");
    if (tables.rowCount !== 0) return false;
    // One simple query is one transaction: an interrupted set-up leaves nothing half done.
    await erp.query(readFileSync(`${connectors}/erp/schema.sql`, 'utf8'));
    return true;
  } finally {
    await erp.end();
  }
}

/** True when the database was made now, false when it was there. */
export async function installPos(access: DatabaseAccess): Promise<boolean> {
  const connection = await createConnection({
    host: access.host,
    port: access.port,
    user: access.adminUser,
    password: access.adminPassword,
    multipleStatements: true,
  });
  try {
    const [known] = await connection.query(
      'SELECT table_name FROM information_schema.tables WHERE table_schema = ?',
      [access.database],
    );
    const database = connection.escapeId(access.database);
    // MariaDB commits each CREATE by itself; tables of an interrupted set-up are empty and made again.
    const complete = Array.isArray(known) && known.length >= posTables;
    if (complete) return false;
    await connection.query(`DROP DATABASE IF EXISTS ${database}; CREATE DATABASE ${database}`);
    await connection.query(`USE ${database}`);
    await connection.query(readFileSync(`${connectors}/pos/schema.sql`, 'utf8'));
    return true;
  } finally {
    await connection.end();
  }
}

const posTables = 4;
