/**
 * The processor under chaos: counts numbered sightings of words from two co-partitioned inputs, drops duplicates,
 * refuses some. What it must have written is a function of its inputs alone, told by `expectedOf`.
 */
import { deadLetters } from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import {
  defineTopology,
  type Emit,
  emit,
  type Input,
  type StateView,
} from '../../processors/topology/topology.ts';
import { wire } from '../../processors/wire.ts';

export const tallyPartitions = 4;
const text = wire<string>('text-key');

export function tallyTopics(prefix: string) {
  const topic = (name: string): Topic<string, string> => ({
    name: `${prefix}.${name}`,
    key: text,
    value: text,
    partitions: tallyPartitions,
    cleanup: 'delete',
    partitionBy: (key) => key,
  });
  return {
    /** By word: the number of the sighting, or `refuse`. */
    spoken: topic('spoken'),
    written: topic('written'),
    /** One record per input: which input, how many so far, and what it was. */
    steps: topic('step'),
    /** By word: `from>to`, the inputs before and after the records of one transaction. */
    totals: {
      ...topic('total'),
      cleanup: 'compact',
      coalesce: (earlier: string, later: string) =>
        `${earlier.split('>')[0]}>${later.split('>')[1]}`,
    } satisfies Topic<string, string>,
    refused: { ...deadLetters, name: `${prefix}.refused`, partitions: 1 },
  };
}

export type TallyTopics = ReturnType<typeof tallyTopics>;

type Seen = { readonly inputs: number; readonly sequence: number };
type Told = { readonly seen: Seen; readonly step: string | undefined };

/** What one input does to what was seen of its word; no step: it is refused. */
export function tell(seen: Seen | undefined, value: string): Told {
  const { inputs, sequence } = seen ?? { inputs: 0, sequence: 0 };
  if (value === 'refuse') return { seen: { inputs, sequence }, step: undefined };
  const number = Number(value);
  const fresh = number > sequence;
  return {
    seen: { inputs: inputs + 1, sequence: fresh ? number : sequence },
    step: `${inputs + 1} ${value} ${fresh ? 'counted' : 'duplicate'}`,
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function tally(prefix: string, topics: TallyTopics) {
  const step = (input: Input, state: StateView<Seen>): readonly Emit[] => {
    if (input.kind === 'tick') {
      const ticks = state.get('#ticks');
      state.put('#ticks', { inputs: (ticks?.inputs ?? 0) + 1, sequence: 0 });
      return [];
    }
    const { key, value, topic } = input.record;
    const name = `${topic.slice(prefix.length + 1)} ${key}`;
    const before = state.get(name);
    const told = tell(before, String(value));
    if (told.step === undefined) {
      return [{ kind: 'deadLetter', code: 'REFUSED', reason: 'as it asked for' }];
    }
    state.put(name, told.seen);
    return [
      emit(topics.steps, name, told.step, { partition: input.record.partition }),
      emit(topics.totals, name, `${before?.inputs ?? 0}>${told.seen.inputs}`, {
        partition: input.record.partition,
      }),
    ];
  };
  return defineTopology<Seen>({
    name: prefix,
    inputs: [topics.spoken, topics.written] as unknown as readonly Topic<never, never>[],
    state: {
      version: 1,
      encode: (seen) => encoder.encode(JSON.stringify(seen)),
      decode: (bytes) => JSON.parse(decoder.decode(bytes)) as Seen,
    },
    tickMs: 300,
    step,
    outputs: [topics.steps, topics.totals] as unknown as readonly Topic<never, never>[],
  });
}
