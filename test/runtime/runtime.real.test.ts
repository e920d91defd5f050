/** The runtime on a real broker: what the in-memory driver proves, and what only a broker can show. */
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { kafkaRuntime } from '../../processors/adapters/kafka/runtime.ts';
import type { Telemetry } from '../../processors/runtime/ports.ts';
import { createProcessor, type Processor } from '../../processors/runtime/run.ts';
import { until } from '../support/until.ts';
import {
  startWordCount,
  type WordCountBroker,
  type WordCountProcess,
  wordCountBroker,
} from './word-count-broker.ts';

let broker: WordCountBroker;
let processes: WordCountProcess[] = [];

beforeEach(async () => {
  broker = await wordCountBroker(inject('stack'));
});

afterEach(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  await Promise.all(processes.map(({ ended }) => ended));
  processes = [];
  await broker.close();
});

function start(settings: object = {}): WordCountProcess {
  const started = startWordCount({ ...broker.settings, ...settings });
  processes.push(started);
  return started;
}

type Run = {
  readonly processor: Processor;
  readonly restoredFrom: readonly string[];
  readonly stop: () => Promise<void>;
};

/** Runs the word count in this process. */
function run(): Run {
  const restoredFrom: string[] = [];
  const telemetry: Telemetry = {
    log: () => {},
    committed: () => {},
    aborted: () => {},
    restored: ({ from }) => restoredFrom.push(from),
    lag: () => {},
    rebalanced: () => {},
  };
  const processor = createProcessor(
    broker.topology,
    kafkaRuntime({ ...broker.settings, telemetry }),
    { application: 'test', deadLetters: broker.refused },
  );
  const ending = new AbortController();
  const ended = processor.run(ending.signal);
  return {
    processor,
    restoredFrom,
    stop: () => {
      ending.abort();
      return ended;
    },
  };
}

const words = Array.from({ length: 60 }, (_, at) => `w${at % 7}`);
/** What `times` rounds of `words` must have written, whatever happened meanwhile. */
const expected = (times: number): ReadonlyMap<string, readonly number[]> => {
  const counts = new Map<string, number[]>();
  for (const word of Array.from({ length: times }, () => words).flat()) {
    const known = counts.get(word) ?? [];
    counts.set(word, [...known, known.length + 1]);
  }
  return new Map([...counts].sort());
};
const counted = async () => new Map([...(await broker.counted())].sort());
const taken = (records: number) => (status: { readonly records: number } | undefined) =>
  status !== undefined && status.records >= records ? true : undefined;

describe('runtime on a real broker', () => {
  it('E1: counts words, refuses a record whole, ticks, and says how it is', async () => {
    const { processor, stop } = run();
    await broker.send(words);
    await broker.send(['w1'], 'refuse');
    await until(() => taken(words.length + 1)(processor.status()));
    await until(() => (processor.status().counts.ticks ?? 0) > 1 || undefined);
    await until(() => processor.status().lagRecords === 0 || undefined);
    expect(processor.status()).toMatchObject({ phase: 'running', deadLetters: 1, lagSeconds: 0 });
    await stop();
    expect(processor.status().phase).toBe('stopped');
    expect(await counted()).toEqual(expected(1));
    const [refused] = await broker.read([broker.refused.name]);
    expect(refused?.value).toMatchObject({ code: 'REFUSED', topic: broker.topics.words.name });
  });

  it('E1: kill -9 between the records and the commit of a transaction loses and doubles nothing', async () => {
    const dying = start({ pauseBeforeOffsetsMs: 60_000 });
    await broker.send(words);
    await until(() => dying.paused() || undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    dying.child.kill('SIGKILL');
    await dying.ended;
    expect(await broker.counted()).toEqual(new Map());

    const next = start();
    await until(() => taken(words.length)(next.status()));
    expect(await counted()).toEqual(expected(1));
  });

  it('E1: a stopped process that wakes up after its successor is fenced', async () => {
    const zombie = start({ pauseBeforeOffsetsMs: 500 });
    await broker.send(words);
    await until(() => zombie.paused() || undefined);
    zombie.child.kill('SIGSTOP');

    const successor = start({ stateDirectory: `${broker.settings.stateDirectory}/successor` });
    await until(() => taken(words.length)(successor.status()));
    zombie.child.kill('SIGCONT');
    await zombie.ended;
    expect(zombie.failed()).toMatch(/gives way|[Ff]enced/);
    await broker.send(words);
    await until(() => taken(2 * words.length)(successor.status()));
    expect(await counted()).toEqual(expected(2));
  });

  it('E1: a restart goes on from the local store, and from the changelog when that is lost or cut short', async () => {
    let rounds = 0;
    const round = async (): Promise<readonly string[]> => {
      const { processor, restoredFrom, stop } = run();
      await broker.send(words);
      await until(() => taken(words.length)(processor.status()));
      await stop();
      rounds += 1;
      return restoredFrom;
    };
    const stores = (): string[] =>
      readdirSync(broker.settings.stateDirectory)
        .filter((name) => name.startsWith(broker.prefix))
        .map((name) => join(broker.settings.stateDirectory, name));

    await round();
    expect(await round()).toEqual(['store', 'store']);
    for (const store of stores()) rmSync(store, { recursive: true });
    expect(await round()).toEqual(['changelog', 'changelog']);
    for (const store of stores()) {
      const file = join(store, 'data.mdb');
      truncateSync(file, Math.floor(statSync(file).size / 2));
    }
    expect(await round()).toEqual(['changelog', 'changelog']);
    expect(await counted()).toEqual(expected(rounds));
  });
});
