/** BEGIN and END of source transactions, from Debezium's transaction topic. */
import { digits, hex, type SystemKind, transactionId } from './change.ts';

export type TransactionEnd = {
  readonly kind: 'end';
  readonly id: string;
  /** How many of its changes are in tables that we read. */
  readonly changes: number;
  /** MariaDB: the GTID's domain, within which ENDs are ordered; PostgreSQL: empty. */
  readonly domain: string;
  /** Orders the ENDs of a domain as they were committed; comparable as text. PostgreSQL's also with positions. */
  readonly order: string;
  readonly committedAt: number;
};

export type TransactionBegin = { readonly kind: 'begin'; readonly id: string };

type Plain = Readonly<Record<string, unknown>>;

/** `tables`: those that we read, as `<schema>.<table>`; the connector may capture more. */
export function parseTransactionEvent(
  kind: SystemKind,
  tables: ReadonlySet<string>,
  plain: unknown,
): TransactionBegin | TransactionEnd {
  const event = plain as Plain;
  if (typeof event.id !== 'string' || typeof event.status !== 'string') {
    throw new Error('the value is no event of a source transaction: it has no id and status');
  }
  const { id } = event;
  if (event.status === 'BEGIN') return { kind: 'begin', id: transactionId(kind, id) };
  return {
    kind: 'end',
    id: transactionId(kind, id),
    changes: changesIn(event, tables),
    ...orderOf(kind, id),
    committedAt: Number(event.ts_ms ?? 0),
  };
}

function changesIn(event: Plain, tables: ReadonlySet<string>): number {
  const collections = event.data_collections as readonly Plain[] | null | undefined;
  if (collections === null || collections === undefined) return Number(event.event_count ?? 0);
  return collections
    .filter((one) => tables.has(String(one.data_collection)))
    .reduce((sum, one) => sum + Number(one.event_count), 0);
}

/** END's LSN, or the GTID's sequence within its domain. */
function orderOf(kind: SystemKind, id: string): Pick<TransactionEnd, 'domain' | 'order'> {
  if (kind === 'postgresql') {
    const lsn = /:(\d+)$/.exec(id)?.[1];
    if (lsn === undefined) throw new Error(`transaction id ${id} has no LSN`);
    return { domain: '', order: hex(BigInt(lsn)) };
  }
  const [domain = '', , sequence] = id.split('-');
  if (sequence === undefined) throw new Error(`transaction id ${id} is no GTID`);
  return { domain, order: digits(sequence, 20) };
}
