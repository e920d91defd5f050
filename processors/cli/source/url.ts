/** Opens a legacy database by its URL; the errors are for people. */
import { type Connection, createConnection } from 'mysql2/promise';
import pg from 'pg';

export async function openPostgres(text: string): Promise<pg.Client> {
  const url = parsed(text, ['postgresql:', 'postgres:']);
  const client = new pg.Client({
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    options: '-c timezone=UTC',
  });
  try {
    await client.connect();
  } catch (error) {
    throw notOpened(url, error);
  }
  return client;
}

export async function openMariadb(text: string): Promise<Connection> {
  const url = parsed(text, ['mariadb:', 'mysql:']);
  try {
    const connection = await createConnection({
      host: url.hostname,
      port: Number(url.port || 3306),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
    });
    await connection.query("SET time_zone = '+00:00'");
    return connection;
  } catch (error) {
    throw notOpened(url, error);
  }
}

function parsed(text: string, protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.includes(url.protocol)) {
    throw new Error(
      `a URL such as ${protocols[0]}//user:password@host/database is needed, and this is none`,
    );
  }
  return url;
}

/** Without the password, which stands in the URL. */
function notOpened(url: URL, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  const place = `${url.protocol}//${url.username}@${url.host}${url.pathname}`;
  return new Error(`${place} cannot be opened: ${why}`, { cause });
}
