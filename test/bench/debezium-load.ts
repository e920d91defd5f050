/** A till's day as Debezium's MariaDB connector writes it: receipts with lines in source transactions, in raw Avro bytes. */
import { posMapping } from '../../connectors/pos/mapping.ts';
import { encodeWire } from '../../processors/adapters/avro/codec.ts';
import { foreignType } from '../../processors/adapters/avro/schema-types.ts';
import { tableTopic, transactionTopic } from '../../processors/intake/topology.ts';
import { type Random, seeded } from './random.ts';

export type RawPair = {
  readonly topic: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly timestampMs: number;
};

/** Gives each schema its id, as a registry would. */
export type SchemaId = (subject: string, schema: unknown) => number;

const decimal = (precision: number, scale: number) => ({
  type: 'bytes',
  scale,
  precision,
  'connect.version': 1,
  'connect.parameters': { scale: String(scale), 'connect.decimal.precision': String(precision) },
  'connect.name': 'org.apache.kafka.connect.data.Decimal',
  logicalType: 'decimal',
});
const short = { type: 'int', 'connect.type': 'int16' };
const optional = (type: unknown) => ['null', type];
const timestamp = {
  type: 'long',
  'connect.version': 1,
  'connect.name': 'io.debezium.time.Timestamp',
};
const choice = {
  type: 'string',
  'connect.version': 1,
  'connect.parameters': { allowed: 'sale,return' },
  'connect.name': 'io.debezium.data.Enum',
};

const columns = {
  receipt: [
    ['id', decimal(20, 0)],
    ['shop_id', 'int'],
    ['till_no', short],
    ['receipt_no', 'int'],
    ['sold_at', timestamp],
    ['status', short],
  ],
  receipt_line: [
    ['id', decimal(20, 0)],
    ['receipt_id', decimal(20, 0)],
    ['line_no', short],
    ['plu', 'int'],
    ['kind', choice],
    ['quantity', decimal(9, 3)],
    ['voided', short],
  ],
  product: [
    ['plu', 'int'],
    ['barcode', 'string'],
  ],
  artean: [
    ['ean', 'string'],
    ['artnr', 'string'],
  ],
  lagst: [
    ['lagnr', 'int'],
    ['filnr', optional('int')],
  ],
} as const;

type Table = keyof typeof columns;

const sourceFields = [
  ...['version', 'connector', 'name'].map((name) => ({ name, type: 'string' })),
  { name: 'ts_ms', type: 'long' },
  { name: 'snapshot', type: optional('string'), default: null },
  { name: 'db', type: 'string' },
  { name: 'sequence', type: optional('string'), default: null },
  { name: 'ts_us', type: optional('long'), default: null },
  { name: 'ts_ns', type: optional('long'), default: null },
  { name: 'table', type: optional('string'), default: null },
  { name: 'server_id', type: 'long' },
  { name: 'gtid', type: optional('string'), default: null },
  { name: 'file', type: 'string' },
  { name: 'pos', type: 'long' },
  { name: 'row', type: 'int' },
  { name: 'thread', type: optional('long'), default: null },
  { name: 'query', type: optional('string'), default: null },
  { name: 'lsn', type: optional('long'), default: null },
];

function envelopeSchema(table: Table): unknown {
  const fields = columns[table].map(([name, type]) => ({ name, type }));
  const time = (name: string) => ({ name, type: optional('long'), default: null });
  return {
    type: 'record',
    name: 'Envelope',
    namespace: `pos.pos.${table}`,
    fields: [
      { name: 'before', type: optional({ type: 'record', name: 'Value', fields }), default: null },
      { name: 'after', type: optional('Value'), default: null },
      { name: 'source', type: { type: 'record', name: 'Source', fields: sourceFields } },
      {
        name: 'transaction',
        type: optional({
          type: 'record',
          name: 'block',
          namespace: 'event',
          fields: [
            { name: 'id', type: 'string' },
            { name: 'total_order', type: 'long' },
            { name: 'data_collection_order', type: 'long' },
          ],
        }),
        default: null,
      },
      { name: 'op', type: 'string' },
      ...['ts_ms', 'ts_us', 'ts_ns'].map(time),
    ],
  };
}

