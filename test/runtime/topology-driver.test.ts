/** The driver, and through it the runtime's own task: what commits, what comes back, what is written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commit,
  crash,
  damagedRecord,
  duplicate,
  rebalance,
  record,
  redeliver,
  runTopology,
  type ScriptItem,
  tick,
} from '../support/topology-driver.ts';
import { wordCount, wordTopics } from './word-count.ts';

const topics = wordTopics('word-count');
const topology = wordCount('word-count', topics);
const word = (text: string, order = 'count'): ScriptItem => record(topics.words, text, order);

describe('topology driver', () => {
  it('counts words', () => {
    const result = runTopology(topology, [word('a'), word('b'), commit, word('a')]);
    expect(result.records(topics.steps).map(({ key, value }) => [key, value])).toEqual([
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ]);
    expect(Object.fromEntries(result.state)).toEqual({ a: 2, b: 1 });
    expect(result.counts).toEqual({ words: 3 });
  });

  it('writes one record per key of a compacted topic and transaction, coalesced as the topic says', () => {
    const result = runTopology(topology, [word('a'), word('a'), word('a'), commit, word('a')]);
    expect(result.records(topics.totals).map(({ value }) => value)).toEqual(['0>3', '3>4']);
    expect(result.records(topics.steps)).toHaveLength(4);
  });

  it('drops what was not committed when it crashes, and takes it again', () => {
    const script = [word('a'), commit, word('a'), word('b'), crash, word('a')];
    const result = runTopology(topology, script);
    expect(Object.fromEntries(result.state)).toEqual({ a: 3, b: 1 });
    expect(result.records(topics.steps)).toHaveLength(4);
  });

  it('moves a partition to a process with an old local store, which reads the rest from the changelog', () => {
    const moves = [0, 1, 2, 3].map(rebalance);
    const script = [
      ...[word('a'), word('b'), commit, ...moves],
      ...[word('a'), word('b', 'forget'), commit, word('c'), ...moves],
      ...[word('a'), commit, ...moves, word('a')],
    ];
    const result = runTopology(topology, script);
    expect(Object.fromEntries(result.state)).toEqual({ a: 4, c: 1 });
  });

  it('deletes state, and writes a tombstone', () => {
    const result = runTopology(topology, [word('a'), commit, word('a', 'forget')]);
    expect(result.state.size).toBe(0);
    expect(result.table(topics.totals).size).toBe(0);
  });

  it('keeps a refused record whole in the dead letters, and goes on', () => {
    const result = runTopology(topology, [word('a', 'refuse'), word('a')]);
    expect(result.deadLetters).toMatchObject([
      { code: 'REFUSED', reason: 'no a', topic: 'word-count.word', offset: 0 },
    ]);
    expect(result.deadLetters[0]?.value).toBeInstanceOf(Uint8Array);
    expect(Object.fromEntries(result.state)).toEqual({ a: 1 });
  });

  it('puts bytes that it cannot read into the dead letters', () => {
    const result = runTopology(topology, [
      damagedRecord(topics.words, 'a', Uint8Array.of(1, 2, 3)),
      damagedRecord(topics.words, 'a', Uint8Array.of(0, 0, 0, 1, 0, 9)),
      word('a'),
    ]);
    expect(result.deadLetters.map(({ code, reason }) => [code, reason])).toEqual([
      ['UNDECODABLE', 'the bytes are not in the Confluent wire format'],
      ['UNDECODABLE', 'the registry has no schema 256'],
    ]);
    expect(result.deadLetters[0]?.value).toEqual(Buffer.from([1, 2, 3]));
  });

  it('stops at a step that throws, and says where', () => {
    expect(() => runTopology(topology, [word('a'), word('a', 'break')])).toThrow(
      /word-count fails at word-count.word, partition \d, offset 1, key "a": broken/,
    );
  });

  it('refuses an output that is not declared', () => {
    const silent = { ...topology, outputs: [] };
    expect(() => runTopology(silent, [word('a')])).toThrow(/word-count.step, which it does not/);
  });

  it('carries a trace and begins one where there is none', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const result = runTopology(topology, [
      record(topics.words, 'a', 'x', { headers: [['traceparent', Buffer.from(traceparent)]] }),
      word('b'),
    ]);
    const [first, second] = result
      .records(topics.steps)
      .map(({ headers }) => String(headers.get('traceparent')));
    expect(first).toMatch(/^00-a{32}-[0-9a-f]{16}-01$/);
    expect(first).not.toBe(traceparent);
    expect(second).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('D3: an output that no topic takes makes its input a dead letter, and nothing else', () => {
    const small = { ...topology, outputs: [...topology.outputs] };
    const steps = { ...topics.steps, recordBytesMax: 20 };
    const step: typeof small.step = (input, state) =>
      topology
        .step(input, state)
        .map((emit) =>
          emit.kind === 'record' && emit.topic.name === steps.name
            ? { ...emit, topic: steps as never }
            : emit,
        );
    const script = [word('a'), word('much-too-long'), word('a'), commit, word('b')];
    const result = runTopology({ ...small, step }, script);
    expect(result.records(topics.steps).map(({ key, value }) => [key, value])).toEqual([
      ['a', '1'],
      ['a', '2'],
      ['b', '1'],
    ]);
    expect(Object.fromEntries(result.state)).toEqual({ a: 2, b: 1 });
    expect(result.deadLetters).toMatchObject([{ code: 'OUTPUT_TOO_LARGE', offset: 1 }]);
    expect(result.deadLetters[0]?.value).toBeInstanceOf(Uint8Array);
  });

  it('E1: commits, crashes, rebalances and redelivery anywhere change neither state nor outputs', () => {
    const input = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'd').map((text) => word(text)) },
      { weight: 1, arbitrary: fc.constantFrom('a', 'b').map((text) => word(text, 'forget')) },
      { weight: 1, arbitrary: fc.constant(word('c', 'refuse')) },
      { weight: 1, arbitrary: fc.constant(duplicate) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 99 }).map(tick) },
    );
    const fault = fc.oneof(
      fc.constantFrom(commit, crash, redeliver),
      fc.nat({ max: 7 }).map(rebalance),
    );
    const scripts = fc.array(fc.tuple(input, fc.array(fault, { maxLength: 3 })), { maxLength: 30 });
    fc.assert(
      fc.property(scripts, (script) => {
        const plain = runTopology(
          topology,
          script.map(([item]) => item),
        );
        const disturbed = runTopology(
          topology,
          script.flatMap(([item, faults]) => [item, ...faults]),
        );
        const seen = (result: typeof plain) => ({
          state: new Map([...result.state].sort()),
          steps: byPartition(result.records(topics.steps)),
          totals: [...result.table(topics.totals)]
            .map(([key, value]) => [key, value.split('>')[1]])
            .sort(),
          refused: byPartition(result.deadLetters).length,
          counts: result.counts,
        });
        expect(seen(disturbed)).toEqual(seen(plain));
      }),
      { numRuns: Number(process.env.STOCKLINE_SCRIPTS ?? 300) },
    );
  });
});

/** Order holds within a partition. Traces differ: a span is not part of what is promised. */
function byPartition(records: readonly { readonly partition: number }[]) {
  return [...records]
    .map((one) => ({ ...one, headers: undefined }))
    .sort((one, other) => one.partition - other.partition);
}
