/** A legacy system for the tests on real parts: open quantities, moves, and one table with every kind of column. */
import type { SystemKind } from '../../processors/cdc/change.ts';
import type { Column } from '../../processors/cdc/table.ts';
import { dayMs, type SystemMapping, type Table } from '../../processors/intake/mapping.ts';
import { type CapturedSystem, type Figures, figuresOf } from '../support/captured-system.ts';

const table = (name: string, primaryKey: readonly string[], columns: Table['columns']): Table => ({
  name,
  primaryKey,
  columns,
  onDelete: 'retract',
});

const place = { location: 'L', occurredAt: 0, reason: 'test' } as const;

/** `open` is how the column of open quantities is read: a test changes it as the database changes. */
export function matrixMapping(
  system: string,
  kind: SystemKind,
  open: Column = 'quantity',
): SystemMapping {
  const postgres = kind === 'postgresql';
  return {
    system,
    kind,
    schema: postgres ? 'public' : system,
    timeZone: 'UTC',
    lateAfterMs: 35 * dayMs,
    lookups: [],
    documents: [
      {
        name: 'order',
        header: table('orders', ['id'], { id: 'id', sku: 'text', open }),
        containedInOpening: false,
        effects: ({ header }) => [
          {
            ...place,
            kind: 'level',
            bucket: 'reserved',
            sku: String(header.sku).slice(0, 8),
            quantity: Number(header.open),
            reference: `order/${header.id}`,
          },
        ],
      },
      {
        name: 'balance',
        header: table('balance', ['sku', 'place'], {
          sku: 'text',
          place: 'id',
          quantity: 'quantity',
        }),
        containedInOpening: false,
        effects: ({ header }) => [
          {
            ...place,
            kind: 'level',
            bucket: 'onHand',
            sku: String(header.sku),
            location: String(header.place),
            quantity: Number(header.quantity),
            reference: 'balance',
          },
        ],
      },
      {
        name: 'typed',
        header: table('typed', ['id'], {
          id: 'id',
          flag: 'integer',
          bits: 'integer',
          kind: 'text',
          exact: 'quantity',
          free: 'roundedQuantity',
          float: 'roundedQuantity',
          on_day: 'date',
          at_time: 'localTime',
          at_instant: 'instant',
          of_day: 'timeOfDay',
          ...(postgres ? {} : { many: 'text' as const, whole_year: 'integer' as const }),
        }),
        containedInOpening: false,
        effects: ({ header }) => [
          {
            ...place,
            kind: 'level',
            bucket: 'incoming',
            sku: 'typed',
            quantity: 1000,
            reference: Object.values(header).join(' '),
          },
        ],
      },
    ],
  };
}

/** What the tables say, as the mapping means it; `open` names the column of open quantities. */
export function matrixFigures(
  source: CapturedSystem,
  kind: SystemKind,
  open = 'open',
): Promise<Figures> {
  const cast = kind === 'postgresql' ? '::float8' : '+0e0';
  return figuresOf(
    source,
    `SELECT concat('reserved ', substring(sku, 1, 8), ' L') AS name, sum(${open})${cast} AS sum FROM orders GROUP BY 1
     UNION ALL SELECT concat('onHand ', sku, ' ', place), sum(quantity)${cast} FROM balance GROUP BY 1
     UNION ALL SELECT 'incoming typed L', count(*)${cast} FROM typed HAVING count(*) > 0`,
  );
}

const common = `
  CREATE TABLE balance (
    sku varchar(20) NOT NULL, place int NOT NULL, quantity numeric(12,3) NOT NULL, PRIMARY KEY (sku, place)
  );
`;

export const postgresSchema = `
  CREATE TABLE orders (
    id bigint PRIMARY KEY, sku text NOT NULL, open numeric(12,3) NOT NULL, pad text, secret text
  );
  ALTER TABLE orders ALTER COLUMN sku SET STORAGE EXTERNAL, ALTER COLUMN pad SET STORAGE EXTERNAL;
  ALTER TABLE orders SET (toast_tuple_target = 128);
  CREATE TYPE kinds AS ENUM ('sale', 'return');
  CREATE TABLE typed (
    id bigint PRIMARY KEY, flag boolean, bits bit(12), kind kinds, exact numeric(12,3), free numeric, float double precision,
    on_day date, at_time timestamp, at_instant timestamptz, of_day time(3)
  );
  ${common}
  INSERT INTO orders SELECT g, 'S' || g % 3, g FROM generate_series(1, 20) g;
`;

export const mariadbSchema = `
  CREATE TABLE orders (
    id bigint unsigned PRIMARY KEY, sku varchar(300) NOT NULL, open decimal(12,3) NOT NULL, secret varchar(40)
  ) ENGINE=InnoDB;
  CREATE TABLE typed (
    id bigint unsigned PRIMARY KEY, flag tinyint(1), bits bit(12), kind enum('sale','return'), exact decimal(12,3),
    free decimal(20,6), \`float\` double, on_day date, at_time datetime(6), at_instant timestamp(3) NULL, of_day time(3),
    many set('a','b','c'), whole_year year
  ) ENGINE=InnoDB;
  ${common}
  INSERT INTO orders SELECT seq, concat('S', seq % 3), seq, NULL FROM seq_1_to_20;
`;
