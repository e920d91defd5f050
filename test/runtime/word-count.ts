/** The smallest processor with everything in it: words in, counts out, refusals, ticks, tombstones. */

import type { Topic } from '../../processors/topology/topic.ts';
import {
  defineTopology,
  type Emit,
  emit,
  type Input,
  type StateView,
} from '../../processors/topology/topology.ts';
import { wire } from '../../processors/wire.ts';

const text = wire<string>('text-key');
const partitions = 2;

/** Sentences, by word: `forget` deletes the count, `refuse` is refused, `break` is a programmer's error. */
export function wordTopics(prefix: string) {
  const words: Topic<string, string> = {
    name: `${prefix}.word`,
    key: text,
    value: text,
    partitions,
    cleanup: 'delete',
    partitionBy: (key) => key,
  };
  /** Each counted word with the count, in order. */
  const steps: Topic<string, string> = { ...words, name: `${prefix}.step` };
  /** The count of each word; of two in one transaction the later, with both lengths. */
  const totals: Topic<string, string> = {
    ...words,
    name: `${prefix}.total`,
    cleanup: 'compact',
    coalesce: (earlier, later) => `${earlier.split('>')[0]}>${later.split('>').at(-1)}`,
  };
  return { words, steps, totals };
}

export type WordTopics = ReturnType<typeof wordTopics>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function wordCount(
  prefix: string,
  topics: WordTopics,
  options: { readonly tickMs?: number } = {},
) {
  const step = (input: Input, state: StateView<number>): readonly Emit[] => {
    if (input.kind === 'tick') {
      const ticks = (state.get('#ticks') ?? 0) + 1;
      state.put('#ticks', ticks);
      return [{ kind: 'count', metric: 'ticks', by: 1 }];
    }
    const word = input.record.key as string;
    const order = input.record.value as string | undefined;
    if (order === 'refuse') return [{ kind: 'deadLetter', code: 'REFUSED', reason: `no ${word}` }];
    if (order === 'break') throw new Error('broken');
    if (order === 'forget') {
      state.delete(word);
      return [emit(topics.totals, word, undefined)];
    }
    const count = (state.get(word) ?? 0) + 1;
    state.put(word, count);
    return [
      { kind: 'count', metric: 'words', by: 1 },
      emit(topics.steps, word, `${count}`),
      emit(topics.totals, word, `${count - 1}>${count}`),
    ];
  };
  return defineTopology<number>({
    name: prefix,
    inputs: [topics.words as unknown as Topic<never, never>],
    state: {
      version: 1,
      encode: (count) => encoder.encode(String(count)),
      decode: (bytes) => Number(decoder.decode(bytes)),
    },
    ...(options.tickMs === undefined ? {} : { tickMs: options.tickMs }),
    step,
    outputs: [topics.steps, topics.totals] as unknown as readonly Topic<never, never>[],
  });
}
