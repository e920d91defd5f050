/** The macros of Grafana's ClickHouse data source, expanded as it does: for the tests and for the console. */

export type TimeRange = { readonly fromMs: number; readonly toMs: number };

export function expandMacros(
  sql: string,
  range: TimeRange,
  values: Readonly<Record<string, string>> = {},
): string {
  const from = `toDateTime(${Math.floor(range.fromMs / 1000)})`;
  const to = `toDateTime(${Math.ceil(range.toMs / 1000)})`;
  return sql
    .replace(
      /\$__timeFilter\(([^)]+)\)/g,
      (_, column) => `(${column} >= ${from} AND ${column} <= ${to})`,
    )
    .replaceAll('$__fromTime', from)
    .replaceAll('$__toTime', to)
    .replace(/\$\{(\w+):sqlstring\}/g, (_, name: string) => quoted(values[name] ?? ''));
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
