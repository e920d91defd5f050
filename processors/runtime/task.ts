/**
 * One partition of a topology: applies inputs to its state and collects what they want written, until a transaction
 * takes both down or drops both. Pure but for its store; the in-memory driver of the tests runs this very code.
 */
import type { DeadLetter } from '../../schemas/types.ts';
import type { Topic } from '../topology/topic.ts';
import { changelogName, type Input, type Topology } from '../topology/topology.ts';
import { checkpointKey, encodeCheckpoint } from './checkpoint.ts';
import type { Decoded } from './decode.ts';
import { stop } from './errors.ts';
import { createIntents, keyOf } from './intents.ts';
import type {
  Checkpoint,
  Codecs,
  OutputRecord,
  PartitionOffset,
  RawRecord,
  TraceIds,
} from './ports.ts';
import { type CommittedState, openState } from './state.ts';

export type TaskOptions<S> = {
  readonly topology: Topology<S>;
  readonly partition: number;
  readonly codecs: Codecs;
  readonly traceIds: TraceIds;
  readonly deadLetters: Topic<string, DeadLetter>;
  readonly committed: CommittedState;
  readonly hotCellsMax: number;
};

/** What one transaction does for one task. */
export type Transfer = {
  readonly outputs: readonly OutputRecord[];
  /** Inputs whose place has changed. */
  readonly offsets: readonly PartitionOffset[];
  readonly checkpoint: Checkpoint;
  readonly changes: readonly (readonly [key: string, bytes: Uint8Array | undefined])[];
  readonly records: number;
  readonly deadLetters: number;
  readonly counts: ReadonlyMap<string, number>;
};

export type Task = {
  readonly partition: number;
  /** Where the state stands: set after a restore, before the first input. */
  readonly standAt: (checkpoint: Checkpoint) => void;
  /** The offset of the next record of `topic`, open transaction included. */
  readonly position: (topic: string) => bigint;
  /** The same without what is open. */
  readonly committed: (topic: string) => bigint;
  readonly apply: (decoded: Decoded) => void;
  readonly tick: (nowMs: number) => void;
  /**
   * Everything since the last commit; undefined when there is nothing to write. Throws a `PipelineError` with recovery
   * `abort` when an output is too large: after a rollback and the same inputs again its input is a dead letter.
   */
  readonly transfer: (nowMs: number) => Transfer | undefined;
  readonly commit: () => void;
  readonly rollback: () => void;
};

export function createTask<S>(options: TaskOptions<S>): Task {
  const { topology, partition } = options;
  const topic = changelogName(topology);
  const state = openState(topology.state, options.committed, options);
  const intents = createIntents(options);
  let lineage = '';
  let committedAt = new Map<string, bigint>();
  let positions = new Map<string, bigint>();
  let records = 0;

  const run = (input: Input, raw: RawRecord | undefined): void => {
    try {
      intents.take(topology.step(input, state.view), input, raw);
    } catch (error) {
      const place = placeOf(topology.name, partition, input);
      throw stop('STEP_FAILED', `${place}: ${textOf(error)}`, error);
    }
  };

  const changelogRecords = (
    changes: Transfer['changes'],
    checkpoint: Checkpoint,
    timestampMs: number,
  ): readonly OutputRecord[] =>
    [...changes, [checkpointKey, encodeCheckpoint(checkpoint)] as const].map(([key, value]) => {
      return { topic, partition, timestampMs, key: Buffer.from(key), value, headers: [] };
    });

  return {
    partition,
    standAt: (checkpoint) => {
      lineage = checkpoint.lineage;
      committedAt = new Map(checkpoint.offsets);
      positions = new Map(checkpoint.offsets);
      state.reset();
      intents.clear();
      records = 0;
    },
    position: (input) => positions.get(input) ?? 0n,
    committed: (input) => committedAt.get(input) ?? 0n,
    apply: ({ raw, input }) => {
      // What a client had already fetched before it was sent back arrives a second time.
      if (raw.offset < (positions.get(raw.topic) ?? 0n)) return;
      records += 1;
      const key = 'kind' in input ? keyOf(input) : undefined;
      const refusal = intents.refusalOf(raw) ?? ('kind' in input ? undefined : input);
      if (refusal !== undefined) intents.refuse(raw, key, refusal);
      else run(input as Input, raw);
      positions.set(raw.topic, raw.offset + 1n);
    },
    tick: (nowMs) => run({ kind: 'tick', nowMs }, undefined),
    transfer: (nowMs) => {
      const offsets = movedOffsets(positions, committedAt, partition);
      const changes = state.changes();
      if (offsets.length === 0 && changes.length === 0 && intents.isEmpty()) return undefined;
      const checkpoint = { lineage, offsets: new Map(positions) };
      return {
        outputs: [...intents.encode(), ...changelogRecords(changes, checkpoint, nowMs)],
        offsets,
        checkpoint,
        changes,
        records,
        deadLetters: intents.deadLetters(),
        counts: intents.counts(),
      };
    },
    commit: () => {
      state.commit();
      committedAt = new Map(positions);
      intents.committed();
      records = 0;
    },
    rollback: () => {
      state.rollback();
      positions = new Map(committedAt);
      intents.clear();
      records = 0;
    },
  };
}

function movedOffsets(
  positions: ReadonlyMap<string, bigint>,
  committedAt: ReadonlyMap<string, bigint>,
  partition: number,
): readonly PartitionOffset[] {
  return [...positions]
    .filter(([topic, offset]) => committedAt.get(topic) !== offset)
    .map(([topic, offset]) => ({ topic, partition, offset }));
}

function placeOf(processor: string, partition: number, input: Input): string {
  if (input.kind === 'tick')
    return `${processor} fails at the tick of ${input.nowMs} on partition ${partition}`;
  const { record } = input;
  return (
    `${processor} fails at ${record.topic}, partition ${record.partition}, offset ${record.offset}, ` +
    `key ${shown(record.key)}`
  );
}

/** Keys of foreign topics may hold bigint, which JSON refuses. */
function shown(key: unknown): string {
  return JSON.stringify(key, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
