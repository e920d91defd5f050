/**
 * What the open transaction of one task wants written: outputs, dead letters and counts, in the order of their inputs.
 * An output that is too large makes its input a dead letter when the same inputs come again after a rollback.
 */
import type { DeadLetter } from '../../schemas/types.ts';
import type { Topic } from '../topology/topic.ts';
import { type Emit, type Header, type Input, type Topology, timeOf } from '../topology/topology.ts';
import { deadLetterHeaders, deadLetterOf, type Refusal } from './dead-letter.ts';
import { PipelineError, stop } from './errors.ts';
import { collectOutputs, nameOfInput, type Outputs, OversizedOutput } from './outputs.ts';
import type { Codecs, OutputRecord, RawRecord, TraceIds } from './ports.ts';
import { nextSpan } from './trace.ts';

export type Intents = {
  /** Takes what a step emitted at `input`; `raw` is undefined at a tick. */
  readonly take: (emits: readonly Emit[], input: Input, raw: RawRecord | undefined) => void;
  readonly refuse: (raw: RawRecord, key: unknown, refusal: Refusal) => void;
  /** Why `raw` must not be tried again. */
  readonly refusalOf: (raw: RawRecord) => Refusal | undefined;
  readonly isEmpty: () => boolean;
  /** Throws a `PipelineError` with recovery `abort` when an output is too large. */
  readonly encode: () => readonly OutputRecord[];
  readonly deadLetters: () => number;
  readonly counts: () => ReadonlyMap<string, number>;
  /** Forgets what was gathered, but not which inputs were refused. */
  readonly clear: () => void;
  readonly committed: () => void;
};

const untraced: readonly Header[] = [];

export function createIntents<S>(options: {
  readonly topology: Topology<S>;
  readonly codecs: Codecs;
  readonly traceIds: TraceIds;
  readonly deadLetters: Topic<string, DeadLetter>;
}): Intents {
  const { topology, traceIds } = options;
  const declared = new Set(topology.outputs.map((output) => output.name));
  const outputs = collectOutputs(options.codecs);
  const counts = new Map<string, number>();
  /** Inputs of the open transaction whose outputs turned out to be too large. */
  const refused = new Map<string, Refusal>();
  let deadLetters = 0;

  const refuse = (raw: RawRecord, key: unknown, refusal: Refusal): void => {
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
          refuse(raw, keyOf(input), emit);
          break;
        case 'count':
          counts.set(emit.metric, (counts.get(emit.metric) ?? 0) + emit.by);
          break;
      }
    }
  };

  const clear = (): void => {
    outputs.clear();
    counts.clear();
    deadLetters = 0;
  };

  return {
    take,
    refuse,
    refusalOf: (raw) => (refused.size === 0 ? undefined : refused.get(nameOfInput(raw))),
    isEmpty: () => outputs.size() === 0,
    encode: () => encodeOr(outputs, (error) => noteRefused(error, refused)),
    deadLetters: () => deadLetters,
    counts: () => new Map(counts),
    clear,
    committed: () => {
      refused.clear();
      clear();
    },
  };
}

function encodeOr(outputs: Outputs, oversized: (error: OversizedOutput) => never): OutputRecord[] {
  try {
    return outputs.encode();
  } catch (error) {
    if (error instanceof OversizedOutput) return oversized(error);
    throw error;
  }
}

/** Throws always: the inputs have to come again. */
function noteRefused(error: OversizedOutput, refused: Map<string, Refusal>): never {
  for (const [name, reason] of error.causes) {
    // Refused already, and its dead letter is too large; or a tick: nothing is left that could be refused.
    if (name === undefined || refused.has(name)) throw stop('OUTPUT_TOO_LARGE', reason);
    refused.set(name, { code: 'OUTPUT_TOO_LARGE', reason });
  }
  throw new PipelineError('OUTPUT_TOO_LARGE', 'abort', error.message);
}

export function keyOf(input: Input): unknown {
  return input.kind === 'record' ? input.record.key : undefined;
}
