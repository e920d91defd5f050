/**
 * One partition of a topology: applies inputs to its state and collects what they want written, until a transaction
 * takes both down or drops both. Pure but for its store; the in-memory driver of the tests runs this very code.
 */
import type { DeadLetter } from '../../schemas/types.ts';
import type { Topic } from '../topology/topic.ts';
import {
  changelogName,
  type Emit,
  type Header,
  type Input,
  type Topology,
} from '../topology/topology.ts';
import { checkpointKey, encodeCheckpoint } from './checkpoint.ts';
import { deadLetterHeaders, deadLetterOf, type Refusal } from './dead-letter.ts';
import type { Decoded } from './decode.ts';
import { PipelineError, stop } from './errors.ts';
import { collectOutputs, OversizedOutput } from './outputs.ts';
import type {
  Checkpoint,
  Codecs,
  OutputRecord,
  PartitionOffset,
  RawRecord,
  TraceIds,
} from './ports.ts';
import { type CommittedState, openState } from './state.ts';
import { nextSpan } from './trace.ts';

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

const untraced: readonly Header[] = [];

export function createTask<S>(options: TaskOptions<S>): Task {
  const { topology, partition, codecs, traceIds } = options;
  const changelog = changelogName(topology);
  const declared = new Set(topology.outputs.map((output) => output.name));
  const state = openState(topology.state, options.committed, options);
  const outputs = collectOutputs(codecs);
  const counts = new Map<string, number>();
  let lineage = '';
  let committedAt = new Map<string, bigint>();
  let positions = new Map<string, bigint>();
  let records = 0;
  let deadLetters = 0;
  /** Inputs of the open transaction whose outputs turned out to be too large. */
  const refused = new Map<string, Refusal>();

  const addDeadLetter = (raw: RawRecord, key: unknown, code: string, reason: string): void => {
    const refusal = { code, reason };
    deadLetters += 1;
    outputs.add({
      topic: options.deadLetters as unknown as Topic<never, never>,
      key: typeof key === 'string' ? key : raw.topic,
      value: deadLetterOf(topology.name, raw, refusal),
      timestampMs: raw.timestampMs,
      partition: undefined,
      headers: [...deadLetterHeaders(topology.name, raw, refusal), nextSpan(raw.headers, traceIds)],
      cause: raw,
    });
  };

  const take = (emits: readonly Emit[], input: Input, raw: RawRecord | undefined): void => {
    let headers: readonly Header[] | undefined;
    for (const emit of emits) {
      switch (emit.kind) {
        case 'record':
          if (!declared.has(emit.topic.name)) {
            throw new Error(`it writes to ${emit.topic.name}, which it does not declare as output`);
          }
          headers ??= [nextSpan(raw?.headers ?? untraced, traceIds)];
          outputs.add({
            topic: emit.topic,
            key: emit.key,
            value: emit.value,
            timestampMs: emit.timestampMs ?? timeOf(input),
            partition: emit.partition,
            headers,
            cause: raw,
          });
          break;
        case 'deadLetter':
          if (raw === undefined) throw new Error('a tick cannot be a dead letter');
          addDeadLetter(raw, keyOf(input), emit.code, emit.reason);
          break;
        case 'count':
          counts.set(emit.metric, (counts.get(emit.metric) ?? 0) + emit.by);
          break;
      }
    }
  };

  const run = (input: Input, raw: RawRecord | undefined): void => {
    try {
      take(topology.step(input, state.view), input, raw);
    } catch (error) {
      throw stop(
        'STEP_FAILED',
        `${placeOf(topology.name, partition, input)}: ${textOf(error)}`,
        error,
      );
    }
  };

  const encodeOutputs = (): readonly OutputRecord[] => {
    try {
      return outputs.encode();
    } catch (error) {
      if (!(error instanceof OversizedOutput)) throw error;
      for (const [raw, reason] of error.causes) {
        // Refused already, and its dead letter is too large; or a tick: nothing is left that could be refused.
        if (raw === undefined || refused.has(nameOf(raw))) throw stop('OUTPUT_TOO_LARGE', reason);
        refused.set(nameOf(raw), { code: 'OUTPUT_TOO_LARGE', reason });
      }
      throw new PipelineError('OUTPUT_TOO_LARGE', 'abort', error.message);
    }
  };

  const clear = (): void => {
    outputs.clear();
    counts.clear();
    records = 0;
    deadLetters = 0;
  };

  return {
    partition,
    standAt: (checkpoint) => {
      lineage = checkpoint.lineage;
      committedAt = new Map(checkpoint.offsets);
      positions = new Map(checkpoint.offsets);
      state.reset();
      clear();
    },
    position: (topic) => positions.get(topic) ?? 0n,
    apply: ({ raw, input }) => {
      // What a client had already fetched before it was sent back arrives a second time.
      if (raw.offset < (positions.get(raw.topic) ?? 0n)) return;
      records += 1;
      const refusal = refused.size === 0 ? undefined : refused.get(nameOf(raw));
      if (refusal !== undefined) {
        addDeadLetter(
          raw,
          'kind' in input ? keyOf(input) : undefined,
          refusal.code,
          refusal.reason,
        );
      } else if ('kind' in input) run(input, raw);
      else addDeadLetter(raw, undefined, input.code, input.reason);
      positions.set(raw.topic, raw.offset + 1n);
    },
    tick: (nowMs) => run({ kind: 'tick', nowMs }, undefined),
    transfer: (nowMs) => {
      const offsets = [...positions]
        .filter(([topic, offset]) => committedAt.get(topic) !== offset)
        .map(([topic, offset]) => ({ topic, partition, offset }));
      const changes = state.changes();
      if (offsets.length === 0 && changes.length === 0 && outputs.size() === 0) return undefined;
      const checkpoint = { lineage, offsets: new Map(positions) };
      const changelogRecord = (key: string, value: Uint8Array | undefined): OutputRecord => ({
        topic: changelog,
        partition,
        timestampMs: nowMs,
        key: Buffer.from(key),
        value,
        headers: untraced,
      });
      return {
        outputs: [
          ...encodeOutputs(),
          ...changes.map(([key, bytes]) => changelogRecord(key, bytes)),
          changelogRecord(checkpointKey, encodeCheckpoint(checkpoint)),
        ],
        offsets,
        checkpoint,
        changes,
        records,
        deadLetters,
        counts: new Map(counts),
      };
    },
    commit: () => {
      state.commit();
      committedAt = new Map(positions);
      refused.clear();
      clear();
    },
    rollback: () => {
      state.rollback();
      positions = new Map(committedAt);
      clear();
    },
  };
}

function nameOf(raw: RawRecord): string {
  return `${raw.topic} ${raw.offset}`;
}

function timeOf(input: Input): number {
  return input.kind === 'record' ? input.record.timestampMs : input.nowMs;
}

function keyOf(input: Input): unknown {
  return input.kind === 'record' ? input.record.key : undefined;
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
