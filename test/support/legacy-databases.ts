/** The two legacy databases as their owners use them: their schemas, and writes to every table. */
import { execFileSync } from 'node:child_process';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import type { DatabaseAddress, StackAddresses } from '../../deploy/native/stack.ts';

/** The schema of each legacy database as its own tool writes it, a statement or line each. */
export type Schemas = { readonly postgres: readonly string[]; readonly mariadb: readonly string[] };

export function schemasOf({ postgres, mariadb }: StackAddresses): Schemas {
  const at = ({ host, port, adminUser }: DatabaseAddress): string[] => [
    `--host=${host}`,
    `--port=${port}`,
    `--user${postgres.port === port ? 'name' : ''}=${adminUser}`,
  ];
  const erp = execFileSync('pg_dump', [...at(postgres), '--schema-only', 'erp'], {
    env: { ...process.env, PGPASSWORD: postgres.adminPassword },
  });
  const pos = execFileSync(
    'mariadb-dump',
    [...at(mariadb), '--no-data', '--skip-comments', 'pos'],
    {
      env: { ...process.env, MYSQL_PWD: mariadb.adminPassword },
    },
  );
  return {
    // A restricted dump begins and ends with a random word.
    postgres: linesOf(erp).filter((line) => !/^(--|\\(un)?restrict)/.test(line)),
    // The next number of a key is data.
    mariadb: linesOf(pos).map((line) => line.replace(/ AUTO_INCREMENT=\d+/, '')),
  };
}

function linesOf(output: Buffer): readonly string[] {
  return output
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

/** Writes to every row of every table and takes it back; returns the tables. */
export async function changeEveryErpTable(address: DatabaseAddress): Promise<readonly string[]> {
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    user: address.adminUser,
    password: address.adminPassword,
    database: 'erp',
  });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query("INSERT INTO lagprot (zeit, text) VALUES (now(), 'Probe')");
    const { rows } = await client.query<{ name: string; column: string }>(
      `SELECT table_name AS name, min(column_name) AS column FROM information_schema.columns
       WHERE table_schema = 'public' GROUP BY table_name`,
    );
    for (const { name, column } of rows) {
      await client.query(`UPDATE ${name} SET ${column} = ${column}`);
      await client.query(`DELETE FROM ${name}`);
    }
    return rows.map(({ name }) => name);
  } finally {
    await client.query('ROLLBACK');
    await client.end();
  }
}

export async function changeEveryPosTable(address: DatabaseAddress): Promise<readonly string[]> {
  const connection = await createConnection({
    host: address.host,
    port: address.port,
    user: address.adminUser,
    password: address.adminPassword,
    database: 'pos',
  });
  try {
    await connection.beginTransaction();
    const [rows] = await connection.query<({ name: string; column: string } & RowDataPacket)[]>(
      `SELECT table_name AS \`name\`, min(column_name) AS \`column\` FROM information_schema.columns
       WHERE table_schema = 'pos' GROUP BY table_name`,
    );
    for (const { name, column } of rows) {
      await connection.query(`UPDATE ${name} SET ${column} = ${column}`);
      await connection.query(`DELETE FROM ${name}`);
    }
    return rows.map(({ name }) => name);
  } finally {
    await connection.rollback();
    await connection.end();
  }
}
