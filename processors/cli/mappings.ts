/** What the command line needs to know of mappings. */
import { columnNames } from '../cdc/table.ts';
import { capturedTables, type SystemMapping } from '../intake/mapping.ts';
import type { WantedTable } from './source/findings.ts';

/** What a mapping needs of the database. */
export function wantedTables(mapping: SystemMapping): readonly WantedTable[] {
  return capturedTables(mapping).map((table) => ({
    name: `${mapping.schema}.${table.name}`,
    primaryKey: table.primaryKey,
    columns: Object.entries(table.columns)
      .filter(([, column]) => typeof column === 'string' || column.absent === undefined)
      .map(([name, column]) => columnNames(name, column)),
  }));
}
