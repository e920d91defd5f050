/** Every error of librdkafka → what is done about it. What is not in here is unknown, and unknown means stop. */
import { PipelineError, type Recovery } from '../../runtime/errors.ts';
import type { PartitionOffset } from '../../runtime/ports.ts';

/** The error of node-rdkafka, as far as it is looked at. */
type ClientError = {
  readonly message: string;
  readonly code: number;
  readonly isFatal?: boolean;
  readonly isRetriable?: boolean;
  readonly isTxnRequiresAbort?: boolean;
};

/** The broker, the network or a coordinator is not there now; the same call may succeed later. */
const passing: Readonly<Record<number, string>> = {
  [-195]: 'TRANSPORT',
  [-193]: 'RESOLVE',
  [-187]: 'ALL_BROKERS_DOWN',
  [-185]: 'TIMED_OUT',
  [-184]: 'QUEUE_FULL',
  [-180]: 'WAIT_COORDINATOR',
  [-178]: 'IN_PROGRESS',
  [-177]: 'PREVIOUS_IN_PROGRESS',
  [-166]: 'TIMED_OUT_QUEUE',
  [-164]: 'WAIT_CACHE',
  [-163]: 'INTERRUPTED',
  [-153]: 'RETRY',
  [-146]: 'UNKNOWN_BROKER',
  [-137]: 'BROKER_GONE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER',
  7: 'REQUEST_TIMED_OUT',
  8: 'BROKER_NOT_AVAILABLE',
  9: 'REPLICA_NOT_AVAILABLE',
  13: 'NETWORK',
  14: 'COORDINATOR_LOADING',
  15: 'COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  27: 'REBALANCE_IN_PROGRESS',
  41: 'NOT_CONTROLLER',
  51: 'CONCURRENT_TRANSACTIONS',
  56: 'STORAGE',
  70: 'FETCH_SESSION_NOT_FOUND',
  71: 'FETCH_SESSION_EPOCH',
  74: 'FENCED_LEADER_EPOCH',
  75: 'UNKNOWN_LEADER_EPOCH',
  78: 'OFFSET_NOT_AVAILABLE',
  88: 'UNSTABLE_OFFSETS',
  89: 'THROTTLED',
  100: 'UNKNOWN_TOPIC_ID',
};

/**
 * The records of this transaction did not all arrive; another transaction may succeed. A client that is broken says only
 * that when a record is handed over: why, the call says that ends the transaction. One that asks a broker which has just
 * begun again may hear of fewer topics than there are; those that never were are refused at the start.
 */
const aborting: Readonly<Record<number, string>> = {
  [-192]: 'MESSAGE_TIMED_OUT',
  [-190]: 'UNKNOWN_PARTITION',
  [-188]: 'UNKNOWN_TOPIC',
  [-152]: 'PURGED_IN_QUEUE',
  [-151]: 'PURGED_IN_FLIGHT',
  [-150]: 'BROKEN',
};

/** Named only so that a person knows; all of them stop, as does everything that has no name. */
const ending: Readonly<Record<number, string>> = {
  [-169]: 'AUTHENTICATION',
  [-144]: 'TRANSACTION_FENCED',
  [-140]: 'OFFSET_GONE',
  [-139]: 'LOG_TRUNCATED',
  1: 'OFFSET_GONE',
  10: 'RECORD_TOO_LARGE',
  18: 'RECORD_LIST_TOO_LARGE',
  29: 'TOPIC_NOT_AUTHORIZED',
  30: 'GROUP_NOT_AUTHORIZED',
  31: 'CLUSTER_NOT_AUTHORIZED',
  47: 'TRANSACTION_FENCED',
  53: 'TRANSACTIONAL_ID_NOT_AUTHORIZED',
  58: 'AUTHENTICATION',
  90: 'TRANSACTION_FENCED',
};

const advice: Readonly<Record<string, string>> = {
  TRANSACTION_FENCED: 'another process works for the same partitions, and this one gives way',
  OFFSET_GONE:
    'records that were never read have been removed from the topic: what they said is lost to this processor',
  RECORD_TOO_LARGE: "a record is larger than the topic's max.message.bytes",
};

/** What the runtime shall make of an error of the client. `doing` begins the sentence: "committing". */
export function kafkaError(error: unknown, doing: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const client = error as ClientError;
  const code = typeof client.code === 'number' ? client.code : Number.NaN;
  const name = passing[code] ?? aborting[code] ?? ending[code] ?? `KAFKA_${code}`;
  const said = advice[name] === undefined ? client.message : `${client.message}: ${advice[name]}`;
  return new PipelineError(name, recoveryOf(client, code), `${doing}: ${said}`, { cause: error });
}

/** What was to be read next is not kept. `first` is the first record that is, `end` the place behind the last one. */
export function offsetGone(
  { topic, partition, offset }: PartitionOffset,
  { first, end }: { readonly first: bigint; readonly end: bigint },
): PipelineError {
  const place = `reading ${topic} ${partition} at ${offset}, where ${first} to ${end} are kept`;
  return new PipelineError('OFFSET_GONE', 'stop', `${place}: ${advice.OFFSET_GONE}`);
}

function recoveryOf(client: ClientError, code: number): Recovery {
  if (client.isFatal === true) return 'stop';
  // A zombie's epoch may be aborted; what is too large or forbidden would fail again, for ever.
  if (ending[code] !== undefined && ending[code] !== 'TRANSACTION_FENCED') return 'stop';
  if (client.isTxnRequiresAbort === true) return 'abort';
  if (client.isRetriable === true) return 'retry';
  if (ending[code] !== undefined) return 'stop';
  if (aborting[code] !== undefined) return 'abort';
  return passing[code] === undefined ? 'stop' : 'retry';
}
