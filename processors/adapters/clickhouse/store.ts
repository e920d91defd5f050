/** Blocks of rows into ClickHouse, and our own questions out of it. */
import type { AnalyticsStore, TableRows } from '../../analytics/ports.ts';
import { type NativeBlock, nativeBlock } from './block.ts';
import type { ClickHouse } from './client.ts';

export function clickHouseStore(clickHouse: ClickHouse): AnalyticsStore {
  const typesByTable = new Map<string, ReadonlyMap<string, string>>();
  const select = async (query: string): Promise<readonly (readonly unknown[])[]> => {
    const result = await clickHouse.reader.query({ query, format: 'JSONCompactEachRow' });
    return await result.json<readonly unknown[]>();
  };
  const typesOf = async (table: string): Promise<ReadonlyMap<string, string>> => {
    const known = typesByTable.get(table);
    if (known !== undefined) return known;
    const columns = await select(
      `SELECT name, type FROM system.columns WHERE database = '${clickHouse.database}' AND table = '${table}'`,
    );
    const types = new Map(columns.map(([name, type]) => [String(name), String(type)]));
    if (types.size > 0) typesByTable.set(table, types);
    return types;
  };
  const blockOf = async (rows: TableRows): Promise<NativeBlock> =>
    (rows.encoded as NativeBlock | undefined) ?? nativeBlock(rows, await typesOf(rows.table));
  return {
    select,
    encode: async (rows) => ({ ...rows, encoded: await blockOf(rows) }),
    insert: async (rows) => {
      const block = await blockOf(rows);
      if (block.rows === 0) return 0;
      await clickHouse.insertBlock({ ...statementOf(clickHouse, rows), native: block.bytes });
      return block.rows;
    },
  };
}

function statementOf(
  { database }: ClickHouse,
  { table, columns }: TableRows,
): { readonly into: string; readonly settings: string } {
  const names = columns.map((name) => `\`${name}\``).join(', ');
  return {
    into: `INSERT INTO ${database}.${table} (${names})`,
    // In the statement: a setting of its own would stay in an embedded session.
    // Whatever window its tables have, nothing is noted: ClickHouse notes a block before it has it, and killed in between
    // it takes the repetition for a duplicate; nor does it tell a view of a block that it has noted.
    settings: 'async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0',
  };
}
