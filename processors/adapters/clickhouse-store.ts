/** Blocks of rows into ClickHouse, and our own questions out of it. */
import { Readable } from 'node:stream';
import type { AnalyticsStore, TableRows } from '../analytics/ports.ts';
import type { ClickHouse } from './clickhouse-client.ts';

/** Rows that are made text at a time: the event loop is free in between. */
const rowsPerPiece = 2_000;

export function clickHouseStore(clickHouse: ClickHouse): AnalyticsStore {
  return {
    insert: (rows) => insert(clickHouse, rows),
    select: async (query) => {
      const result = await clickHouse.reader.query({ query, format: 'JSONCompactEachRow' });
      return await result.json<readonly unknown[]>();
    },
  };
}

async function insert(clickHouse: ClickHouse, { table, columns, rows, token }: TableRows) {
  if (rows.length === 0) return;
  const names = columns.map((name) => `\`${name}\``).join(', ');
  // The token is part of the statement: a setting of its own would stay in an embedded session.
  const query =
    `INSERT INTO ${clickHouse.database}.${table} (${names}) ` +
    `SETTINGS async_insert = 0, insert_deduplicate = 1, insert_deduplication_token = '${token}' ` +
    'FORMAT JSONCompactEachRow';
  const result = await clickHouse.writer.exec({ query, values: Readable.from(pieces(rows)) });
  for await (const _ of result.stream);
}

async function* pieces(rows: TableRows['rows']): AsyncGenerator<string> {
  for (let from = 0; from < rows.length; from += rowsPerPiece) {
    let text = '';
    for (const row of rows.slice(from, from + rowsPerPiece)) text += `${JSON.stringify(row)}\n`;
    yield text;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
