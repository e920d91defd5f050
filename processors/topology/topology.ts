/** How a processor is declared: inputs, state, one pure step, outputs. Nothing else reaches a running processor. */
import type { ForeignTopic, Topic } from './topic.ts';

export type Header = readonly [name: string, value: Uint8Array];

/** A record as a step sees it. `value` is undefined for a tombstone. */
export type StreamRecord<K = unknown, V = unknown> = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** The record's own timestamp, in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly key: K;
  readonly value: V | undefined;
  readonly headers: readonly Header[];
  /** Handed over by a joined topology, in whose step another record of the same partitioning key follows: what sums them up can wait for it. */
  readonly isFollowed?: boolean;
};

export type Input =
  | { readonly kind: 'record'; readonly record: StreamRecord }
  | { readonly kind: 'tick'; readonly nowMs: number };

/**
 * The state of one input partition: values by key. Values are immutable: put a new one.
 * What a step writes is visible to later steps at once and is rolled back when their Kafka transaction aborts.
 */
export type StateView<S> = {
  get(key: string): S | undefined;
  put(key: string, value: S): void;
  delete(key: string): void;
};

/** The state as a step has it. */
export type StepState<S> = StateView<S> & {
  /** All keys that begin so, in order. Reads through the store: for what happens once in a while, not per record. */
  keys(beginning: string): readonly string[];
};

/** What a step wants written, in order. */
export type Emit =
  | {
      readonly kind: 'record';
      readonly topic: Topic<never, never>;
      readonly key: unknown;
      /** Undefined writes a tombstone. */
      readonly value: unknown;
      readonly timestampMs?: number;
      /** Only for topics that go to every partition; otherwise the key decides. */
      readonly partition?: number;
    }
  | { readonly kind: 'deadLetter'; readonly code: string; readonly reason: string }
  | { readonly kind: 'count'; readonly metric: string; readonly by: number };

/**
 * Called once per input, in order. Synchronous, total and deterministic: no clock, no I/O, no random.
 * A record that it cannot use is answered with a `deadLetter`; a throw is a programmer error and stops the processor.
 */
export type Step<S> = (input: Input, state: StepState<S>) => readonly Emit[];

/** State values ↔ bytes, in the local store and the changelog. Versions run from 1 to 255; a newer one than ours is refused. */
export type StateCodec<S> = {
  readonly version: number;
  readonly encode: (value: S) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => S;
  /** Reads what an older version wrote. Absent: older versions are refused too. */
  readonly migrate?: (bytes: Uint8Array, version: number) => S;
};

export type Topology<S> = {
  /** Names the consumer group, the transactional ids and the changelog topic. */
  readonly name: string;
  /** Co-partitioned: partition p of every input belongs to the same state. */
  readonly inputs: readonly (Topic<never, never> | ForeignTopic<unknown>)[];
  readonly state: StateCodec<S>;
  /** Time is an input like any other: so often a tick comes to every partition's state. */
  readonly tickMs?: number;
  /**
   * For results that nobody waits for: records are gathered for so long after a commit, which costs the broker the same
   * for one as for thousands. Absent: as soon as the pace of the runtime allows.
   */
  readonly gatherMs?: number;
  readonly step: Step<S>;
  readonly outputs: readonly Topic<never, never>[];
};

/** The record's own time, or the tick's. */
export function timeOf(input: Input): number {
  return input.kind === 'record' ? input.record.timestampMs : input.nowMs;
}

export function changelogName(topology: { readonly name: string }): string {
  return `${topology.name}.changelog`;
}

/** A record for `topic`; typed, so that key and value fit the topic's contract. */
export function emit<K, V>(
  topic: Topic<K, V>,
  key: K,
  value: V | undefined,
  options: { readonly timestampMs?: number; readonly partition?: number } = {},
): Emit {
  return { kind: 'record', topic: topic as unknown as Topic<never, never>, key, value, ...options };
}

export function defineTopology<S>(topology: Topology<S>): Topology<S> {
  return topology;
}