const endSchema = {
  type: 'record',
  name: 'TransactionMetadataValue',
  namespace: 'io.debezium.connector.common',
  fields: [
    { name: 'status', type: 'string' },
    { name: 'id', type: 'string' },
    { name: 'event_count', type: optional('long'), default: null },
    {
      name: 'data_collections',
      type: optional({
        type: 'array',
        items: {
          type: 'record',
          name: 'ConnectDefault',
          fields: [
            { name: 'data_collection', type: 'string' },
            { name: 'event_count', type: 'long' },
          ],
        },
      }),
      default: null,
    },
    { name: 'ts_ms', type: 'long' },
  ],
};

const endKeySchema = {
  type: 'record',
  name: 'TransactionMetadataKey',
  namespace: 'io.debezium.connector.common',
  fields: [{ name: 'id', type: 'string' }],
};

const keyColumns: Readonly<Record<Table, string>> = {
  receipt: 'id',
  receipt_line: 'id',
  product: 'plu',
  artean: 'ean',
  lagst: 'lagnr',
};

function keySchema(table: Table): unknown {
  const name = keyColumns[table];
  const type = columns[table].find(([column]) => column === name)?.[1];
  return {
    type: 'record',
    name: 'Key',
    namespace: `pos.pos.${table}`,
    fields: [{ name, type }],
  };
}

/** Every schema of the load, by the subject under which Debezium registers it. */
export function debeziumSchemas(): ReadonlyMap<string, unknown> {
  const tables = Object.keys(columns) as Table[];
  const transaction = transactionTopic(posMapping.system);
  return new Map<string, unknown>([
    ...tables.flatMap((table): [string, unknown][] => [
      [`${topicOf(table)}-key`, keySchema(table)],
      [`${topicOf(table)}-value`, envelopeSchema(table)],
    ]),
    [`${transaction}-key`, endKeySchema],
    [`${transaction}-value`, endSchema],
  ]);
}

const articles = 5_000;
const shops = 20;
const firstCommitMs = Date.UTC(2026, 2, 2, 8);

export type DebeziumLoad = {
  /** The lookups that receipts need: products, barcodes, shops. */
  readonly lookups: () => Generator<RawPair>;
  /** So many receipts: each a source transaction of one header and one to seven lines. */
  readonly receipts: (count: number) => Generator<RawPair>;
  /** What the receipts so far sold, in thousandths, by `sku|location`. */
  readonly sold: ReadonlyMap<string, number>;
  readonly changes: () => number;
};

export function debeziumLoad(seed: number, idOf: SchemaId): DebeziumLoad {
  const random = seeded(seed);
  const sold = new Map<string, number>();
  const write = writer(idOf);
  let changes = 0;
  let transactions = 0;
  let lines = 0;
  let place = 1_000;
  const snapshot = (table: Table, row: Readonly<Record<string, unknown>>): RawPair =>
    write.change(table, row, { op: 'r', atMs: firstCommitMs, place: 500 });

  function* lookups(): Generator<RawPair> {
    for (let index = 1; index <= articles; index += 1) {
      changes += 3;
      yield snapshot('product', { plu: index, barcode: barcodeOf(index) });
      yield snapshot('artean', { ean: barcodeOf(index), artnr: skuOf(index) });
    }
    for (let shop = 1; shop <= shops; shop += 1) {
      yield snapshot('lagst', { lagnr: 100 + shop, filnr: shop });
    }
  }

  function* receipt(): Generator<RawPair> {
    transactions += 1;
    const id = BigInt(transactions);
    const atMs = firstCommitMs + transactions * 40;
    const gtid = `0-5400-${transactions}`;
    const shop = 1 + random.below(shops);
    const count = 1 + random.below(7);
    const at = (order: number) => {
      place += 90;
      return { op: 'c', atMs, place, transaction: { id: gtid, order }, gtid };
    };
    yield write.transaction({ status: 'BEGIN', id: gtid, atMs });
    yield write.change(
      'receipt',
      {
        id: whole(id),
        shop_id: shop,
        till_no: 1 + random.below(4),
        receipt_no: transactions,
        sold_at: atMs + 3_600_000 - 2_000,
        status: 1,
      },
      at(1),
    );
    for (let line = 1; line <= count; line += 1) {
      lines += 1;
      const article = 1 + articleOf(random);
      const quantity = 1_000 * (1 + random.below(3));
      const cell = `${skuOf(article)}|${100 + shop}`;
      sold.set(cell, (sold.get(cell) ?? 0) + quantity);
      yield write.change(
        'receipt_line',
        {
          id: whole(BigInt(lines)),
          receipt_id: whole(id),
          line_no: line,
          plu: article,
          kind: 'sale',
          quantity: { unscaled: BigInt(quantity), scale: 3 },
          voided: 0,
        },
        at(1 + line),
      );
    }
    changes += 1 + count;
    yield write.transaction({ status: 'END', id: gtid, atMs, lines: count });
  }

  return {
    lookups,
    receipts: function* (receipts) {
      for (let index = 0; index < receipts; index += 1) yield* receipt();
    },
    sold,
    changes: () => changes,
  };
}

