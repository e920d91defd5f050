/** What the runtime needs of the world, as contracts. The adapters keep them; nothing here knows a client. */
import type { ForeignTopic, Topic } from '../topology/topic.ts';
import type { Header } from '../topology/topology.ts';

/** A record as Kafka has it. */
export type RawRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Uint8Array | undefined;
  /** Undefined for a tombstone. */
  readonly value: Uint8Array | undefined;
  readonly headers: readonly Header[];
};

/** A record to be written. */
export type OutputRecord = Omit<RawRecord, 'offset'>;

/** A place in a partition: the offset of the next record to be read. */
export type PartitionOffset = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
};

/** Before the first record that the topic still has. */
export const beginning = -2n;

export type Poll = {
  readonly records: readonly RawRecord[];
  /** Partitions whose committed end has been reached, with the offset of the next record to come. */
  readonly ends: readonly PartitionOffset[];
};

/**
 * Reads assigned partitions of committed records. One caller, one call at a time.
 * A failure that passes by itself never surfaces; anything else is thrown as a `PipelineError`.
 */
export interface RecordSource {
  /** Replaces what is read and from where; nothing of an earlier assignment is delivered afterwards. */
  assign(places: readonly PartitionOffset[]): void;
  /**
   * Waits up to `waitMs` for a first record, then takes what has already arrived, at most `recordsMax`.
   * Fewer than `recordsMax` records mean that nothing more was there. Must not use the processor while it waits.
   */
  poll(options: { readonly recordsMax: number; readonly waitMs: number }): Promise<Poll>;
  /** The committed place of each partition that has one; never one that an open transaction may still change. */
  committed(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly PartitionOffset[]>;
  /** The end of what is committed in a partition, as the broker says it now: where its first open transaction begins. */
  end(partition: { readonly topic: string; readonly partition: number }): Promise<bigint>;
  /** The same for many partitions, in the order asked for: one request. */
  ends(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly bigint[]>;
  /** The end as of the last fetch; undefined before the first one. Cheap. */
  knownEnd(partition: { readonly topic: string; readonly partition: number }): bigint | undefined;
  close(): Promise<void>;
}

/**
 * A Kafka transactional producer. Each call ends in one of four ways: done; `PipelineError` with recovery
 * `retry` (the same call again, with the same arguments), `abort` (abort this transaction) or `stop`.
 */
export interface TransactionalProducer {
  /** Fences every older producer of the same transactional id and ends the transaction it may have left open. */
  init(): Promise<void>;
  begin(): Promise<void>;
  /** Hands a record to the client. `retry` when its queue is full: `drain` and again. */
  produce(record: OutputRecord): void;
  /** Waits a little for room in the queue. */
  drain(): Promise<void>;
  sendOffsets(offsets: readonly PartitionOffset[]): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  /** True once the connection of this producer had any trouble: it must not be used for another transaction. */
  disturbed(): boolean;
  close(): Promise<void>;
}

/**
 * Agrees with the other processes of a processor on who works which partitions. It only distributes work: that two
 * of them never both work the same partition is the doing of `TransactionalProducer.init`, not of this.
 */
export interface Membership {
  /** Gives up what is owned, as `revoked` would, and leaves. */
  close(): Promise<void>;
}

export type MembershipEvents = {
  readonly assigned: (partitions: readonly number[]) => void;
  /** Everything assigned before is to be given up; others may have it once this resolves. */
  readonly revoked: () => Promise<void>;
  readonly failed: (error: unknown) => void;
};

/** Where the inputs of a partition's state stand, and to which history the state belongs. */
export type Checkpoint = {
  readonly lineage: string;
  /** By topic: the offset of the next input to be read. */
  readonly offsets: ReadonlyMap<string, bigint>;
};

export type StoredCheckpoint = Checkpoint & {
  /** The changelog has nothing before this offset that the store lacks, and holds a checkpoint at or after it. */
  readonly changelogOffset: bigint;
  readonly writtenAtMs: number;
};

/**
 * A partition's state on this machine: a cache of the changelog, never the truth.
 * It may be empty, old or gone at any start; a damaged one deletes itself and opens empty.
 */
export interface StateStore {
  /** Undefined: there is nothing that could be trusted. */
  checkpoint(): StoredCheckpoint | undefined;
  get(key: string): Uint8Array | undefined;
  /** All or nothing; an undefined value deletes. With an undefined checkpoint the store is untrusted until one comes. */
  write(
    entries: Iterable<readonly [key: string, value: Uint8Array | undefined]>,
    checkpoint: StoredCheckpoint | undefined,
  ): void;
  entries(): Iterable<readonly [key: string, value: Uint8Array]>;
  /** The keys that begin so. */
  keys(beginning: string): Iterable<string>;
  clear(): void;
  close(): Promise<void>;
}

/** Bytes ↔ values of topics. Synchronous: schemas are fetched beforehand. */
export interface Codecs {
  /** Throws `SchemaNotFetched` when the writer's schema must be learnt first; any other throw: the bytes are bad. */
  decodeKey(topic: Topic<never, never> | ForeignTopic<unknown>, bytes: Uint8Array): unknown;
  decodeValue(topic: Topic<never, never> | ForeignTopic<unknown>, bytes: Uint8Array): unknown;
  encodeKey(topic: Topic<never, never>, key: unknown): Uint8Array;
  encodeValue(topic: Topic<never, never>, value: unknown): Uint8Array;
  /**
   * Looks up the ids of our own schemas, before anything is encoded. `PipelineError` with recovery `retry` while the
   * registry does not answer, `stop` when a schema is not registered.
   */
  prepare(topics: readonly Topic<never, never>[]): Promise<void>;
  /**
   * Fetches a writer's schema. Also resolves when the registry says that there is none: decoding then fails.
   * `PipelineError` with recovery `retry` while the registry does not answer.
   */
  learn(schemaId: number): Promise<void>;
}

export interface Clock {
  nowMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Ids of W3C trace contexts: 32 and 16 hexadecimal digits, never all zero. */
export interface TraceIds {
  traceId(): string;
  spanId(): string;
}

/** What happened, for logs and metrics. Never called per record. */
export interface Telemetry {
  log(
    level: 'debug' | 'info' | 'warn' | 'error',
    event: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void;
  committed(transaction: {
    readonly records: number;
    readonly outputs: number;
    readonly deadLetters: number;
    readonly commitMs: number;
    readonly counts: ReadonlyMap<string, number>;
  }): void;
  aborted(reason: string): void;
  restored(restore: {
    readonly partition: number;
    readonly records: number;
    readonly tookMs: number;
    readonly from: 'store' | 'changelog';
  }): void;
  /** How far behind it is: told every second. */
  lag(lag: { readonly records: number; readonly seconds: number }): void;
  /** The processes have shared the partitions out anew, and this one owns these. */
  rebalanced(partitions: readonly number[]): void;
}
