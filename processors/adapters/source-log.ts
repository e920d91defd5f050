/** Asks the sources how much of their logs they keep for us, as the user that captures. Reads catalogues only. */
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import type { LogFacts } from '../protection/ports.ts';
import { within } from './deadline.ts';

export type CaptureAccess = {
  readonly kind: 'postgresql' | 'mariadb';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
};

const timeoutMs = 5_000;
const byeMs = 1_000;

async function onPostgres<T>(
  { host, port, user, password, database }: CaptureAccess,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const limits = { connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs };
  const client = new pg.Client({ host, port, user, password, database, ...limits });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

export function slotFacts(access: CaptureAccess, slot: string): Promise<LogFacts> {
  return onPostgres(access, async (client) => {
    const { rows } = await client.query<{ held: string | null; status: string | null }>(
      `SELECT wal_status AS status, pg_wal_lsn_diff(
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)::text AS held
       FROM pg_replication_slots WHERE slot_name = $1`,
      [slot],
    );
    const [found] = rows;
    return {
      kind: 'slot',
      exists: found !== undefined,
      heldBytes: Number(found?.held ?? 0),
      isLost: found?.status === 'lost',
    };
  });
}

/** Whoever reads it is sent away first: it is the same user, so it may. */
export function dropSlot(access: CaptureAccess, slot: string): Promise<void> {
  return onPostgres(access, async (client) => {
    await client.query(
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
       WHERE slot_name = $1 AND active_pid IS NOT NULL`,
      [slot],
    );
    await client.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
       WHERE slot_name = $1 AND NOT active`,
      [slot],
    );
  });
}

/** `file`: of the binary log, up to where the connector has come; undefined: it has not begun. */
export async function fileFacts(
  { host, port, user, password, database }: CaptureAccess,
  file: string | undefined,
): Promise<LogFacts> {
  const limits = { connectTimeout: timeoutMs };
  const connection = await createConnection({ host, port, user, password, database, ...limits });
  try {
    const [rows] = await connection.query<RowDataPacket[]>({
      sql: 'SHOW BINARY LOGS',
      timeout: timeoutMs,
    });
    const files = rows.map((row) => String(row.Log_name));
    const at = file === undefined ? files.length : files.indexOf(file);
    return { kind: 'files', isGone: at < 0, isNextToGo: at === 0 && files.length > filesBehindMax };
  } finally {
    // A server that says nothing does not say goodbye either.
    await within(byeMs, connection.end(), () => connection.destroy());
  }
}

/** So many files may be behind, or the server rotates faster than anybody reads. */
const filesBehindMax = 4;
