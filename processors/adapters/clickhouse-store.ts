/** Blocks of rows into ClickHouse, and our own questions out of it. */
import { Readable } from 'node:stream';
import type { AnalyticsStore, Row, TableRows } from '../analytics/ports.ts';
import type { ClickHouse } from './clickhouse-client.ts';

/** Rows that are made at a time: the event loop is free in between. */
const rowsPerPiece = 500;

export function clickHouseStore(clickHouse: ClickHouse): AnalyticsStore {
  return {
    insert: (rows) => insert(clickHouse, rows),
    select: async (query) => {
      const result = await clickHouse.reader.query({ query, format: 'JSONCompactEachRow' });
      return await result.json<readonly unknown[]>();
    },
  };
}

async function insert(clickHouse: ClickHouse, insert: TableRows): Promise<number> {
  const { table, columns, token } = insert;
  const names = columns.map((name) => `\`${name}\``).join(', ');
  // The token is part of the statement: a setting of its own would stay in an embedded session.
  const query =
    `INSERT INTO ${clickHouse.database}.${table} (${names}) ` +
    `SETTINGS async_insert = 0, insert_deduplicate = 1, insert_deduplication_token = '${token}' ` +
    'FORMAT JSONCompactEachRow';
  let rows = 0;
  const counted = pieces(insert.rows, (count) => {
    rows += count;
  });
  const result = await clickHouse.writer.exec({ query, values: Readable.from(counted) });
  for await (const _ of result.stream);
  return rows;
}

async function* pieces(
  rows: Iterable<Row>,
  onPiece: (rows: number) => void,
): AsyncGenerator<string> {
  let text = '';
  let count = 0;
  for (const row of rows) {
    text += `${JSON.stringify(row)}\n`;
    count += 1;
    if (count < rowsPerPiece) continue;
    yield text;
    onPiece(count);
    text = '';
    count = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (count > 0) yield text;
  onPiece(count);
}
