/** What a topic is: its name, its schemas, how it is partitioned and kept. Plain data; no client is known here. */

/** Translates between a domain value and the plain object that the Avro schema of `subject` describes. */
export type Wire<T> = {
  /** Name of the Avro schema file without its ending, such as `stock-level`. */
  readonly schema: string;
  readonly toAvro: (value: T) => unknown;
  readonly fromAvro: (plain: unknown) => T;
};

export type Topic<K, V> = {
  readonly name: string;
  readonly key: Wire<K>;
  readonly value: Wire<V>;
  readonly partitions: number;
  readonly cleanup: 'compact' | 'delete';
  /** How long records are kept (`delete`) in milliseconds; absent: for ever. */
  readonly retentionMs?: number;
  /** The string whose murmur2 hash chooses the partition, as Kafka's Java client hashes a string key. */
  readonly partitionBy: (key: K) => string;
  /**
   * For compacted topics: what stays of two values of one key in one transaction.
   * Absent: the later one.
   */
  readonly coalesce?: (earlier: V, later: V) => V;
  /** Bytes of its largest record, key and value. Absent: a million, which a topic takes by default. */
  readonly recordBytesMax?: number;
};

/** The Avro schema with which a foreign record was written, as parsed JSON. */
export type WriterSchema = unknown;

/** A topic that another system writes: Debezium's, decoded by the writer's own schema. */
export type ForeignTopic<V> = {
  readonly name: string;
  readonly foreign: true;
  /**
   * Which fields of the value are decoded, by record path (`after.artnr`, `source.lsn`, `op`); anything else is
   * skipped, unseen. A path that ends at a record takes all of it. A field that the writer does not have is undefined.
   * Absent: all of them.
   */
  readonly fields?: readonly string[];
  /**
   * From the decoded value. 64-bit integers are numbers while they are safe and bigint beyond; decimals are
   * `{ unscaled, scale }` with an integer of either kind; any other logical type comes raw. `writer` tells what the fields are.
   * A throw makes the record a dead letter.
   */
  readonly parse: (plain: unknown, writer: WriterSchema) => V;
};
