/** Two topologies as one: one step, one transaction, two states. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joined } from '../../processors/topology/joined.ts';
import { type Emit, emit } from '../../processors/topology/topology.ts';
import {
  commit,
  crash,
  rebalance,
  record,
  redeliver,
  runTopology,
  type ScriptItem,
  tick,
} from '../support/topology-driver.ts';
import { type WordTopics, wordCount, wordTopics } from './word-count.ts';

const topics = wordTopics('first');
/** Counts how often the first one has counted a word. */
const after: WordTopics = { ...wordTopics('second'), words: topics.steps };
const tickMs = { first: 50, second: 500 };
const first = wordCount('first', topics, { tickMs: tickMs.first });
const second = wordCount('second', after, { tickMs: tickMs.second });
const both = joined({ name: 'both', state: first.state, first, second });

const word = (text: string, order = 'count'): ScriptItem => record(topics.words, text, order);

describe('joined topologies', () => {
  it('what the first one writes is worked off by the second in the same transaction', () => {
    const result = runTopology(both, [word('a'), word('b'), commit, word('a')]);
    expect(result.transactions).toBe(2);
    const valuesOf = (topic: typeof topics.steps) =>
      result.records(topic).map(({ key, value }) => [key, value]);
    const told = [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ];
    expect(valuesOf(topics.steps)).toEqual(told);
    expect(valuesOf(after.steps)).toEqual(told);
  });

  it('reads from outside what neither hands to the other', () => {
    expect(both.inputs.map(({ name }) => name)).toEqual([topics.words.name]);
    expect(both.outputs.map(({ name }) => name)).toEqual([
      ...[topics.steps.name, topics.totals.name, after.steps.name, after.totals.name],
    ]);
  });

  it('each has its own state, though the keys are the same', () => {
    const result = runTopology(both, [word('a'), word('a'), word('a', 'forget'), word('a')]);
    expect(Object.fromEntries(result.state)).toEqual({ a: 1, 'second|a': 3 });
  });

  it('each is told the time as often as it asks for it', () => {
    const ticks = Array.from({ length: 40 }, (_, index) => tick(index * tickMs.first));
    const { state } = runTopology(both, ticks);
    expect(Object.fromEntries(state)).toMatchObject({ '#ticks': 40, 'second|#ticks': 4 });
  });

  it('what the second one hears has the time and the trace of its cause', () => {
    const traced = record(topics.words, 'a', 'count', {
      timestampMs: 7,
      headers: [['traceparent', Buffer.from(`00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`)]],
    });
    const [told] = runTopology(both, [traced]).records(after.steps);
    expect(told?.timestampMs).toBe(7);
    expect(told?.headers.get('traceparent')).toContain('1'.repeat(32));
  });

  it('of several records of a key the second one knows that another follows', () => {
    const several = (text: string) => emit(topics.steps, text, '1');
    const heard: (boolean | undefined)[] = [];
    const chain = joined({
      ...{ name: 'both', state: first.state },
      first: { ...first, step: () => ['a', 'a', 'b', 'a'].map(several) },
      second: {
        ...second,
        step: (input) => {
          if (input.kind === 'record') heard.push(input.record.isFollowed);
          return [];
        },
      },
    });
    runTopology(chain, [word('a')]);
    expect(heard).toEqual([true, false, false, false]);
  });

  it('what the second one says of a tick comes after what it says of what the first one wrote then', () => {
    const done: string[] = [];
    const chain = joined({
      ...{ name: 'both', state: first.state },
      first: { ...first, step: () => [emit(topics.steps, 'a', '1')] },
      second: {
        ...second,
        step: ({ kind }) => {
          done.push(kind);
          return [emit(after.steps, 'a', kind)];
        },
      },
    });
    const told = runTopology(chain, [tick(0)]).records(after.steps);
    expect(done.slice(0, 2)).toEqual(['record', 'tick']);
    expect(told.slice(0, 2).map(({ value }) => value)).toEqual(['record', 'tick']);
  });

  it('a step may emit any number', () => {
    const many = Array.from(
      { length: 300_000 },
      (): Emit => ({ kind: 'count', metric: 'many', by: 1 }),
    );
    const chain = joined({
      ...{ name: 'both', state: first.state },
      first: { ...first, step: (input, state) => [...many, ...first.step(input, state)] },
      second: { ...second, step: () => many },
    });
    expect(runTopology(chain, [word('a')]).counts.many).toBe(600_000);
  });

  it('crashes, moves and redelivery change nothing of either', () => {
    const anywhere = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c').map((text) => word(text)) },
      { weight: 1, arbitrary: fc.constantFrom('a', 'b').map((text) => word(text, 'forget')) },
      { weight: 2, arbitrary: fc.constantFrom(commit, crash, redeliver, rebalance(0)) },
    );
    fc.assert(
      fc.property(fc.array(anywhere, { maxLength: 40 }), (script) => {
        const words = script.filter(({ kind }) => kind === 'record');
        const [smooth, rough] = [runTopology(both, words), runTopology(both, script)];
        expect(rough.state).toEqual(smooth.state);
        for (const topic of [topics.steps, after.steps]) {
          expect(rough.records(topic)).toEqual(smooth.records(topic).map(expectAnyHeaders));
        }
      }),
    );
  });

  it('topologies that have nothing to tell each other are refused', () => {
    const stranger = wordCount('stranger', wordTopics('stranger'));
    expect(() => joined({ name: 'both', state: first.state, first, second: stranger })).toThrow(
      'stranger reads nothing of what first writes',
    );
  });
});

/** Spans are new each time. */
function expectAnyHeaders<T extends object>(record: T): T {
  return { ...record, headers: expect.anything() };
}
