/** What both clients of node-rdkafka have in common, as promises. */
import type rdkafka from 'node-rdkafka';
import { PipelineError } from '../../runtime/errors.ts';
import { limits } from '../../runtime/limits.ts';
import { within } from '../deadline.ts';
import { kafkaError } from './errors.ts';

const disconnectMs = 3_000;

export type KafkaConsumerClient = InstanceType<typeof rdkafka.KafkaConsumer>;
export type Place = { readonly topic: string; readonly partition: number };
/** The offset of the first record that is kept, and the one behind the last. */
export type Bounds = { readonly first: bigint; readonly end: bigint };

export function boundsOf(
  client: KafkaConsumerClient,
  { topic, partition }: Place,
  timeoutMs: number,
): Promise<Bounds> {
  return new Promise((resolve, reject) => {
    client.queryWatermarkOffsets(topic, partition, timeoutMs, (error, offsets) => {
      if (error) reject(kafkaError(error, `asking for the bounds of ${topic}`));
      else resolve({ first: BigInt(offsets.lowOffset), end: BigInt(offsets.highOffset) });
    });
  });
}

/** The time that stands for "the latest" in Kafka's ListOffsets. */
const latest = -1;

/** Behind the last committed record of each, in their order. */
export function latestOffsets(
  client: KafkaConsumerClient,
  places: readonly Place[],
  timeoutMs: number,
): Promise<readonly bigint[]> {
  return new Promise((resolve, reject) => {
    const asked = places.map(({ topic, partition }) => ({ topic, partition, offset: latest }));
    client.offsetsForTimes(asked, timeoutMs, (error, found) => {
      if (error) return reject(kafkaError(error, 'asking for the ends of topics'));
      const offsets = new Map(found.map((one) => [`${one.topic} ${one.partition}`, one.offset]));
      const ends = places.map(({ topic, partition }) => offsets.get(`${topic} ${partition}`) ?? -1);
      if (ends.every((end) => end >= 0)) return resolve(ends.map(BigInt));
      reject(new PipelineError('ENDS_NOT_KNOWN', 'retry', 'a partition has no leader just now'));
    });
  });
}

type Connectable = {
  connect(options: { readonly timeout: number }, done: (error: unknown) => void): unknown;
  disconnect(done: () => void): unknown;
};

/** Connects a client; a broker that is not there yet is a reason to try again. */
export function connect(client: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    (client as Connectable).connect({ timeout: limits.socketTimeoutMs }, (error) => {
      if (error) reject(kafkaError(error, 'connecting to Kafka'));
      else resolve();
    });
  });
}

/** Never fails and never hangs: what is left of a client dies with its transactional id's next producer. */
export function disconnect(client: unknown): Promise<void> {
  const disconnected = new Promise<void>((resolve) => {
    (client as Connectable).disconnect(() => resolve());
  });
  return within(disconnectMs, disconnected, () => undefined);
}
