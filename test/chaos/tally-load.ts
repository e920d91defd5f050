/** Load with duplicates: numbered sightings of words, some said again, some to be refused. kafkajs, not our client. */
import { Kafka, logLevel } from 'kafkajs';
import {
  chance,
  integer,
  pick,
  type Random,
  seededRandom,
} from '../../connectors/simulator/random.ts';
import { partitionOf } from '../../processors/topology/partitioner.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import { type TallyTopics, tallyPartitions } from './tally.ts';
import { tallyCodecs } from './tally-codecs.ts';

const words = Array.from({ length: 40 }, (_, at) => `word-${at}`);
const batchEveryMs = 25;
const batchRecordsMax = 40;

export type TallyLoad = {
  readonly sent: () => number;
  /** Resolves when everything that was begun is in Kafka. */
  readonly stop: () => Promise<void>;
};

/** Sends until stopped. A batch whose fate is unknown is sent again: more duplicates. */
export async function startLoad(options: {
  readonly brokers: string;
  readonly topics: TallyTopics;
  readonly seed: number;
}): Promise<TallyLoad> {
  const random = seededRandom(options.seed);
  const kafka = new Kafka({
    clientId: 'tally-load',
    brokers: [options.brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 500 },
  });
  const producer = kafka.producer();
  await producer.connect();
  const inputs = [options.topics.spoken, options.topics.written];
  const next = new Map<string, number>();
  let sent = 0;
  let stopped = false;

  const sendAll = async (messages: readonly Message[]): Promise<void> => {
    for (;;) {
      try {
        await producer.sendBatch({
          topicMessages: inputs.map(({ name }) => ({
            topic: name,
            messages: messages.filter(({ topic }) => topic === name),
          })),
        });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200));
        await producer.connect().catch(() => {});
      }
    }
  };
  const sending = (async () => {
    while (!stopped) {
      const size = integer(random, 1, batchRecordsMax);
      const messages = Array.from({ length: size }, () => message(random, inputs, next));
      await sendAll(messages);
      sent += size;
      await new Promise((resolve) => setTimeout(resolve, batchEveryMs));
    }
    await producer.disconnect();
  })();
  return {
    sent: () => sent,
    stop: () => {
      stopped = true;
      return sending;
    },
  };
}

type Message = {
  readonly topic: string;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly partition: number;
};

const codecs = tallyCodecs();

function message(
  random: Random,
  inputs: readonly Topic<string, string>[],
  next: Map<string, number>,
): Message {
  const input = pick(random, inputs) as Topic<string, string>;
  const word = pick(random, words) as string;
  const place = `${input.name} ${word}`;
  const reached = next.get(place) ?? 0;
  const again = reached > 0 && chance(random, 0.3);
  const sequence = again ? integer(random, Math.max(1, reached - 5), reached) : reached + 1;
  next.set(place, Math.max(reached, sequence));
  const untyped = input as unknown as Topic<never, never>;
  const value = chance(random, 0.02) ? 'refuse' : `${sequence}`;
  return {
    topic: input.name,
    key: Buffer.from(codecs.encodeKey(untyped, word)),
    value: Buffer.from(codecs.encodeValue(untyped, value)),
    partition: partitionOf(word, tallyPartitions),
  };
}
