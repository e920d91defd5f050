/** Movements, the ledger, stock, channels, alerts and dead letters → rows. Pure. */
import type {
  Alert,
  Cause,
  Change,
  ChannelStock,
  DeadLetter,
  Effect,
  LedgerEntry,
  Movement,
  StockKey,
  StockLevel,
} from '../../schemas/types.ts';
import { noQuantities } from '../domain/quantities.ts';
import {
  causeColumns,
  type Delivery,
  type Feed,
  feed,
  quantityColumns,
  type Valued,
  valued,
} from './feed.ts';

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
    ['quantity', ({ effect }) => effect.quantity],
    ['occurred_at', ({ effect }) => effect.occurredAt],
    ['expected_at', ({ effect }) => effect.expectedAt ?? 0],
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
  ({ record, lineage }) => {
    const movement = record.value as Movement | undefined;
    const rows: EffectRow[] = [];
    if (movement === undefined) return rows;
    for (const effect of movement.effects) {
      rows.push({ record, lineage, movement, effect, index: rows.length });
    }
    return rows;
  },
);

type EntryRow = Valued<LedgerEntry>;

export const ledgerFeed: Feed = feed<EntryRow>(
  'ledger',
  [
    ['sku', ({ value }) => value.sku],
    ['location', ({ value }) => value.location],
    ['sequence', ({ value }) => value.sequence],
    ['changes', ({ value }) => value.changes.length],
    ...causeColumns<EntryRow>(({ value }) => value.cause),
    ...quantityColumns<EntryRow>(({ value }) => value.quantities),
  ],
  valued<LedgerEntry>,
);

type ChangeRow = EntryRow & { readonly change: Change; readonly index: number };

export const ledgerChangeFeed: Feed = feed<ChangeRow>(
  'ledger_changes',
  [
    ['sku', ({ value }) => value.sku],
    ['location', ({ value }) => value.location],
    ['sequence', ({ value }) => value.sequence],
    ['change', ({ index }) => index],
    ['bucket', ({ change }) => change.bucket],
    ['kind', ({ change }) => change.kind],
    ['quantity', ({ change }) => change.quantity],
    ['applied', ({ change }) => change.applied],
    ['occurred_at', ({ change }) => change.occurredAt],
    ['reason', ({ change }) => change.reason],
    ['reference', ({ change }) => change.reference],
    ['effect_id', ({ change }) => change.effectId],
    ...causeColumns<ChangeRow>(({ value }) => value.cause),
  ],
  (delivery) =>
    valued<LedgerEntry>(delivery).flatMap(({ record, lineage, value }) =>
      value.changes.map((change, index) => ({ record, lineage, value, change, index })),
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

type ChannelRow = Delivery & {
  readonly channel: string;
  readonly figure: ChannelStock;
  readonly deleted: boolean;
};

/** The rows of one channel's topic; the channel of a tombstone is known by its topic alone. */
export function channelStockFeed(channel: string): Feed {
  return feed<ChannelRow>(
    'channel_stock',
    [
      ['channel', (row) => row.channel],
      ['sku', ({ figure }) => figure.sku],
      ['sellable', ({ figure }) => figure.sellable],
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
      return [{ ...delivery, channel, figure: figure ?? gone, deleted: figure === undefined }];
    },
  );
}

export const alertFeed: Feed = feed<Valued<Alert>>(
  'alerts',
  [
    ['id', ({ value }) => value.id],
    ['kind', ({ value }) => value.kind],
    ['severity', ({ value }) => value.severity],
    ['sku', ({ value }) => value.sku],
    ['location', ({ value }) => value.location],
    ['system', ({ value }) => value.system],
    ['message', ({ value }) => value.message],
    ['expected', ({ value }) => value.expected],
    ['seen', ({ value }) => value.seen],
    ['raised_at', ({ value }) => value.raisedAt],
    ['open', ({ value }) => value.open],
  ],
  valued<Alert>,
);

export const deadLetterFeed: Feed = feed<Valued<DeadLetter>>(
  'dead_letters',
  [
    ['processor', ({ value }) => value.processor],
    ['code', ({ value }) => value.code],
    ['reason', ({ value }) => value.reason],
    ['origin_topic', ({ value }) => value.topic],
    ['origin_partition', ({ value }) => value.partition],
    ['origin_offset', ({ value }) => value.offset],
    ['origin_timestamp', ({ value }) => value.timestamp],
    ['key_base64', ({ value }) => base64(value.key)],
    ['value_base64', ({ value }) => base64(value.value)],
    ['header_names', ({ value }) => value.headers.map((header) => header.name)],
    ['header_values_base64', ({ value }) => value.headers.map((header) => base64(header.value))],
    ['redrives', ({ value }) => value.redrives],
  ],
  valued<DeadLetter>,
);

function base64(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('base64');
}
