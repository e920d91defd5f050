/** What is wrong with a declaration is said before anything starts. */
import { describe, expect, it } from 'vitest';
import type { ForeignTopic, Topic } from '../../processors/topology/topic.ts';
import { topologyFaults } from '../../processors/topology/validate.ts';
import { wordCount, wordTopics } from './word-count.ts';

const topics = wordTopics('word-count');
const right = wordCount('word-count', topics);
const words = right.inputs[0] as Topic<never, never>;
const foreign: ForeignTopic<unknown> = { name: 'erp.public.x', foreign: true, parse: (x) => x };

describe('topology validation', () => {
  it('finds nothing wrong with a right one', () => {
    expect(topologyFaults(right)).toEqual([]);
    const single = { ...words, partitions: 1 };
    expect(topologyFaults({ ...right, inputs: [foreign, single] })).toEqual([]);
  });

  it.each([
    ['no input', { inputs: [] }, /has no input/],
    ['an input twice', { inputs: [words, words] }, /declared twice/],
    ['counts that differ', { inputs: [words, { ...words, name: 'x', partitions: 3 }] }, /3 part/],
    ['partitions beside foreign', { inputs: [foreign, words] }, /must have one partition/],
    ['an output twice', { outputs: [topics.steps, topics.steps] }, /declared twice/],
    [
      'its changelog',
      { outputs: [{ ...topics.steps, name: 'word-count.changelog' }] },
      /changelog/,
    ],
    ['coalesced history', { outputs: [{ ...topics.totals, cleanup: 'delete' }] }, /keeps every/],
    ['a version', { state: { ...right.state, version: 0 } }, /version of its state/],
    ['a name', { name: 'Word Count' }, /lower-case/],
    ['a tick', { tickMs: 0 }, /tickMs/],
    ['a long rest', { gatherMs: 60_000 }, /gatherMs/],
  ])('refuses %s', (_, change, sentence) => {
    const faults = topologyFaults({ ...right, ...(change as object) });
    expect(faults.join('\n')).toMatch(sentence);
  });
});
