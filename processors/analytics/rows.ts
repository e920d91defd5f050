/** Record → rows, column by column. Pure. Names are those of adapters/migrations/0001-tables.sql. */
import type {
  Alert,
  Cause,
  Change,
  ChannelStock,
  DeadLetter,
  Effect,
  LedgerEntry,
  Movement,
  Quantities,
  StockKey,
  StockLevel,
} from '../../schemas/types.ts';
import type { StreamRecord } from '../topology/topology.ts';
import type { Cell, Row } from './ports.ts';

/** A record, and which life of its topic it belongs to: a topic that is recreated starts another one. */
export type Delivery<K = unknown, V = unknown> = {
  readonly record: StreamRecord<K, V>;
  readonly lineage: number;
};

/** How a record becomes rows of one table. */
export type Feed = {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: (delivery: Delivery) => readonly Row[];
};

type Column<R> = readonly [name: string, value: (row: R) => Cell];

/** Thousandths of a unit as decimal text, exact for every safe integer. */
export function decimalText(thousandths: number): string {
  const digits = String(Math.abs(thousandths)).padStart(4, '0');
  return `${thousandths < 0 ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

function feed<R extends Delivery>(
  table: string,
  columns: readonly Column<R>[],
  split: (delivery: Delivery) => readonly R[],
): Feed {
  const all = [...columns, ...placeColumns];
  const values = all.map(([, value]) => value);
  return {
    table,
    columns: all.map(([name]) => name),
    rows: (delivery) => split(delivery).map((row) => values.map((value) => value(row))),
  };
}

const placeColumns: readonly Column<Delivery>[] = [
  ['_topic', ({ record }) => record.topic],
  ['_lineage', ({ lineage }) => lineage],
  ['_partition', ({ record }) => record.partition],
  ['_offset', ({ record }) => String(record.offset)],
  ['_timestamp', ({ record }) => record.timestampMs],
];

function causeColumns<R>(cause: (row: R) => Cause): readonly Column<R>[] {
  return [
    ['cause_kind', (row) => cause(row).kind],
    ['cause_id', (row) => cause(row).id],
    ['system', (row) => cause(row).system],
    ['transaction', (row) => cause(row).transaction],
    ['position', (row) => cause(row).position],
    ['committed_at', (row) => cause(row).committedAt],
  ];
}

function quantityColumns<R>(quantities: (row: R) => Quantities): readonly Column<R>[] {
  return [
    ['on_hand', (row) => decimalText(quantities(row).onHand)],
    ['reserved', (row) => decimalText(quantities(row).reserved)],
    ['incoming', (row) => decimalText(quantities(row).incoming)],
    ['in_transit', (row) => decimalText(quantities(row).inTransit)],
    ['damaged', (row) => decimalText(quantities(row).damaged)],
    ['quality_control', (row) => decimalText(quantities(row).qualityControl)],
    ['safety_stock', (row) => decimalText(quantities(row).safetyStock)],
    ['available', (row) => decimalText(quantities(row).available)],
  ];
}

type EffectRow = Delivery & {
  readonly movement: Movement;
  readonly effect: Effect;
  readonly index: number;
};

export const movementFeed: Feed = feed<EffectRow>(
  'movements',
  [
    ['movement_id', ({ movement }) => movement.id],
    ['effect_id', ({ effect }) => effect.id],
    ['effect', ({ index }) => index],
    ['sku', ({ movement }) => movement.sku],
    ['location', ({ effect }) => effect.location],
    ['kind', ({ effect }) => effect.kind],
    ['asserted', ({ effect }) => effect.asserted],
    ['bucket', ({ effect }) => effect.bucket],
    ['quantity', ({ effect }) => decimalText(effect.quantity)],
    ['occurred_at', ({ effect }) => effect.occurredAt],
    ['reason', ({ effect }) => effect.reason],
    ['reference', ({ effect }) => effect.reference],
    ['source_order', ({ effect }) => effect.order],
    ['echo_key', ({ effect }) => effect.echo?.key ?? ''],
    ['echo_role', ({ effect }) => effect.echo?.role ?? ''],
    ['echo_rule', ({ effect }) => effect.echo?.rule ?? ''],
    ['echo_complete', ({ effect }) => effect.echo?.complete ?? false],
    ['echo_contained', ({ effect }) => effect.echo?.contained ?? false],
    ['system', ({ movement }) => movement.system],
    ['transaction', ({ movement }) => movement.transaction],
    ['position', ({ movement }) => movement.position],
    ['committed_at', ({ movement }) => movement.committedAt],
  ],
  (delivery) => {
    const movement = delivery.record.value as Movement | undefined;
    return (movement?.effects ?? []).map((effect, index) => ({
      ...delivery,
      movement: movement as Movement,
      effect,
      index,
    }));
  },
);

type EntryRow = Delivery & { readonly entry: LedgerEntry };

function entries(delivery: Delivery): readonly EntryRow[] {
  const entry = delivery.record.value as LedgerEntry | undefined;
  return entry === undefined ? [] : [{ ...delivery, entry }];
}

export const ledgerFeed: Feed = feed<EntryRow>(
  'ledger',
  [
    ['sku', ({ entry }) => entry.sku],
    ['location', ({ entry }) => entry.location],
    ['sequence', ({ entry }) => entry.sequence],
    ['changes', ({ entry }) => entry.changes.length],
    ...causeColumns<EntryRow>(({ entry }) => entry.cause),
    ...quantityColumns<EntryRow>(({ entry }) => entry.quantities),
  ],
  entries,
);

type ChangeRow = EntryRow & { readonly change: Change; readonly index: number };

export const ledgerChangeFeed: Feed = feed<ChangeRow>(
  'ledger_changes',
  [
    ['sku', ({ entry }) => entry.sku],
    ['location', ({ entry }) => entry.location],
    ['sequence', ({ entry }) => entry.sequence],
    ['change', ({ index }) => index],
    ['bucket', ({ change }) => change.bucket],
    ['kind', ({ change }) => change.kind],
    ['quantity', ({ change }) => decimalText(change.quantity)],
    ['applied', ({ change }) => decimalText(change.applied)],
    ['occurred_at', ({ change }) => change.occurredAt],
    ['reason', ({ change }) => change.reason],
    ['reference', ({ change }) => change.reference],
    ['effect_id', ({ change }) => change.effectId],
    ...causeColumns<ChangeRow>(({ entry }) => entry.cause),
  ],
  (delivery) =>
    entries(delivery).flatMap((row) =>
      row.entry.changes.map((change, index) => ({ ...row, change, index })),
    ),
);

const noCause: Cause = {
  kind: 'movement',
  id: '',
  system: '',
  transaction: '',
  position: '',
  committedAt: 0,
};
const noQuantities: Quantities = {
  onHand: 0,
  reserved: 0,
  incoming: 0,
  inTransit: 0,
  damaged: 0,
  qualityControl: 0,
  safetyStock: 0,
  available: 0,
};

type LevelRow = Delivery & { readonly level: StockLevel; readonly deleted: boolean };

export const stockLevelFeed: Feed = feed<LevelRow>(
  'stock_levels',
  [
    ['sku', ({ level }) => level.sku],
    ['location', ({ level }) => level.location],
    ...quantityColumns<LevelRow>(({ level }) => level.quantities),
    ['sequence', ({ level }) => level.sequence],
    ['previous_sequence', ({ level }) => level.previousSequence],
    ...causeColumns<LevelRow>(({ level }) => level.cause),
    ['deleted', ({ deleted }) => deleted],
  ],
  (delivery) => {
    const key = delivery.record.key as StockKey;
    const level = delivery.record.value as StockLevel | undefined;
    const gone: StockLevel = {
      ...key,
      quantities: noQuantities,
      sequence: 0,
      previousSequence: 0,
      cause: noCause,
      schedule: [],
      allocations: [],
    };
    return [{ ...delivery, level: level ?? gone, deleted: level === undefined }];
  },
);

type ChannelRow = Delivery & { readonly figure: ChannelStock; readonly deleted: boolean };

/** The rows of one channel's topic; the channel of a tombstone is known by its topic alone. */
export function channelStockFeed(channel: string): Feed {
  return feed<ChannelRow>(
    'channel_stock',
    [
      ['channel', () => channel],
      ['sku', ({ figure }) => figure.sku],
      ['sellable', ({ figure }) => decimalText(figure.sellable)],
      ['status', ({ figure }) => figure.status],
      ['sequence', ({ figure }) => figure.sequence],
      ['previous_sequence', ({ figure }) => figure.previousSequence],
      ['formula', ({ figure }) => figure.formula],
      ['formula_version', ({ figure }) => figure.formulaVersion],
      ...causeColumns<ChannelRow>(({ figure }) => figure.cause),
      ['deleted', ({ deleted }) => deleted],
    ],
    (delivery) => {
      const figure = delivery.record.value as ChannelStock | undefined;
      const gone: ChannelStock = {
        channel,
        sku: delivery.record.key as string,
        sellable: 0,
        status: 'out',
        sequence: 0,
        previousSequence: 0,
        formula: '',
        formulaVersion: 0,
        cause: noCause,
      };
      return [{ ...delivery, figure: figure ?? gone, deleted: figure === undefined }];
    },
  );
}

type AlertRow = Delivery & { readonly alert: Alert };

export const alertFeed: Feed = feed<AlertRow>(
  'alerts',
  [
    ['id', ({ alert }) => alert.id],
    ['kind', ({ alert }) => alert.kind],
    ['severity', ({ alert }) => alert.severity],
    ['sku', ({ alert }) => alert.sku],
    ['location', ({ alert }) => alert.location],
    ['system', ({ alert }) => alert.system],
    ['message', ({ alert }) => alert.message],
    ['expected', ({ alert }) => alert.expected],
    ['seen', ({ alert }) => alert.seen],
    ['raised_at', ({ alert }) => alert.raisedAt],
    ['open', ({ alert }) => alert.open],
  ],
  (delivery) => {
    const alert = delivery.record.value as Alert | undefined;
    return alert === undefined ? [] : [{ ...delivery, alert }];
  },
);

type DeadLetterRow = Delivery & { readonly letter: DeadLetter };

export const deadLetterFeed: Feed = feed<DeadLetterRow>(
  'dead_letters',
  [
    ['processor', ({ letter }) => letter.processor],
    ['code', ({ letter }) => letter.code],
    ['reason', ({ letter }) => letter.reason],
    ['origin_topic', ({ letter }) => letter.topic],
    ['origin_partition', ({ letter }) => letter.partition],
    ['origin_offset', ({ letter }) => String(letter.offset)],
    ['origin_timestamp', ({ letter }) => letter.timestamp],
    ['key_base64', ({ letter }) => base64(letter.key)],
    ['value_base64', ({ letter }) => base64(letter.value)],
    ['header_names', ({ letter }) => letter.headers.map((header) => header.name)],
    ['header_values_base64', ({ letter }) => letter.headers.map((header) => base64(header.value))],
    ['redrives', ({ letter }) => letter.redrives],
  ],
  (delivery) => {
    const letter = delivery.record.value as DeadLetter | undefined;
    return letter === undefined ? [] : [{ ...delivery, letter }];
  },
);

function base64(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('base64');
}
