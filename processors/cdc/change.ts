/** A change as Debezium tells it, parsed at the border: what a row is now, where that stands in the source's log. */
import { shapeOf } from './shape.ts';
import { type CapturedTable, columnNames } from './table.ts';
import { type ColumnValue, Fault, unlogged } from './values.ts';

export type SystemKind = 'postgresql' | 'mariadb';
export type Row = Readonly<Record<string, ColumnValue>>;

export type TransactionPlace = {
  /** PostgreSQL: the transaction id; MariaDB: the GTID. */
  readonly id: string;
  readonly totalOrder: number;
};

/**
 * whole: a read of a snapshot of whole tables; tableEnd: the last one of its table; end: the last one of all; part: of
 * an incremental snapshot.
 */
export type SnapshotRead = 'whole' | 'tableEnd' | 'end' | 'part';

export type Change = {
  readonly kind: 'change';
  readonly table: string;
  /** create, update, delete, read (snapshot), truncate. */
  readonly operation: 'c' | 'u' | 'd' | 'r' | 't';
  /** Values of the primary key joined by `|`; empty for a truncate. */
  readonly key: string;
  /** The row now; null when it is gone. Columns that the log does not repeat are not in it. */
  readonly row: Row | null;
  /** Does the row lack columns because they stayed as they were? */
  readonly isPartial?: true;
  /** The row before an update, or before a delete, where the log holds it whole. */
  readonly before?: Row;
  readonly snapshot?: SnapshotRead;
  /** Comparable as text with other positions of the same system; empty for a part: it has no place in the log. */
  readonly position: string;
  readonly committedAt: number;
  readonly transaction: TransactionPlace | null;
};

/** A change that cannot be used; its transaction still counts it. */
export type UnusableChange = {
  readonly kind: 'unusable';
  readonly table: string;
  readonly fault: string;
  /** True when it is the table that no longer fits the mapping, not this row. */
  readonly isTableBroken: boolean;
  readonly committedAt: number;
  readonly transaction: TransactionPlace | null;
};

type Plain = Readonly<Record<string, unknown>>;

const keyCharactersMax = 400;
const operations: ReadonlySet<string> = new Set(['c', 'u', 'd', 'r', 't']);

/** The fields of an envelope that are decoded, for `ForeignTopic.fields`. */
export function envelopeFields(table: CapturedTable): readonly string[] {
  const columns = Object.entries(table.columns)
    .flatMap(([name, column]) => columnNames(name, column))
    .flatMap((name) => [`before.${name}`, `after.${name}`]);
  const source = ['snapshot', 'ts_ms', 'lsn', 'file', 'pos', 'row'].map((name) => `source.${name}`);
  return ['op', 'transaction.id', 'transaction.total_order', ...source, ...columns];
}

export function parseChange(
  kind: SystemKind,
  table: CapturedTable,
  plain: unknown,
  writer: unknown,
): Change | UnusableChange {
  const envelope = plain as Plain;
  const source = envelope.source as Plain | undefined;
  const { op } = envelope;
  if (typeof source !== 'object' || source === null || typeof op !== 'string') {
    throw new Error('the value is no Debezium envelope: it has no op and source');
  }
  const transaction = placeIn(kind, envelope.transaction as Plain | null | undefined);
  const committedAt = Number(source.ts_ms);
  const unusable = (fault: string, isTableBroken = false): UnusableChange => ({
    kind: 'unusable',
    table: table.name,
    fault,
    isTableBroken,
    committedAt: Number.isSafeInteger(committedAt) ? committedAt : 0,
    transaction,
  });
  if (!operations.has(op)) return unusable(`operation ${op} is not known`);
  const operation = op as Change['operation'];
  if (!Number.isSafeInteger(committedAt) || committedAt < 0 || committedAt > 253_402_300_799_999) {
    return unusable(`the commit's time ${String(source.ts_ms)} cannot be`);
  }
  const snapshot = operation === 'r' ? snapshotRead(source.snapshot) : undefined;
  const position = snapshot === 'part' ? '' : positionOf(kind, source, operation === 'r');
  if (position === undefined) return unusable('the change has no position in the log');
  const common = { kind: 'change', table: table.name, operation, position, committedAt } as const;
  if (operation === 't') return { ...common, key: '', row: null, transaction };
  const shape = shapeOf(table, writer);
  // A delete needs the key alone.
  const misfit = operation === 'd' ? shape.keyMisfit : shape.misfit;
  if (misfit !== undefined) return unusable(misfit, true);
  const image = (operation === 'd' ? envelope.before : envelope.after) as Plain | null | undefined;
  if (image === null || image === undefined) return unusable('the change carries no row');

  const row: Record<string, ColumnValue> = {};
  let isPartial = false;
  // A delete's image has only the key right; the rest may be filled with zeros.
  for (const column of operation === 'd' ? shape.keyColumns : shape.columns) {
    const value = column.parse(image[column.from]);
    if (value instanceof Fault) return unusable(`${table.name}.${column.name}: ${value.sentence}`);
    if (value === unlogged) isPartial = true;
    else row[column.name] = value;
  }
  const key = keyOf(table, row);
  if (key instanceof Fault) return unusable(key.sentence);
  const isToldWhole = operation === 'u' || (operation === 'd' && kind === 'mariadb');
  const before = isToldWhole ? wholeBefore(shape, envelope.before) : undefined;
  return {
    ...common,
    key,
    row: operation === 'd' ? null : row,
    ...(isPartial ? { isPartial } : {}),
    ...(before === undefined ? {} : { before }),
    ...(snapshot === undefined ? {} : { snapshot }),
    transaction,
  };
}

