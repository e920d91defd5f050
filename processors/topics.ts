/** The catalogue of every topic that Stockline writes: the map of the system, and the contract with its readers. */
import type {
  Acknowledgement,
  Activity,
  Alert,
  Anomaly,
  ApiKey,
  AuditEntry,
  ChannelPolicies,
  ChannelStock,
  Command,
  DeadLetter,
  Decision,
  DeliveryAttempt,
  Forecast,
  Freshness,
  GuardDecision,
  HeldLevel,
  LedgerEntry,
  LevelChange,
  Movement,
  Outcome,
  Proposal,
  Request,
  StockKey,
  StockLevel,
  Subscription,
  Webhook,
} from '../schemas/types.ts';
import type { Topic } from './topology/topic.ts';
import type { StreamRecord } from './topology/topology.ts';
import { wire } from './wire.ts';

/**
 * Partitions of every topic keyed by SKU, and so the most processes that can share a processor's work. Part of the contract, since
 * readers join on them: chosen by STOCKLINE_PARTITIONS before the topics are made, and the same for all of an installation.
 */
export const inventoryPartitions = partitionsIn(process.env.STOCKLINE_PARTITIONS ?? '4');

function partitionsIn(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new Error(`STOCKLINE_PARTITIONS must be a whole number from 1 to 999, not ${text}`);
}

const dayMs = 86_400_000;
const text = wire<string>('text-key');

function bySku<V>(
  name: string,
  schema: string,
  cleanup: 'compact' | 'delete',
  retentionMs?: number,
) {
  return {
    name,
    key: text,
    value: wire<V>(schema),
    partitions: inventoryPartitions,
    cleanup,
    ...(retentionMs === undefined ? {} : { retentionMs }),
    partitionBy: (key: string) => key,
  } satisfies Topic<string, V>;
}

/** Key of requests, outcomes and decisions: all of one request are in one partition. */
export const requestKey = (client: string, idempotencyKey: string): string =>
  `${client}|${idempotencyKey}`;

/** A request of nothing yet. Its members stand in the order of the schema: the fingerprint depends on it, so spread over it. */
export const emptyRequest = (client: string, idempotencyKey: string): Request => ({
  client,
  idempotencyKey,
  kind: 'reserve',
  policy: 'FillOrKill',
  lines: [],
  reservation: null,
  channel: null,
  toLocation: null,
  expectedSequence: null,
  changeFromQuantity: null,
  expiresAt: null,
  reason: '',
  reference: '',
  actor: client,
  // 0: when it arrives.
  occurredAt: 0,
  locations: [],
  bucket: 'onHand',
  echoKey: null,
  askedBy: null,
});

export const movements: Topic<string, Movement> = bySku(
  'inventory.movement.v1',
  'movement',
  'delete',
  30 * dayMs,
);
export const requests: Topic<string, Request> = bySku(
  'inventory.request.v1',
  'request',
  'delete',
  30 * dayMs,
);
export const outcomes: Topic<string, Outcome> = bySku(
  'inventory.outcome.v1',
  'outcome',
  'delete',
  30 * dayMs,
);
export const commands: Topic<string, Command> = bySku(
  'inventory.command.v1',
  'command',
  'delete',
  30 * dayMs,
);
export const decisions: Topic<string, Decision> = bySku(
  'inventory.decision.v1',
  'decision',
  'delete',
  30 * dayMs,
);
export const ledger: Topic<string, LedgerEntry> = bySku(
  'inventory.ledger.v1',
  'ledger-entry',
  'delete',
);
export const alerts: Topic<string, Alert> = bySku(
  'inventory.alert.v1',
  'alert',
  'delete',
  90 * dayMs,
);
export const audit: Topic<string, AuditEntry> = bySku(
  'inventory.audit.v1',
  'audit-entry',
  'delete',
);
export const deadLetters: Topic<string, DeadLetter> = {
  ...bySku<DeadLetter>('inventory.dead-letter.v1', 'dead-letter', 'delete'),
  // It holds the records that other topics take, whole, and why they were refused.
  recordBytesMax: 4_000_000,
};
export const freshness: Topic<string, Freshness> = bySku(
  'inventory.freshness.v1',
  'freshness',
  'compact',
);

/** Each attempt to tell a figure to a webhook receiver or a marketplace. Key: SKU. */
export const deliveryAttempts: Topic<string, DeliveryAttempt> = bySku(
  'inventory.delivery.v1',
  'delivery-attempt',
  'delete',
  30 * dayMs,
);
/** Who wants webhooks. Key: id of the subscription. */
export const subscriptions: Topic<string, Subscription> = bySku(
  'inventory.subscription.v1',
  'subscription',
  'compact',
);

/** Clients of the API, with hashes of their secrets. Key: id. */
export const apiKeys: Topic<string, ApiKey> = bySku('inventory.api-key.v1', 'api-key', 'compact');

