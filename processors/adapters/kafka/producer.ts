/** TransactionalProducer on node-rdkafka. Delivery is not reported per record: a failed one fails the commit. */
import rdkafka, { type LibrdKafkaError } from 'node-rdkafka';
import { PipelineError } from '../../runtime/errors.ts';
import { limits } from '../../runtime/limits.ts';
import type { OutputRecord, Telemetry, TransactionalProducer } from '../../runtime/ports.ts';
import { bufferOf } from '../../topology/buffer.ts';
import type { Header } from '../../topology/topology.ts';
import { within } from '../deadline.ts';
import { connect, disconnect } from './client.ts';
import type { KafkaSource } from './consumer.ts';
import { kafkaError } from './errors.ts';

type Done = (error: LibrdKafkaError) => void;

/** The client gives a call up by itself before, as long as it works. */
const hungMs = limits.transactionTimeoutMs + limits.socketTimeoutMs;
/**
 * Later, so that whoever waits has gone on. Without a limit a commit waits for its broker for ever, and the process for
 * the commit: Node joins the threads that it has lent before it exits.
 */
const callTimeoutMs = hungMs + 1_000;
/** Longer than this nobody waits for a producer to end: the next one with its transactional id fences it. */
const closeMs = 3_000;

export async function kafkaProducer(options: {
  readonly brokers: string;
  readonly transactionalId: string;
  /** Whose group the offsets are committed for. */
  readonly source: Pick<KafkaSource, 'client'>;
  readonly telemetry: Telemetry;
}): Promise<TransactionalProducer> {
  const client = new rdkafka.Producer(settingsOf(options), topicSettings);
  let disturbed = false;
  client.on('event.error', (error) => {
    disturbed = true;
    const { message } = kafkaError(error, 'writing');
    options.telemetry.log('debug', 'producer trouble', { error: message });
  });
  await connect(client);

  let underway: Promise<unknown> = Promise.resolve();
  const call = (doing: string, start: (done: Done) => void): Promise<void> => {
    const called = new Promise<void>((resolve, reject) => {
      start((error) => (error ? reject(kafkaError(error, doing)) : resolve()));
    });
    underway = called.catch(() => {});
    // A client that has forgotten its brokers never answers: whoever waits goes on with the next producer.
    const noAnswer = `${doing}: no answer in ${hungMs / 1_000} s`;
    return within(hungMs, called, () => {
      throw new PipelineError('NO_ANSWER', 'abort', noAnswer);
    });
  };
  return {
    init: () => call('fencing', (done) => client.initTransactions(callTimeoutMs, done)),
    begin: () => call('beginning a transaction', (done) => client.beginTransaction(done)),
    produce: recordSender(client),
    drain: async () => {
      client.poll();
      await new Promise((resolve) => setTimeout(resolve, 1));
    },
    sendOffsets: async (offsets) => {
      if (offsets.length === 0) return;
      // The client would take the group out of a consumer that is no more, and the process with it.
      const consumer = options.source.client;
      if (!consumer.isConnected()) {
        throw new PipelineError('CONSUMER_CLOSED', 'stop', 'sending offsets of a closed consumer');
      }
      const places = offsets.map(({ topic, partition, offset }) => ({
        topic,
        partition,
        offset: Number(offset),
      }));
      await call('sending offsets', (done) =>
        client.sendOffsetsToTransaction(places, consumer, callTimeoutMs, done),
      );
    },
    commit: () => call('committing', (done) => client.commitTransaction(callTimeoutMs, done)),
    abort: () => call('aborting', (done) => client.abortTransaction(callTimeoutMs, done)),
    disturbed: () => disturbed,
    close: async () => {
      // A client that is ended during a call blocks its own threads, and so the process, for ever.
      const closed = underway.then(() => disconnect(client));
      await within(closeMs, closed, () => undefined);
    },
  };
}

/** The client takes them only here: among the others they are passed over without a word. */
const topicSettings: rdkafka.ProducerTopicConfig = {
  acks: -1,
  'message.timeout.ms': limits.transactionTimeoutMs - 1_000,
  'request.timeout.ms': limits.socketTimeoutMs,
};

function settingsOf(options: {
  readonly brokers: string;
  readonly transactionalId: string;
}): rdkafka.ProducerGlobalConfig {
  return {
    'bootstrap.servers': options.brokers,
    'client.id': options.transactionalId,
    'transactional.id': options.transactionalId,
    'enable.idempotence': true,
    'transaction.timeout.ms': limits.transactionTimeoutMs,
    'socket.timeout.ms': limits.socketTimeoutMs,
    'socket.nagle.disable': true,
    // A commit flushes at once whatever this says; it only lets the records of one transaction gather.
    'linger.ms': 5,
    'message.max.bytes': limits.producedBytesMax,
    'batch.num.messages': 10_000,
    'queue.buffering.max.messages': 200_000,
    'queue.buffering.max.kbytes': 262_144,
    'retry.backoff.ms': 2,
    'reconnect.backoff.ms': 50,
    'reconnect.backoff.max.ms': 1_000,
    'max.in.flight.requests.per.connection': 5,
  } as rdkafka.ProducerGlobalConfig;
}

/** Hands records to a client. */
export function recordSender(
  client: InstanceType<typeof rdkafka.Producer>,
): (record: OutputRecord) => void {
  return (record) => {
    try {
      client.produce(
        record.topic,
        record.partition,
        bufferOrNull(record.value),
        bufferOrNull(record.key),
        record.timestampMs,
        undefined,
        headersOf(record.headers),
      );
    } catch (error) {
      throw kafkaError(error, `writing to ${record.topic}`);
    }
  };
}

const bufferOrNull = (bytes: Uint8Array | undefined): Buffer | null =>
  bytes === undefined ? null : bufferOf(bytes);

type ClientHeaders = { [name: string]: string }[] | undefined;

/** Records that one input caused share their headers, and come one after the other. */
let lastHeaders: { readonly of: readonly Header[]; readonly made: ClientHeaders } = {
  of: [],
  made: undefined,
};

function headersOf(headers: readonly Header[]): ClientHeaders {
  if (headers.length === 0) return undefined;
  if (headers !== lastHeaders.of) {
    const made = headers.map(([name, value]) => ({
      [name]: bufferOf(value).toString(),
    }));
    lastHeaders = { of: headers, made };
  }
  return lastHeaders.made;
}
