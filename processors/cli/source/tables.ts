/** Reads a legacy database by SQL: what tables there are, and rows as text. Only SELECT. */
import type { RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import type { TextRow } from '../../cdc/text-values.ts';
import type { SystemMapping } from '../../intake/mapping.ts';
import { openMariadb, openPostgres } from './url.ts';

export type FoundColumn = {
  readonly name: string;
  /** As the database names it, in lower case: numeric, varchar, timestamp with time zone. */
  readonly type: string;
  readonly isNullable: boolean;
};

export type FoundTable = {
  readonly name: string;
  readonly columns: readonly FoundColumn[];
  readonly primaryKey: readonly string[];
  /** Column → table and column that it refers to. */
  readonly references: Readonly<
    Record<string, { readonly table: string; readonly column: string }>
  >;
  readonly rows: number;
};

export type SourceDatabase = {
  readonly kind: 'postgresql' | 'mariadb';
  /** PostgreSQL: `public`; MariaDB: the database. */
  readonly schema: string;
  readonly tables: () => Promise<readonly FoundTable[]>;
  /** Absent columns are left out. `last`: only so many, the newest by key. */
  readonly rows: (
    table: string,
    columns: readonly string[],
    options?: { readonly last?: number; readonly orderBy?: readonly string[] },
  ) => Promise<readonly TextRow[]>;
  /** How often each value of a column occurs, the commonest first; at most `most`. */
  readonly values: (
    table: string,
    column: string,
    most: number,
  ) => Promise<readonly { readonly value: string | null; readonly count: number }[]>;
  readonly hasNegative: (table: string, column: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
};

type Ask = (
  text: string,
  values?: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>;

type Dialect = {
  readonly kind: SourceDatabase['kind'];
  readonly schema: string;
  readonly quote: (name: string) => string;
  readonly asText: (expression: string) => string;
  readonly parameter: string;
};

/** `postgresql://` or `mariadb://`, as the user that captures. */
export async function openSource(url: string): Promise<SourceDatabase> {
  if (/^postgres(ql)?:/.test(url)) {
    const client = await openPostgres(url);
    const ask: Ask = async (text, values = []) => (await client.query(text, [...values])).rows;
    const dialect: Dialect = {
      kind: 'postgresql',
      schema: 'public',
      quote: (name) => pg.escapeIdentifier(name),
      asText: (expression) => `${expression}::text`,
      parameter: '$1',
    };
    return sourceBy(dialect, ask, () => client.end());
  }
  const connection = await openMariadb(url);
  const ask: Ask = async (text, values = []) =>
    (await connection.query<RowDataPacket[]>(text, [...values]))[0];
  const dialect: Dialect = {
    kind: 'mariadb',
    schema: decodeURIComponent(new URL(url).pathname.slice(1)),
    quote: (name) => connection.escapeId(name),
    asText: (expression) => `CAST(${expression} AS CHAR)`,
    parameter: '?',
  };
  return sourceBy(dialect, ask, () => connection.end());
}

/** By system: the mapping's own, and those that are named for its lookups. */
export async function openSources(
  { system }: SystemMapping,
  url: string,
  lookups: readonly string[],
): Promise<ReadonlyMap<string, SourceDatabase>> {
  const sources = new Map([[system, await openSource(url)]]);
  for (const one of lookups) {
    const at = one.indexOf('=');
    if (at < 1) throw new Error(`--lookup ${one}: such as erp=postgresql://user:password@host/erp`);
    sources.set(one.slice(0, at), await openSource(one.slice(at + 1)));
  }
  return sources;
}

function sourceBy(dialect: Dialect, ask: Ask, close: () => Promise<void>): SourceDatabase {
  const { kind, schema, quote, asText } = dialect;
  const place = (table: string): string => `${quote(schema)}.${quote(table)}`;
  const known = new Map<string, ReadonlySet<string>>();
  const columnsOf = async (table: string): Promise<ReadonlySet<string>> => {
    const before = known.get(table);
    if (before !== undefined) return before;
    const found = (await foundColumns(dialect, ask)).get(table) ?? [];
    const names = new Set(found.map(({ name }) => name));
    known.set(table, names);
    return names;
  };
  return {
    kind,
    schema,
    close,
    tables: () => foundTables(dialect, ask, place),
    rows: async (table, columns, { last, orderBy = [] } = {}) => {
      const there = await columnsOf(table);
      if (there.size === 0) throw new Error(`there is no table ${schema}.${table}`);
      const wanted = columns.filter((column) => there.has(column));
      const list = wanted
        .map((column) => `${asText(quote(column))} AS ${quote(column)}`)
        .join(', ');
      const keys = orderBy.filter((column) => there.has(column)).map((key) => `${quote(key)} DESC`);
      const order = keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`;
      const limit = last === undefined ? '' : ` LIMIT ${last}`;
      return (await ask(
        `SELECT ${list} FROM ${place(table)}${order}${limit}`,
      )) as readonly TextRow[];
    },
    hasNegative: async (table, column) =>
      (await ask(`SELECT 1 AS one FROM ${place(table)} WHERE ${quote(column)} < 0 LIMIT 1`))
        .length > 0,
    values: async (table, column, most) => {
      const rows = await ask(
        `SELECT ${asText(quote(column))} AS value, count(*) AS number FROM ${place(table)} GROUP BY 1 ORDER BY 2 DESC LIMIT ${most}`,
      );
      return rows.map(({ value, number }) => ({
        value: value === null ? null : String(value),
        count: Number(number),
      }));
    },
  };
}

async function foundColumns(
  { kind, schema, parameter }: Dialect,
  ask: Ask,
): Promise<ReadonlyMap<string, readonly FoundColumn[]>> {
  const type = kind === 'postgresql' ? 'c.data_type' : 'c.column_type';
  const rows = await ask(
    `SELECT c.table_name AS tab, c.column_name AS col, ${type} AS type, c.is_nullable AS nullable
     FROM information_schema.columns c JOIN information_schema.tables t
       ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
     WHERE c.table_schema = ${parameter} ORDER BY c.table_name, c.ordinal_position`,
    [schema],
  );
  const tables = new Map<string, FoundColumn[]>();
  for (const { tab, col, type: told, nullable } of rows) {
    const list = tables.get(String(tab)) ?? [];
    const isNullable = nullable === 'YES';
    list.push({ name: String(col), type: String(told).toLowerCase(), isNullable });
    tables.set(String(tab), list);
  }
  return tables;
}

async function foundTables(
  dialect: Dialect,
  ask: Ask,
  place: (table: string) => string,
): Promise<readonly FoundTable[]> {
  const columns = await foundColumns(dialect, ask);
  const keys = await foundKeys(dialect, ask);
  const found: FoundTable[] = [];
  for (const [name, list] of columns) {
    const own = keys.filter(({ table }) => table === name);
    const [counted] = await ask(`SELECT count(*) AS number FROM ${place(name)}`);
    found.push({
      name,
      columns: list,
      primaryKey: own.filter(({ target }) => target === undefined).map(({ column }) => column),
      references: Object.fromEntries(
        own.flatMap(({ column, target }) => (target === undefined ? [] : [[column, target]])),
      ),
      rows: Number(counted?.number),
    });
  }
  return found;
}

type FoundKey = {
  readonly table: string;
  readonly column: string;
  /** Undefined: a column of the primary key. */
  readonly target: { readonly table: string; readonly column: string } | undefined;
};

async function foundKeys(
  { kind, schema, parameter }: Dialect,
  ask: Ask,
): Promise<readonly FoundKey[]> {
  const rows =
    kind === 'postgresql'
      ? await ask(
          `SELECT t.relname AS tab, a.attname AS col, CASE WHEN k.contype = 'f' THEN o.relname END AS other, b.attname AS othercol
           FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
           CROSS JOIN LATERAL unnest(k.conkey, coalesce(k.confkey, k.conkey)) WITH ORDINALITY AS u(own, their, at)
           JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.own
           LEFT JOIN pg_class o ON o.oid = k.confrelid
           LEFT JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.their
           WHERE k.contype IN ('p', 'f') AND n.nspname = ${parameter} ORDER BY t.relname, u.at`,
          [schema],
        )
      : await ask(
          `SELECT table_name AS tab, column_name AS col, referenced_table_name AS other, referenced_column_name AS othercol
           FROM information_schema.key_column_usage
           WHERE table_schema = ${parameter} AND (constraint_name = 'PRIMARY' OR referenced_table_name IS NOT NULL)
           ORDER BY table_name, ordinal_position`,
          [schema],
        );
  return rows.map(({ tab, col, other, othercol }) => ({
    table: String(tab),
    column: String(col),
    target:
      other === null || other === undefined
        ? undefined
        : { table: String(other), column: String(othercol) },
  }));
}