const skuOf = (article: number): string => `A-${String(article).padStart(6, '0')}`;
const barcodeOf = (article: number): string => `40${String(article).padStart(11, '0')}`;
const whole = (unscaled: bigint) => ({ unscaled, scale: 0 });

/** Few articles sell much. */
function articleOf(random: Random): number {
  return Math.floor(articles * random.fraction() ** 3);
}

type ChangePlace = {
  readonly op: string;
  readonly atMs: number;
  readonly place: number;
  readonly gtid?: string;
  readonly transaction?: { readonly id: string; readonly order: number };
};

/** The topic of a table; barcodes and shops belong to the ERP. */
function topicOf(table: Table): string {
  const isOwn = table.startsWith('receipt') || table === 'product';
  return isOwn ? tableTopic('pos', 'pos', table) : tableTopic('erp', 'public', table);
}

function writer(idOf: SchemaId) {
  const encoders = new Map<string, (plain: unknown) => Uint8Array>();
  const encode = (subject: string, schema: () => unknown, plain: unknown): Uint8Array => {
    const known = encoders.get(subject);
    if (known !== undefined) return known(plain);
    const type = foreignType(schema());
    const id = idOf(subject, schema());
    const made = (value: unknown) => encodeWire(type, id, value);
    encoders.set(subject, made);
    return made(plain);
  };
  const change = (
    table: Table,
    row: Readonly<Record<string, unknown>>,
    at: ChangePlace,
  ): RawPair => {
    const topic = topicOf(table);
    const keyName = keyColumns[table];
    return {
      topic,
      key: encode(`${topic}-key`, () => keySchema(table), { [keyName]: row[keyName] }),
      value: encode(`${topic}-value`, () => envelopeSchema(table), {
        before: null,
        after: row,
        source: sourceOf(table, at),
        transaction:
          at.transaction === undefined
            ? null
            : {
                id: at.transaction.id,
                total_order: at.transaction.order,
                data_collection_order: at.transaction.order,
              },
        op: at.op,
        ...timesOf(at.atMs + 12),
      }),
      timestampMs: at.atMs,
    };
  };
  const transaction = (event: {
    readonly status: 'BEGIN' | 'END';
    readonly id: string;
    readonly atMs: number;
    readonly lines?: number;
  }): RawPair => {
    const topic = transactionTopic(posMapping.system);
    const isEnd = event.lines !== undefined;
    const collections = [
      { data_collection: 'pos.receipt', event_count: 1 },
      { data_collection: 'pos.receipt_line', event_count: event.lines },
    ];
    return {
      topic,
      key: encode(`${topic}-key`, () => endKeySchema, { id: event.id }),
      value: encode(`${topic}-value`, () => endSchema, {
        status: event.status,
        id: event.id,
        event_count: isEnd ? 1 + (event.lines ?? 0) : null,
        data_collections: isEnd ? collections : null,
        ts_ms: event.atMs,
      }),
      timestampMs: event.atMs,
    };
  };
  return { change, transaction };
}

function sourceOf(table: Table, at: ChangePlace): unknown {
  return {
    version: '3.5.0.Final',
    connector: 'mariadb',
    name: 'pos',
    snapshot: at.op === 'r' ? 'true' : 'false',
    db: 'pos',
    sequence: null,
    ...timesOf(at.atMs),
    table,
    server_id: 5400,
    gtid: at.gtid ?? null,
    file: 'mysql-bin.000003',
    pos: at.place,
    row: 0,
    thread: 17,
    query: null,
    lsn: topicOf(table).startsWith('erp.') ? at.place : null,
  };
}

function timesOf(atMs: number): Readonly<Record<string, unknown>> {
  return { ts_ms: atMs, ts_us: atMs * 1_000, ts_ns: BigInt(atMs) * 1_000_000n };
}