function keyOf(table: CapturedTable, row: Row): string | Fault {
  const parts: string[] = [];
  for (const name of table.primaryKey) {
    const value = row[name];
    if (value === null || value === undefined) {
      return new Fault(`${table.name}.${name} is part of the key and is missing`);
    }
    parts.push(keyPart(value));
  }
  const key = parts.join('|');
  return key.length > keyCharactersMax
    ? new Fault(`the key of ${table.name} has ${key.length} characters`)
    : key;
}

/** The key that these columns of a row make, such as a line's of its header. */
export const keyOfColumns = (columns: readonly string[], row: Row): string =>
  columns.map((column) => keyPart(row[column] ?? null)).join('|');

/** A key's part, so that parts joined by `|` stay apart. */
function keyPart(value: ColumnValue): string {
  const text = String(value);
  return text.includes('|') ? text.replaceAll('|', '\u001f') : text;
}

/** The row before an update; undefined where it cannot be read, or where PostgreSQL's log holds the key at most. */
function wholeBefore(shape: ReturnType<typeof shapeOf>, image: unknown): Row | undefined {
  if (image === null || image === undefined) return undefined;
  const row: Record<string, ColumnValue> = {};
  for (const column of shape.columns) {
    const value = column.parse((image as Plain)[column.from]);
    if (value instanceof Fault || value === unlogged) return undefined;
    row[column.name] = value;
  }
  return row;
}

function snapshotRead(marker: unknown): SnapshotRead {
  switch (marker) {
    case 'incremental':
      return 'part';
    case 'last':
      return 'end';
    case 'last_in_data_collection':
      return 'tableEnd';
    default:
      return 'whole';
  }
}

function placeIn(kind: SystemKind, block: Plain | null | undefined): TransactionPlace | null {
  if (block === null || block === undefined) return null;
  return { id: transactionId(kind, String(block.id)), totalOrder: Number(block.total_order) };
}

/** PostgreSQL's `<txid>:<lsn>` has another LSN in BEGIN, in each change and in END; only the txid is common. */
export function transactionId(kind: SystemKind, id: string): string {
  return kind === 'postgresql' ? (id.split(':')[0] ?? id) : id;
}

/**
 * LSN, or binlog file, position and row, in fixed width. PostgreSQL's position of a snapshot read ends in `r`: a
 * transaction that was under way then has changes that stand before it and are not in it.
 */
function positionOf(kind: SystemKind, source: Plain, isRead: boolean): string | undefined {
  if (kind === 'postgresql') {
    const { lsn } = source;
    if (typeof lsn !== 'number' && typeof lsn !== 'bigint') return undefined;
    return isRead ? `${hex(lsn)}r` : hex(lsn);
  }
  const file = fileNumber(String(source.file));
  if (file === undefined) return undefined;
  return `${file}.${digits(source.pos ?? 0, 12)}.${digits(source.row ?? 0, 8)}`;
}

/** The file stays the same for many changes. */
let lastFile: { readonly name: string; readonly number: string | undefined } | undefined;

function fileNumber(name: string): string | undefined {
  if (lastFile?.name !== name) {
    const number = /(\d+)$/.exec(name)?.[1];
    lastFile = { name, number: number === undefined ? undefined : digits(number, 8) };
  }
  return lastFile.number;
}

export function hex(value: number | bigint): string {
  return value.toString(16).padStart(16, '0');
}

export function digits(value: unknown, width: number): string {
  return String(value).padStart(width, '0');
}
