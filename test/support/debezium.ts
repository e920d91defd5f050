/** A legacy database for tests: committed transactions become Debezium's records, each topic in its own order. */
import type { SystemKind } from '../../processors/cdc/change.ts';
import { type CapturedTable, columnType } from '../../processors/cdc/table.ts';
import type { ColumnType } from '../../processors/cdc/values.ts';
import { tableTopic, transactionTopic } from '../../processors/intake/topology.ts';
import type { ForeignTopic } from '../../processors/topology/topic.ts';
import type { Header, Topology } from '../../processors/topology/topology.ts';
import { foreignRecord, type ScriptItem } from './topology-driver.ts';

/** A row's values as in `Write.row`. Text may be Debezium's placeholder for what the log does not repeat. */
type Values = Readonly<Record<string, unknown>>;

export type Write = {
  readonly table: CapturedTable;
  readonly operation: 'c' | 'u' | 'd' | 'r' | 't';
  /** Quantities in thousandths, times in milliseconds, dates in days. */
  readonly row: Values;
  /** The whole row before, as with MariaDB or PostgreSQL's full replica identity. */
  readonly before?: Values;
  /** The columns that the database has, where they are not those of the mapping: after an ALTER. */
  readonly written?: Readonly<Record<string, ColumnType>>;
  readonly headers?: readonly Header[];
};

export type Commit = { readonly committedAt: number; readonly writes: readonly Write[] };

/** What one source transaction leaves on the topics: records by topic name. */
export type Logged = { readonly topic: string; readonly item: ScriptItem };

/** A source transaction whose rows have their places in the log, and which has not ended. */
export type OpenTransaction = Commit & { readonly id: string; readonly places: readonly number[] };

const micro = 'io.debezium.time.MicroTimestamp';
const avroTypes: Readonly<Record<ColumnType, unknown>> = {
  text: 'string',
  id: 'long',
  integer: 'int',
  quantity: { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 3 },
  roundedQuantity: 'double',
  date: { type: 'int', 'connect.name': 'io.debezium.time.Date' },
  day: { type: 'long', 'connect.name': micro },
  localTime: { type: 'long', 'connect.name': micro },
  instant: { type: 'string', 'connect.name': 'io.debezium.time.ZonedTimestamp' },
  timeOfDay: { type: 'int', 'connect.name': 'io.debezium.time.Time' },
};

const transactionBlock = {
  type: 'record',
  name: 'block',
  namespace: 'event',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'total_order', type: 'long' },
    { name: 'data_collection_order', type: 'long' },
  ],
};

const collection = {
  type: 'record',
  name: 'collection',
  fields: [
    { name: 'data_collection', type: 'string' },
    { name: 'event_count', type: 'long' },
  ],
};

const eventSchema = {
  type: 'record',
  name: 'TransactionMetadataValue',
  fields: [
    { name: 'status', type: 'string' },
    { name: 'id', type: 'string' },
    { name: 'event_count', type: ['null', 'long'], default: null },
    { name: 'data_collections', type: ['null', { type: 'array', items: collection }] },
    { name: 'ts_ms', type: 'long' },
  ],
};

const keySchema = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'string' }] };

function envelopeSchema(table: string, columns: Readonly<Record<string, ColumnType>>): unknown {
  const fields = Object.entries(columns).map(([name, type]) => ({
    name,
    type: ['null', avroTypes[type]],
    default: null,
  }));
  return {
    type: 'record',
    name: 'Envelope',
    namespace: table,
    fields: [
      { name: 'before', type: ['null', { type: 'record', name: 'Value', fields }] },
      { name: 'after', type: ['null', 'Value'] },
      {
        name: 'source',
        type: {
          type: 'record',
          name: 'Source',
          fields: [
            { name: 'snapshot', type: ['null', 'string'] },
            { name: 'ts_ms', type: 'long' },
            { name: 'lsn', type: ['null', 'long'] },
            { name: 'file', type: ['null', 'string'] },
            { name: 'pos', type: ['null', 'long'] },
            { name: 'row', type: ['null', 'int'] },
          ],
        },
      },
      { name: 'op', type: 'string' },
      { name: 'transaction', type: ['null', transactionBlock] },
    ],
  };
}

function image(columns: Readonly<Record<string, ColumnType>>, row: Values): unknown {
  return Object.fromEntries(
    Object.entries(columns).map(([name, type]) => {
      const value = row[name] ?? null;
      if (value === null) return [name, null];
      if (type === 'quantity') return [name, { unscaled: BigInt(Number(value)), scale: 3 }];
      return [name, type === 'localTime' || type === 'day' ? Number(value) * 1000 : value];
    }),
  );
}

export type SnapshotKind = 'whole' | 'incremental';

/** A legacy system behind Debezium. Positions and transaction ids go on from commit to commit. */
export class DebeziumSource {
  /** The log's next place; a test sets it back to begin another lineage. */
  place = 1000;
  private transactions = 0;
  private readonly topics: ReadonlyMap<string, ForeignTopic<unknown>>;
  private readonly system: string;
  private readonly kind: SystemKind;
  private readonly schema: string;

  constructor(system: string, topology: Topology<never>, kind: SystemKind = 'postgresql') {
    this.system = system;
    this.kind = kind;
    this.schema = kind === 'postgresql' ? 'public' : system;
    this.topics = new Map(
      topology.inputs.flatMap((input) =>
        'foreign' in input ? [[input.name, input] as const] : [],
      ),
    );
  }

