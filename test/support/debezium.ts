/** A legacy database for tests: committed transactions become Debezium's records, each topic in its own order. */
import type { CapturedTable } from '../../processors/cdc/change.ts';
import type { ColumnType } from '../../processors/cdc/values.ts';
import { tableTopic, transactionTopic } from '../../processors/intake/topology.ts';
import type { ForeignTopic } from '../../processors/topology/topic.ts';
import type { Topology } from '../../processors/topology/topology.ts';
import { foreignRecord, type ScriptItem } from './topology-driver.ts';

export type Write = {
  readonly table: CapturedTable;
  readonly operation: 'c' | 'u' | 'd' | 'r';
  /** Quantities in thousandths, times in milliseconds, dates in days. */
  readonly row: Readonly<Record<string, unknown>>;
};

export type Commit = { readonly committedAt: number; readonly writes: readonly Write[] };

/** What one source transaction leaves on the topics: records by topic name. */
export type Logged = { readonly topic: string; readonly item: ScriptItem };

const avroTypes: Readonly<Record<ColumnType, unknown>> = {
  text: 'string',
  id: 'long',
  integer: 'int',
  quantity: { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 3 },
  date: { type: 'int', 'connect.name': 'io.debezium.time.Date' },
  localTime: { type: 'long', 'connect.name': 'io.debezium.time.MicroTimestamp' },
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

const eventSchema = {
  type: 'record',
  name: 'TransactionMetadataValue',
  fields: [
    { name: 'status', type: 'string' },
    { name: 'id', type: 'string' },
    { name: 'event_count', type: ['null', 'long'], default: null },
    { name: 'ts_ms', type: 'long' },
  ],
};

const keySchema = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'string' }] };

function envelopeSchema(table: CapturedTable): unknown {
  const fields = Object.entries(table.columns).map(([name, type]) => ({
    name,
    type: ['null', avroTypes[type]],
    default: null,
  }));
  return {
    type: 'record',
    name: 'Envelope',
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
            { name: 'lsn', type: 'long' },
          ],
        },
      },
      { name: 'op', type: 'string' },
      { name: 'transaction', type: ['null', transactionBlock] },
    ],
  };
}

function image(table: CapturedTable, row: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(
    Object.entries(table.columns).map(([name, type]) => {
      const value = row[name] ?? null;
      if (value === null) return [name, null];
      if (type === 'quantity') return [name, { unscaled: BigInt(Number(value)), scale: 3 }];
      return [name, type === 'localTime' ? Number(value) * 1000 : value];
    }),
  );
}

/** A PostgreSQL system behind Debezium. Positions and transaction ids go on from commit to commit. */
export class DebeziumSource {
  private lsn = 1000;
  private transactions = 0;
  private readonly topics: ReadonlyMap<string, ForeignTopic<unknown>>;
  private readonly system: string;

  constructor(system: string, topology: Topology<never>) {
    this.system = system;
    this.topics = new Map(
      topology.inputs.flatMap((input) =>
        'foreign' in input ? [[input.name, input] as const] : [],
      ),
    );
  }

  /** All records of one committed transaction: its rows in order, then END. */
  commit({ committedAt, writes }: Commit): readonly Logged[] {
    this.transactions += 1;
    const id = String(this.transactions);
    const rows = writes.map((write, index) => this.row(write, committedAt, id, index + 1));
    this.lsn += 1;
    const event = { status: 'END', id: `${id}:${this.lsn}`, event_count: writes.length };
    const end = this.record(transactionTopic(this.system), eventSchema, {
      ...event,
      ts_ms: committedAt,
    });
    return [...rows, end];
  }

  /** Rows read by a snapshot: one position for all, no transaction. */
  snapshot({ committedAt, writes }: Commit): readonly Logged[] {
    this.lsn += 1;
    return writes.map((write) => this.envelope({ ...write, operation: 'r' }, committedAt, null));
  }

  private row(write: Write, committedAt: number, id: string, order: number): Logged {
    this.lsn += 1;
    return this.envelope(write, committedAt, {
      id: `${id}:${this.lsn}`,
      total_order: order,
      data_collection_order: order,
    });
  }

  private envelope(write: Write, committedAt: number, transaction: unknown): Logged {
    const { table, operation, row } = write;
    const isGone = operation === 'd';
    return this.record(
      tableTopic(this.system, 'public', table.name),
      envelopeSchema(table),
      {
        // With the default replica identity a delete shows the key alone.
        before: isGone ? image(table, keyOf(table, row)) : null,
        after: isGone ? null : image(table, row),
        source: { snapshot: null, ts_ms: committedAt, lsn: this.lsn },
        op: operation,
        transaction,
      },
      committedAt,
    );
  }

  private record(topic: string, schema: unknown, value: unknown, timestampMs = 0): Logged {
    const foreign = this.topics.get(topic);
    if (foreign === undefined) throw new Error(`the topology does not read ${topic}`);
    const key = { id: topic };
    const item = foreignRecord(foreign, {
      key,
      keySchema,
      value,
      valueSchema: schema,
      timestampMs,
    });
    return { topic, item };
  }
}

function keyOf(table: CapturedTable, row: Readonly<Record<string, unknown>>) {
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
