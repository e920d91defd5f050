/** What is captured of a table. */
import type { ColumnType, ColumnValue } from './values.ts';

/**
 * How a captured column is read. `from`: its names in the database, where they differ from the mapping's; the first
 * that the log has counts, so that a renamed column goes on as the same one. `absent`: its value where the log has
 * none of them.
 */
export type Column =
  | ColumnType
  | {
      readonly type: ColumnType;
      readonly from?: readonly string[];
      readonly absent?: ColumnValue;
    };

/** The captured columns of a table, and which of them are its primary key. */
export type CapturedTable = {
  readonly name: string;
  readonly primaryKey: readonly string[];
  readonly columns: Readonly<Record<string, Column>>;
};

export const columnType = (column: Column): ColumnType =>
  typeof column === 'string' ? column : column.type;

/** The names under which the database may have a column. */
export const columnNames = (name: string, column: Column): readonly string[] =>
  typeof column === 'string' ? [name] : (column.from ?? [name]);
