/** RecordSource on node-rdkafka: manual assignment, committed records only, short waits without a busy loop. */
import rdkafka, { type LibrdKafkaError, type Message } from 'node-rdkafka';
import { PipelineError, recoveryOf } from '../../runtime/errors.ts';
import { limits } from '../../runtime/limits.ts';
import type { PartitionOffset, RawRecord, RecordSource, Telemetry } from '../../runtime/ports.ts';
import type { Header } from '../../topology/topology.ts';
import {
  type Bounds,
  boundsOf,
  connect,
  type KafkaConsumerClient,
  latestOffsets,
  type Place,
} from './client.ts';
import { kafkaError } from './errors.ts';
import { replaceable } from './replacement.ts';

export type KafkaSource = RecordSource & {
  /** The producer needs it to commit offsets in a transaction. Another one after it was replaced. */
  readonly client: KafkaConsumerClient;
  /** What of a partition is kept. */
  readonly bounds: (place: Place) => Promise<Bounds>;
};

const requestTimeoutMs = limits.socketTimeoutMs;
/** The client takes them only here: among the others they are passed over without a word. */
const topicSettings: rdkafka.ConsumerTopicConfig = { 'auto.offset.reset': 'error' };
/** How long an empty fetch stays at the broker. */
const promptWaitMs = 100;
const gatheredWaitMs = 250;
const gatheredBytes = 65_536;
const noHeaders: readonly Header[] = [];

/** Connects a consumer for `group`. The group only keeps offsets: partitions are assigned by the runtime. */
export async function kafkaSource(options: {
  readonly brokers: string;
  readonly group: string;
  /** Present: records may wait so long at the broker, and come many at a time; else each comes at once. */
  readonly gatherMs?: number;
  readonly telemetry: Telemetry;
}): Promise<KafkaSource> {
  let fatal: PipelineError | undefined;
  // Events of the batch are collected here: they are emitted while the batch is handed over.
  let ends: PartitionOffset[] = [];
  const open = async (): Promise<KafkaConsumerClient> => {
    const opened = new rdkafka.KafkaConsumer(settingsOf(options), topicSettings);
    opened.on('event.error', (error) => {
      const known = kafkaError(error, 'reading');
      if (error.isFatal === true) fatal = known;
      options.telemetry.log('debug', 'consumer trouble', { error: known.message });
    });
    opened.on('partition.eof', ({ topic, partition, offset }) => {
      ends.push({ topic, partition, offset: BigInt(offset) });
    });
    await connect(opened);
    return opened;
  };
  const held = replaceable(await open(), open, options.telemetry);
  const bounds = (place: Place): Promise<Bounds> =>
    held.ask((client) => boundsOf(client, place, requestTimeoutMs));

  return {
    get client() {
      return held.client();
    },
    assign: (places) => {
      ends = [];
      held.assign(places);
    },
    poll: async ({ recordsMax, waitMs }) => {
      if (fatal !== undefined) throw fatal;
      held.listen();
      const client = held.client();
      ends = [];
      // The client's timeout is per record: so one record is waited for, and the rest only taken.
      const first = waitMs === 0 ? [] : await consume(client, 1, waitMs);
      const isQuiet = waitMs > 0 && first.length === 0;
      const rest = isQuiet ? [] : await consume(client, recordsMax - first.length, 0);
      const records = [...first, ...rest].map(rawRecord);
      held.heard({ records, ends, isAll: records.length < recordsMax });
      return { records, ends };
    },
    committed: (partitions) => held.ask((client) => committedOffsets(client, partitions)),
    ends: (places) => held.ask((client) => latestOffsets(client, places, requestTimeoutMs)),
    end: async (place) => (await bounds(place)).end,
    bounds,
    knownEnd: ({ topic, partition }) => {
      try {
        const { highOffset } = held.client().getWatermarkOffsets(topic, partition);
        return highOffset >= 0 ? BigInt(highOffset) : undefined;
      } catch {
        return undefined;
      }
    },
    close: () => held.close(),
  };
}

function consume(
  client: KafkaConsumerClient,
  count: number,
  waitMs: number,
): Promise<readonly Message[]> {
  return new Promise((resolve, reject) => {
    client.setDefaultConsumeTimeout(waitMs);
    client.consume(count, (error: LibrdKafkaError | null, messages) => {
      if (error === null || error === undefined) return resolve(messages);
      const known = kafkaError(error, 'reading');
      // The client goes on by itself with what passes. Where it does not, because a place is gone or was not found at
      // the first attempt, it has given the partition up: that is found out as it is when the error does not get here.
      if (recoveryOf(known) === 'retry' || known.code === 'OFFSET_GONE') resolve([]);
      else reject(known);
    });
  });
}

function settingsOf(options: {
  readonly brokers: string;
  readonly group: string;
  readonly gatherMs?: number;
}): rdkafka.ConsumerGlobalConfig {
  const { gatherMs } = options;
  return {
    'bootstrap.servers': options.brokers,
    'client.id': options.group,
    'group.id': options.group,
    'isolation.level': 'read_committed',
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'enable.partition.eof': true,
    'allow.auto.create.topics': false,
    'fetch.wait.max.ms': Math.min(gatherMs ?? promptWaitMs, gatheredWaitMs),
    'fetch.min.bytes': gatherMs === undefined ? 1 : gatheredBytes,
    'fetch.queue.backoff.ms': 2,
    'fetch.error.backoff.ms': 50,
    'queued.min.messages': 20_000,
    'queued.max.messages.kbytes': 65_536,
    'retry.backoff.ms': 2,
    'reconnect.backoff.ms': 50,
    'reconnect.backoff.max.ms': 1_000,
    'socket.timeout.ms': limits.socketTimeoutMs,
    'socket.nagle.disable': true,
    'topic.metadata.refresh.interval.ms': 60_000,
  } as rdkafka.ConsumerGlobalConfig;
}

function rawRecord(message: Message): RawRecord {
  return {
    topic: message.topic,
    partition: message.partition,
    offset: BigInt(message.offset),
    timestampMs: message.timestamp ?? 0,
    key: (message.key as Buffer | null | undefined) ?? undefined,
    value: message.value ?? undefined,
    headers: message.headers === undefined ? noHeaders : message.headers.flatMap(headersOf),
  };
}

/** The client has an object per header, of one property. */
function headersOf(header: Record<string, unknown>): readonly Header[] {
  return Object.entries(header).map(([name, value]) => [name, value as Buffer]);
}

function committedOffsets(
  client: KafkaConsumerClient,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): Promise<readonly PartitionOffset[]> {
  return new Promise((resolve, reject) => {
    client.committed([...partitions], requestTimeoutMs, (error, found) => {
      if (error) return reject(kafkaError(error, 'asking for committed offsets'));
      const broken = (found as readonly unknown[]).find((one) => one instanceof Error);
      if (broken !== undefined) {
        const cause = String(broken);
        return reject(
          new PipelineError('OFFSETS_NOT_READ', 'retry', `committed offsets: ${cause}`),
        );
      }
      resolve(
        found
          .filter(({ offset }) => typeof offset === 'number' && offset >= 0)
          .map(({ topic, partition, offset }) => ({ topic, partition, offset: BigInt(offset) })),
      );
    });
  });
}
