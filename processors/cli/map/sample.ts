/** Rows of a legacy database as a mapping's documents: a few, to look at, or all, for the openings. */

import { keyOfColumns, type Row } from '../../cdc/change.ts';
import { type CapturedTable, columnNames } from '../../cdc/table.ts';
import { rowOfText } from '../../cdc/text-values.ts';
import { Fault } from '../../cdc/values.ts';
import type { DocumentMapping, SystemMapping } from '../../intake/mapping.ts';
import { type LookupValues, type TriedDocument, tryDocument } from '../../intake/trial.ts';
import type { SourceDatabase } from '../source/tables.ts';

export type Sample = {
  readonly tried: readonly TriedDocument[];
  /** Rows that cannot be read as the mapping says, with their table. */
  readonly unreadable: readonly string[];
};

/** `sources`: by system, the mapping's own and those whose tables it looks up. `last`: of each document; absent: all. */
export async function sampleOf(
  mapping: SystemMapping,
  sources: ReadonlyMap<string, SourceDatabase>,
  options: { readonly last?: number; readonly documents?: readonly DocumentMapping[] } = {},
): Promise<Sample> {
  const unreadable: string[] = [];
  const own = sources.get(mapping.system);
  if (own === undefined) throw new Error(`the database of ${mapping.system} is needed`);
  const read = async (source: SourceDatabase, table: CapturedTable, last?: number) => {
    const names = Object.entries(table.columns).flatMap(([name, column]) =>
      columnNames(name, column),
    );
    const newest = last === undefined ? {} : { last, orderBy: table.primaryKey };
    const rows: Row[] = [];
    for (const text of await source.rows(table.name, names, newest)) {
      const row = rowOfText(table.columns, text);
      if (row instanceof Fault) unreadable.push(`${table.name}: ${row.sentence}`);
      else rows.push(row);
    }
    return rows;
  };
  const lookups = await lookupValues(mapping, sources, read);
  const tried: TriedDocument[] = [];
  for (const document of options.documents ?? mapping.documents) {
    const headers = await read(own, document.header, options.last);
    const lines = new Map<string, Row[]>();
    // The newest lines belong to the newest headers, give or take.
    const most = options.last === undefined ? undefined : options.last * 200;
    if (document.lines !== undefined) {
      for (const line of await read(own, document.lines.table, most)) {
        const key = keyOfColumns(document.lines.headerKey, line);
        lines.set(key, [line, ...(lines.get(key) ?? [])]);
      }
    }
    for (const header of headers) {
      const key = keyOfColumns(document.header.primaryKey, header);
      const whole = { header, lines: lines.get(key) ?? [] };
      tried.push(tryDocument(mapping, document, whole, lookups, Date.now()));
    }
  }
  return { tried, unreadable: [...new Set(unreadable)] };
}

async function lookupValues(
  mapping: SystemMapping,
  sources: ReadonlyMap<string, SourceDatabase>,
  read: (source: SourceDatabase, table: CapturedTable) => Promise<readonly Row[]>,
): Promise<LookupValues> {
  const values = new Map<string, ReadonlyMap<string, string>>();
  for (const lookup of mapping.lookups) {
    const source = sources.get(lookup.system.name);
    if (source === undefined) continue;
    const entries = (await read(source, lookup.table)).flatMap((row) => lookup.entry(row) ?? []);
    values.set(lookup.name, new Map(entries.map(({ key, value }) => [key, value])));
  }
  return values;
}