/** Webhooks that have come in, as they came. Key: the source, so that all of one stay in order. */
export const webhooks: Topic<string, Webhook> = bySku(
  'inventory.webhook.v1',
  'webhook',
  'delete',
  30 * dayMs,
);

export const stockLevels: Topic<StockKey, StockLevel> = {
  name: 'inventory.stock.v1',
  key: wire<StockKey>('stock-key'),
  value: wire<StockLevel>('stock-level'),
  partitions: inventoryPartitions,
  cleanup: 'compact',
  partitionBy: (key) => key.sku,
  coalesce: (earlier, later) => ({ ...later, previousSequence: earlier.previousSequence }),
};

/** Key: the SKU of a cell, else the location or `system|<system>`; the records of one episode are in one partition. */
export const anomalies: Topic<string, Anomaly> = bySku(
  'inventory.anomaly.v1',
  'anomaly',
  'delete',
  400 * dayMs,
);
/** Keyed as the anomaly is. */
export const acknowledgements: Topic<string, Acknowledgement> = bySku(
  'inventory.acknowledgement.v1',
  'acknowledgement',
  'delete',
  30 * dayMs,
);
/** What the anomalies' two halves tell each other, by location or `system|<system>`. */
export const activities: Topic<string, Activity> = bySku(
  'inventory.activity.v1',
  'activity',
  'delete',
  7 * dayMs,
);

function byCell<V>(name: string, schema: string, cleanup: 'compact' | 'delete') {
  return {
    name,
    key: wire<StockKey>('stock-key'),
    value: wire<V>(schema),
    partitions: inventoryPartitions,
    cleanup,
    partitionBy: (key: StockKey) => key.sku,
  } satisfies Topic<StockKey, V>;
}

export const forecasts: Topic<StockKey, Forecast> = byCell(
  'inventory.forecast.v1',
  'forecast',
  'compact',
);
export const proposals: Topic<StockKey, Proposal> = {
  ...byCell<Proposal>('inventory.proposal.v1', 'proposal', 'delete'),
  retentionMs: 400 * dayMs,
};

/** Levels that the mass-zero guard keeps from the channels. */
export const heldLevels: Topic<StockKey, HeldLevel> = byCell<HeldLevel>(
  'inventory.held-level.v1',
  'held-level',
  'compact',
);
/** What people decide about them. Key: location; written to every partition, since each has levels of it. */
export const guardDecisions: Topic<string, GuardDecision> = bySku(
  'inventory.guard-decision.v1',
  'guard-decision',
  'delete',
  400 * dayMs,
);

/** Levels that SKUs come to on channels. Key: SKU. */
export const levelChanges: Topic<string, LevelChange> = bySku(
  'inventory.level-change.v1',
  'level-change',
  'delete',
  90 * dayMs,
);
/** Policies in force beside the file's. Key: `policies`; written to every partition, since each publishes by them. */
export const channelPolicies: Topic<string, ChannelPolicies> = bySku(
  'inventory.channel-policy.v1',
  'channel-policies',
  'compact',
);

/** The topic of one sales channel. */
export function channelStock(channel: string): Topic<string, ChannelStock> {
  return {
    ...bySku<ChannelStock>(`channel.${channel}.stock.v1`, 'channel-stock', 'compact'),
    coalesce: (earlier, later) => ({ ...later, previousSequence: earlier.previousSequence }),
  };
}

/** What stock levels and channels publish of a key: a figure, or that there is none any more. */
export type Published =
  | { readonly kind: 'stock'; readonly key: StockKey; readonly level: StockLevel | undefined }
  | {
      readonly kind: 'channel';
      readonly channel: string;
      readonly sku: string;
      readonly figure: ChannelStock | undefined;
    };

/** Reads records of stock levels and of these channels; undefined for any other topic. */
export function publishedBy(
  channels: readonly string[],
): (record: Pick<StreamRecord, 'topic' | 'key' | 'value'>) => Published | undefined {
  const channelOf = new Map(channels.map((one) => [channelStock(one).name, one]));
  return ({ topic, key, value }) => {
    if (topic === stockLevels.name) {
      return { kind: 'stock', key: key as StockKey, level: value as StockLevel | undefined };
    }
    const channel = channelOf.get(topic);
    if (channel === undefined) return undefined;
    return {
      kind: 'channel',
      channel,
      sku: String(key),
      figure: value as ChannelStock | undefined,
    };
  };
}

/** Every topic but the channels' own, which the channel policies name. */
export const inventoryTopics = [
  movements,
  requests,
  outcomes,
  commands,
  decisions,
  ledger,
  alerts,
  audit,
  deadLetters,
  freshness,
  stockLevels,
  anomalies,
  acknowledgements,
  activities,
  forecasts,
  proposals,
  heldLevels,
  guardDecisions,
  levelChanges,
  channelPolicies,
  deliveryAttempts,
  subscriptions,
  apiKeys,
  webhooks,
] as const;
