/** A change as Debezium tells it, parsed at the border: what a row is now, where that stands in the source's log. */
import { type ColumnType, type ColumnValue, parseValue } from './values.ts';

export type SystemKind = 'postgresql' | 'mariadb';
export type Row = Readonly<Record<string, ColumnValue>>;

/** The captured columns of a table, and which of them are its primary key. */
export type CapturedTable = {
  readonly name: string;
  readonly primaryKey: readonly string[];
  readonly columns: Readonly<Record<string, ColumnType>>;
};

export type TransactionPlace = {
  /** PostgreSQL: the transaction id; MariaDB: the GTID. */
  readonly id: string;
  readonly totalOrder: number;
};

export type Change = {
  readonly kind: 'change';
  readonly table: string;
  /** create, update, delete, read (snapshot), truncate. */
  readonly operation: 'c' | 'u' | 'd' | 'r' | 't';
  /** Values of the primary key joined by `|`. */
  readonly key: string;
  /** The row now; null when it is gone. */
  readonly row: Row | null;
  /** Comparable as text with other positions of the same system. */
  readonly position: string;
  readonly committedAt: number;
  readonly transaction: TransactionPlace | null;
};

/** A change that cannot be used; its transaction still counts it. */
export type UnusableChange = {
  readonly kind: 'unusable';
  readonly table: string;
  readonly fault: string;
  readonly transaction: TransactionPlace | null;
};

export type TransactionEnd = {
  readonly kind: 'end';
  readonly id: string;
  readonly changes: number;
  /** Orders ENDs as they were committed; comparable as text. */
  readonly order: string;
  readonly committedAt: number;
};

export type TransactionBegin = { readonly kind: 'begin'; readonly id: string };

type Plain = Readonly<Record<string, unknown>>;

/** The fields of an envelope that are decoded, for `ForeignTopic.fields`. */
export function envelopeFields(table: CapturedTable): readonly string[] {
  const columns = Object.keys(table.columns).flatMap((name) => [`before.${name}`, `after.${name}`]);
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
  const source = envelope.source as Plain;
  const transaction = placeIn(kind, envelope.transaction as Plain | null | undefined);
  const operation = envelope.op as Change['operation'];
  const image = (operation === 'd' ? envelope.before : envelope.after) as Plain | null;
  const unusable = (fault: string): UnusableChange => ({
    kind: 'unusable',
    table: table.name,
    fault,
    transaction,
  });
  if (operation === 't') return unusable('the table was truncated: its rows have to be read again');
  if (!['c', 'u', 'd', 'r'].includes(operation))
    return unusable(`operation ${operation} is not known`);
  if (image === null || image === undefined) return unusable('the change carries no row');
  const encodings = encodingsOf(writer);
  const row: Record<string, ColumnValue> = {};
  // A delete's image has only the key right; the rest may be filled with zeros.
  const wanted = operation === 'd' ? table.primaryKey : Object.keys(table.columns);
  for (const name of wanted) {
    const type = table.columns[name] ?? 'id';
    const parsed = parseValue(type, image[name], encodings.get(name) ?? '');
    if ('fault' in parsed) return unusable(`${table.name}.${name}: ${parsed.fault}`);
    if (parsed.value === null && table.primaryKey.includes(name)) {
      return unusable(`${table.name}.${name} is part of the key and is missing`);
    }
    row[name] = parsed.value;
  }
  return {
    kind: 'change',
    table: table.name,
    operation,
    key: table.primaryKey.map((name) => row[name]).join('|'),
    row: operation === 'd' ? null : row,
    position: positionOf(kind, source),
    committedAt: Number(source.ts_ms),
    transaction,
  };
}

function placeIn(kind: SystemKind, block: Plain | null | undefined): TransactionPlace | null {
  if (block === null || block === undefined) return null;
  return { id: transactionId(kind, String(block.id)), totalOrder: Number(block.total_order) };
}

/** PostgreSQL's `<txid>:<lsn>` has another LSN in BEGIN, in each change and in END; only the txid is common. */
function transactionId(kind: SystemKind, id: string): string {
  return kind === 'postgresql' ? (id.split(':')[0] ?? id) : id;
}

/** LSN, or binlog file, position and row, in fixed width. */
function positionOf(kind: SystemKind, source: Plain): string {
  if (kind === 'postgresql') return hex(BigInt(String(source.lsn ?? 0)));
  const file = /(\d+)$/.exec(String(source.file))?.[1] ?? '0';
  return `${digits(file, 8)}.${digits(source.pos, 12)}.${digits(source.row ?? 0, 8)}`;
}

function hex(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}

function digits(value: unknown, width: number): string {
  return String(value).padStart(width, '0');
}

const encodingsByWriter = new WeakMap<object, ReadonlyMap<string, string>>();

/** `connect.name` of each column, from the writer's schema of the row. */
function encodingsOf(writer: unknown): ReadonlyMap<string, string> {
  const key = writer as object;
  const known = encodingsByWriter.get(key);
  if (known !== undefined) return known;
  const found = new Map<string, string>();
  const envelope = writer as { readonly fields: readonly { name: string; type: unknown }[] };
  const before = envelope.fields.find((field) => field.name === 'before');
  const row = [before?.type].flat().find((type) => typeof type === 'object' && type !== null);
  const fields = (row as { readonly fields?: readonly { name: string; type: unknown }[] })?.fields;
  for (const field of fields ?? []) {
    const named = [field.type].flat().find((type) => typeof type === 'object' && type !== null);
    const encoding = (named as Plain | undefined)?.['connect.name'];
    if (typeof encoding === 'string') found.set(field.name, encoding);
  }
  encodingsByWriter.set(key, found);
  return found;
}

export function parseTransactionEvent(
  kind: SystemKind,
  plain: unknown,
): TransactionBegin | TransactionEnd {
  const event = plain as Plain;
  const id = String(event.id);
  if (event.status === 'BEGIN') return { kind: 'begin', id: transactionId(kind, id) };
  return {
    kind: 'end',
    id: transactionId(kind, id),
    changes: Number(event.event_count ?? 0),
    order: endOrder(kind, id),
    committedAt: Number(event.ts_ms),
  };
}

/** END's LSN, or the GTID's sequence within its domain. */
function endOrder(kind: SystemKind, id: string): string {
  if (kind === 'postgresql') return hex(BigInt(id.split(':')[1] ?? '0'));
  const [domain = '0', , sequence = '0'] = id.split('-');
  return `${digits(domain, 10)}.${digits(sequence, 20)}`;
}