  /** All records of one committed transaction: its rows in order, then END. */
  commit(one: Commit): readonly Logged[] {
    return this.end(this.begin(one));
  }

  /** Gives the rows their places in the log. Several transactions may be open; they are told in the order of their ends. */
  begin(one: Commit): OpenTransaction {
    this.transactions += 1;
    const places = one.writes.map(() => this.next());
    return { ...one, id: String(this.transactions), places };
  }

  end({ committedAt, writes, id, places }: OpenTransaction): readonly Logged[] {
    const at = this.next();
    const rows = writes.flatMap((write, index) =>
      this.row(write, committedAt, {
        place: places[index] ?? 0,
        snapshot: null,
        transaction: {
          id: this.transactionId(id, places[index] ?? 0),
          total_order: index + 1,
          data_collection_order: index + 1,
        },
      }),
    );
    const counts = new Map<string, number>();
    for (const { table } of writes) counts.set(table.name, (counts.get(table.name) ?? 0) + 1);
    const event = this.record(transactionTopic(this.system), eventSchema, {
      status: 'END',
      id: this.transactionId(id, at),
      event_count: writes.length,
      data_collections: [...counts].map(([name, event_count]) => ({
        data_collection: `${this.schema}.${name}`,
        event_count,
      })),
      ts_ms: committedAt,
    });
    return [...rows, event];
  }

  /** Rows read by a snapshot: one place for all, no transaction. `isComplete`: false when it breaks off after them. */
  snapshot(
    { committedAt, writes }: Commit,
    options: { readonly kind?: SnapshotKind; readonly isComplete?: boolean } = {},
  ): readonly Logged[] {
    const place = this.next();
    const { kind = 'whole', isComplete = true } = options;
    return writes.flatMap((write, index) => {
      const isLast = !writes.slice(index + 1).some(({ table }) => table.name === write.table.name);
      const end = index === writes.length - 1 ? 'last' : 'last_in_data_collection';
      const marker = kind === 'incremental' ? 'incremental' : isLast && isComplete ? end : 'true';
      return this.row({ ...write, operation: 'r' }, committedAt, {
        place,
        snapshot: marker,
        transaction: null,
      });
    });
  }

  private next(): number {
    this.place += 1;
    return this.place;
  }

  private transactionId(id: string, place: number): string {
    return this.kind === 'postgresql' ? `${id}:${place}` : `0-1-${id}`;
  }

  /** The record of a row, and after a delete its tombstone. */
  private row(
    write: Write,
    committedAt: number,
    at: {
      readonly place: number;
      readonly snapshot: string | null;
      readonly transaction: unknown;
    },
  ): readonly Logged[] {
    const { table, operation, row } = write;
    const isGone = operation === 'd' || operation === 't';
    const columns = write.written ?? columnsOf(table);
    const topic = tableTopic(this.system, this.schema, table.name);
    // With the default replica identity a delete shows the key alone.
    const before = write.before ?? (operation === 'd' ? keyOf(table, row) : null);
    const value = {
      before: before === null ? null : image(columns, before),
      after: isGone ? null : image(columns, row),
      source: {
        snapshot: at.snapshot,
        ts_ms: committedAt,
        ...(this.kind === 'postgresql'
          ? {
              lsn: at.snapshot === 'incremental' ? null : at.place,
              file: null,
              pos: null,
              row: null,
            }
          : { lsn: null, file: 'log.000001', pos: at.place, row: 0 }),
      },
      op: operation,
      transaction: at.transaction,
    };
    const schema = envelopeSchema(table.name, columns);
    const { headers = [] } = write;
    const logged = this.record(topic, schema, value, { timestampMs: committedAt, headers });
    if (operation !== 'd') return [logged];
    return [logged, this.record(topic, schema, null, { timestampMs: committedAt })];
  }

  private record(
    topic: string,
    schema: unknown,
    value: unknown,
    options: { readonly timestampMs?: number; readonly headers?: readonly Header[] } = {},
  ): Logged {
    const foreign = this.topics.get(topic);
    if (foreign === undefined) throw new Error(`the topology does not read ${topic}`);
    const key = { id: topic };
    const item = foreignRecord(foreign, { key, keySchema, value, valueSchema: schema, ...options });
    return { topic, item };
  }
}

function columnsOf(table: CapturedTable): Readonly<Record<string, ColumnType>> {
  return Object.fromEntries(
    Object.entries(table.columns).map(([name, column]) => [name, columnType(column)]),
  );
}

function keyOf(table: CapturedTable, row: Values): Values {
  return Object.fromEntries(table.primaryKey.map((name) => [name, row[name]]));
}

/** Merges the topics' logs in an order that `choose` decides (0 to below its argument); each topic stays in order. */
export function interleave(
  log: readonly Logged[],
  choose: (below: number) => number,
): readonly ScriptItem[] {
  const topics = [...new Set(log.map(({ topic }) => topic))];
  const queues = topics.map((topic) => log.filter((logged) => logged.topic === topic));
  const merged: ScriptItem[] = [];
  for (;;) {
    const waiting = queues.filter((queue) => queue.length > 0);
    if (waiting.length === 0) return merged;
    const logged = waiting[choose(waiting.length)]?.shift();
    if (logged !== undefined) merged.push(logged.item);
  }
}
