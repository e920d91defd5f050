/** A processor does not begin on topics that are missing or otherwise than declared. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../processors/adapters/kafka/runtime.ts';
import { createProcessor, type RuntimeAdapters } from '../../processors/runtime/run.ts';
import { deadLetters } from '../../processors/topics.ts';
import { silent } from '../chaos/committed-reader.ts';
import { wordCount, wordTopics } from './word-count.ts';

const topics = wordTopics('words');
const right: readonly (readonly [string, number])[] = [
  ['words.word', 2],
  ['words.step', 2],
  ['words.total', 2],
  ['words.changelog', 2],
  [deadLetters.name, deadLetters.partitions],
];

const start = (found: readonly (readonly [string, number])[]) =>
  createProcessor(
    wordCount('words', topics),
    {
      partitionCounts: async () => new Map(found),
      codecs: {
        prepare: async () => {
          throw new Error('all is there');
        },
      },
      clock: systemClock,
      telemetry: silent,
    } as unknown as RuntimeAdapters,
    { application: 'test', deadLetters },
  ).run(new AbortController().signal);

describe('start', () => {
  it('goes on when every topic is as declared', async () => {
    await expect(start(right)).rejects.toThrow('all is there');
  });

  it('refuses unknown topics and wrong partition counts, all at once', async () => {
    const found = right.filter(([name]) => name !== 'words.step');
    const wrong = found.map(([name, count]) => [name, name === 'words.total' ? 3 : count] as const);
    await expect(start(wrong)).rejects.toThrow(
      /words.step does not exist and is needed with 2.*words.total has 3 partitions and is needed with 2/,
    );
  });
});
