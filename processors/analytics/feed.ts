/** How a record becomes rows of a table, column by column. Names are those of adapters/migrations/. */
import type { Cause, Quantities } from '../../schemas/types.ts';
import type { StreamRecord } from '../topology/topology.ts';
import type { Cell } from './ports.ts';

/** A record, and which life of its topic it belongs to: a topic that is recreated starts another one. */
export type Delivery<K = unknown, V = unknown> = {
  readonly record: StreamRecord<K, V>;
  readonly lineage: number;
};

/** How a record becomes rows of one table. */
export type Feed = {
  readonly table: string;
  readonly columns: readonly string[];
  /** One item per row. */
  readonly items: (delivery: Delivery) => readonly unknown[];
  /** For each column: item → cell. */
  readonly read: readonly ((item: never) => Cell)[];
};

export type Column<R> = readonly [name: string, value: (row: R) => Cell];

export function feed<R extends Delivery>(
  table: string,
  columns: readonly Column<R>[],
  items: (delivery: Delivery) => readonly R[],
): Feed {
  const all = [...columns, ...placeColumns];
  return {
    table,
    columns: all.map(([name]) => name),
    items,
    read: all.map(([, value]) => value) as readonly ((item: never) => Cell)[],
  };
}

const placeColumns: readonly Column<Delivery>[] = [
  ['_topic', ({ record }) => record.topic],
  ['_lineage', ({ lineage }) => lineage],
  ['_partition', ({ record }) => record.partition],
  ['_offset', ({ record }) => Number(record.offset)],
  ['_timestamp', ({ record }) => record.timestampMs],
];

/** A delivery with its record's value. */
export type Valued<V> = Delivery & { readonly value: V };

/** One row for a record with a value, none for one without. */
export function valued<V>({ record, lineage }: Delivery): readonly Valued<V>[] {
  // Written out: spreading took a third of the time of loading.
  return record.value === undefined ? [] : [{ record, lineage, value: record.value as V }];
}

export function causeColumns<R>(cause: (row: R) => Cause): readonly Column<R>[] {
  return [
    ['cause_kind', (row) => cause(row).kind],
    ['cause_id', (row) => cause(row).id],
    ['system', (row) => cause(row).system],
    ['transaction', (row) => cause(row).transaction],
    ['position', (row) => cause(row).position],
    ['committed_at', (row) => cause(row).committedAt],
  ];
}

export function quantityColumns<R>(quantities: (row: R) => Quantities): readonly Column<R>[] {
  return [
    ['on_hand', (row) => quantities(row).onHand],
    ['reserved', (row) => quantities(row).reserved],
    ['incoming', (row) => quantities(row).incoming],
    ['in_transit', (row) => quantities(row).inTransit],
    ['damaged', (row) => quantities(row).damaged],
    ['quality_control', (row) => quantities(row).qualityControl],
    ['safety_stock', (row) => quantities(row).safetyStock],
    ['available', (row) => quantities(row).available],
  ];
}
