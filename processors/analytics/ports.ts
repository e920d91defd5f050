/** What analytics needs of the outside: records of topics, and a place for rows. */
import type { StreamRecord } from '../topology/topology.ts';

export type PartitionOffset = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
};

/** The first offset that a partition still has, and the one that the next record will get. */
export type PartitionBounds = {
  readonly topic: string;
  readonly partition: number;
  readonly first: bigint;
  readonly end: bigint;
};

export type Batch = {
  readonly records: readonly StreamRecord[];
  /** Partitions of which all committed records have been delivered, with the offset of the next one to come. */
  readonly ends: readonly PartitionOffset[];
};

/** Committed records of several topics, decoded, in the order of each partition. One caller, one call at a time. */
export interface RecordReader {
  /** What every partition of these topics has now, as the broker says it; a missing topic is an error. */
  bounds(topics: readonly string[]): Promise<readonly PartitionBounds[]>;
  /**
   * From now on exactly these partitions are read, each from its offset, which has to be within its bounds.
   * Nothing of an earlier call is delivered afterwards.
   */
  seek(offsets: readonly PartitionOffset[]): Promise<void>;
  /** Waits up to `waitMs` for a first record, then takes what has already arrived. */
  poll(limit: { readonly waitMs: number; readonly recordsMax: number }): Promise<Batch>;
}

/**
 * One value of a row. What it stands for is the column's to say: a number is thousandths for a decimal, milliseconds
 * for a time, else itself.
 */
export type Cell = string | number | boolean | readonly string[];
export type Row = readonly Cell[];

/** The rows of one insert, column by column. */
export type TableRows = {
  readonly table: string;
  readonly columns: readonly string[];
  /** One per row: what the cells are read from. Made while they are written; may be gone through again. */
  readonly items: Iterable<unknown>;
  /** For each column: item → cell. */
  readonly read: readonly ((item: never) => Cell)[];
  /** What `encode` made of them ahead of time. */
  readonly encoded?: unknown;
};

/** Rows that are there as rows. */
export function plainRows(
  table: string,
  columns: readonly string[],
  rows: readonly Row[],
): TableRows {
  const read = columns.map((_, index) => (row: Row) => row[index] ?? '');
  return { table, columns, items: rows, read };
}

export interface AnalyticsStore {
  /** Does the work of an insert that needs no ClickHouse: so it can be done while another insert runs. */
  encode?(rows: TableRows): Promise<TableRows>;
  /**
   * Resolves with the number of rows, when they are readable. No rows are no insert.
   * Repeating it changes nothing in the views.
   */
  insert(rows: TableRows): Promise<number>;
  /** All rows of one SELECT, in column order. 64-bit integers have to be selected as text. */
  select(query: string): Promise<readonly (readonly unknown[])[]>;
}
