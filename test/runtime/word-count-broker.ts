/** A word count's topics on a real broker: made, fed and read by kafkajs, another client than the runtime's. */

import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import { avroCodecs } from '../../processors/adapters/avro/codec.ts';
import { registerSchemas, registrySchemas } from '../../processors/adapters/avro/registry.ts';
import {
  applyTopics,
  changelogSettings,
  topicSettings,
} from '../../processors/adapters/kafka/admin.ts';
import { type ReadRecord, readTopics } from '../../processors/adapters/kafka/independent-reader.ts';
import { typescript } from '../../processors/processes/node-options.ts';
import type { ProcessorStatus } from '../../processors/runtime/run.ts';
import { deadLetters } from '../../processors/topics.ts';
import { partitionOf } from '../../processors/topology/partitioner.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import { until } from '../support/until.ts';
import { wordCount, wordTopics } from './word-count.ts';
import type { WordCountSettings } from './word-count-process.ts';

type Addresses = { readonly kafkaBrokers: string; readonly registryUrl: string };

export type WordCountBroker = Awaited<ReturnType<typeof wordCountBroker>>;

/** Topics of their own for each test, so that tests do not see each other. */
export async function wordCountBroker(addresses: Addresses) {
  const prefix = `words-${randomBytes(4).toString('hex')}`;
  const topics = wordTopics(prefix);
  const topology = wordCount(prefix, topics, { tickMs: 200 });
  const refused = { ...deadLetters, name: `${prefix}.dead-letter` };
  const all = [topics.words, topics.steps, topics.totals, refused] as unknown as Topic<
    never,
    never
  >[];
  await applyTopics(addresses.kafkaBrokers, [
    ...all.map(topicSettings),
    changelogSettings(topology),
  ]);
  await registerSchemas(addresses.registryUrl, all);
  const stateDirectory = mkdtempSync(join(tmpdir(), 'stockline-state-'));
  const codecs = avroCodecs(registrySchemas(addresses.registryUrl, join(stateDirectory, 'test')));
  await codecs.prepare(all);
  const kafka = new Kafka({
    clientId: prefix,
    brokers: addresses.kafkaBrokers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer();
  await producer.connect();

  const send = async (words: readonly string[], order = 'count'): Promise<void> => {
    const words_ = topics.words as unknown as Topic<never, never>;
    await producer.send({
      topic: topics.words.name,
      messages: words.map((word) => ({
        key: Buffer.from(codecs.encodeKey(words_, word)),
        value: Buffer.from(codecs.encodeValue(words_, order)),
        partition: partitionOf(word, topics.words.partitions),
      })),
    });
  };
  /** All that is committed now in these topics. */
  const read = async (names: readonly string[]): Promise<readonly ReadRecord[]> => {
    const records: ReadRecord[] = [];
    const reader = await readTopics({
      brokers: addresses.kafkaBrokers,
      registryUrl: addresses.registryUrl,
      group: `${prefix}-reader-${randomBytes(3).toString('hex')}`,
      topics: names,
      onRecord: (record) => records.push(record),
    });
    await until(async () => (await reader.caughtUp()) || undefined);
    await reader.stop();
    return records;
  };
  return {
    prefix,
    topics,
    topology,
    refused,
    send,
    read,
    settings: {
      brokers: addresses.kafkaBrokers,
      registryUrl: addresses.registryUrl,
      stateDirectory,
      prefix,
    } satisfies WordCountSettings,
    /** The counts that were written, by word, in order: 1, 2, 3 … when nothing was lost or doubled. */
    counted: async (): Promise<ReadonlyMap<string, readonly number[]>> => {
      const counts = new Map<string, number[]>();
      for (const { key, value } of await read([topics.steps.name])) {
        counts.set(String(key), [...(counts.get(String(key)) ?? []), Number(value)]);
      }
      return counts;
    },
    close: async () => {
      await producer.disconnect();
      rmSync(stateDirectory, { recursive: true, force: true });
    },
  };
}

export type WordCountProcess = {
  readonly child: ChildProcess;
  readonly status: () => ProcessorStatus | undefined;
  /** It waits inside a transaction. */
  readonly paused: () => boolean;
  readonly failed: () => string | undefined;
  readonly ended: Promise<void>;
};

const program = fileURLToPath(new URL('./word-count-process.ts', import.meta.url));

/** Runs the word count as a process of its own. */
export function startWordCount(settings: WordCountSettings): WordCountProcess {
  const child = fork(program, [JSON.stringify(settings)], {
    execArgv: [...typescript],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let status: ProcessorStatus | undefined;
  let paused = false;
  let failed: string | undefined;
  child.on('message', (message: { status?: ProcessorStatus; paused?: true; failed?: string }) => {
    status = message.status ?? status;
    paused ||= message.paused === true;
    failed ??= message.failed;
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return { child, status: () => status, paused: () => paused, failed: () => failed, ended };
}
