/** Executes planned transactions in the two databases over a few connections each, each transaction in one round trip. */
import { type Connection, createConnection } from 'mysql2/promise';
import pg from 'pg';
import { commitClockMs } from './commit-clock.ts';
import type { PlannedTransaction } from './transaction.ts';

export type DatabaseLogin = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
};

export type SourceCommit = {
  readonly system: 'erp' | 'pos';
  /** PostgreSQL: the 32-bit transaction id; MariaDB: the GTID. */
  readonly transaction: string;
  readonly committedAtMs: number;
  readonly rows: number;
};

/** One connection of one of the systems. */
export interface Session {
  /** Resolves when COMMIT has returned; with what tells the transaction in the change log. */
  commit(statements: readonly string[]): Promise<{ transaction: string; committedAtMs: number }>;
  /** True when the query finds a row. */
  finds(sql: string): Promise<boolean>;
  run(sql: string): Promise<void>;
  close(): Promise<void>;
}

async function openErpSession(login: DatabaseLogin): Promise<Session> {
  const client = new pg.Client({ ...login });
  // A lost connection fails the query under way; without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  return {
    commit: async (statements) => {
      const text = `BEGIN;SELECT pg_current_xact_id()::text AS id;${statements.join(';')};COMMIT`;
      try {
        const answer: unknown = await client.query(text);
        return { transaction: shortTransactionId(answer), committedAtMs: commitClockMs() };
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      }
    },
    finds: async (sql) => (await client.query(sql)).rows.length > 0,
    run: async (sql) => {
      await client.query(sql);
    },
    close: () => client.end(),
  };
}

/** The change log carries the low 32 bits. */
function shortTransactionId(answer: unknown): string {
  const results = answer as readonly { readonly rows: readonly { readonly id: string }[] }[];
  const id = results[1]?.rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL did not tell the id of the transaction');
  return String(BigInt.asUintN(32, BigInt(id)));
}

async function openPosSession(login: DatabaseLogin): Promise<Session> {
  const connection = await createConnection({ ...login, multipleStatements: true });
  connection.on('error', () => {});
  await connection.query(
    "SET time_zone = '+00:00'; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  );
  return {
    commit: async (statements) => {
      const text = `BEGIN;${statements.join(';')};COMMIT;SELECT @@last_gtid AS gtid`;
      try {
        const [answer] = await connection.query(text);
        return { transaction: lastGtid(answer), committedAtMs: commitClockMs() };
      } catch (error) {
        await connection.query('ROLLBACK').catch(() => {});
        throw error;
      }
    },
    finds: async (sql) => {
      const [rows] = await connection.query(sql);
      return Array.isArray(rows) && rows.length > 0;
    },
    run: async (sql) => {
      await connection.query(sql);
    },
    close: () => closeConnection(connection),
  };
}

async function closeConnection(connection: Connection): Promise<void> {
  await connection.end().catch(() => connection.destroy());
}

function lastGtid(answer: unknown): string {
  const results = answer as readonly (readonly { readonly gtid?: string }[])[];
  const gtid = results.at(-1)?.[0]?.gtid;
  if (gtid === undefined) throw new Error('MariaDB did not tell the GTID of the transaction');
  return gtid;
}

/** Whether another try can succeed: a deadlock, or a connection that was lost. */
export function canRetry(error: unknown): boolean {
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code !== 'string') return /Connection terminated|closed state/.test(String(error));
  return retriable.has(code) || code.startsWith('08') || code.startsWith('57P');
}

const retriable: ReadonlySet<string> = new Set([
  '40001',
  '40P01',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
]);

export function openSession(
  system: PlannedTransaction['system'],
  logins: { readonly postgres: DatabaseLogin; readonly mariadb: DatabaseLogin },
): Promise<Session> {
  return system === 'erp' ? openErpSession(logins.postgres) : openPosSession(logins.mariadb);
}
