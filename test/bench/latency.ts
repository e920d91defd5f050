/** One hop: from the moment a movement should be written to the moment a committed ledger entry of it is read. */
import rdkafka from 'node-rdkafka';
import { changelogSettings, topicSettings } from '../../processors/adapters/kafka/admin.ts';
import { connect, disconnect } from '../../processors/adapters/kafka/client.ts';
import { kafkaSource } from '../../processors/adapters/kafka/consumer.ts';
import { beginning } from '../../processors/runtime/ports.ts';
import { stockTopology } from '../../processors/stock/topology.ts';
import { ledger } from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { LedgerEntry } from '../../schemas/types.ts';
import { pause, whenThereIsRoom } from './broker.ts';
import { type Contender, end, start } from './contest.ts';
import { quantile } from './figures.ts';
import { benchTopics, type Setting } from './setting.ts';
import { movementPairs } from './stock-contest.ts';
import { type Sale, sales, workloads } from './workload.ts';

export type Latency = {
  readonly contender: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
};

const stepMs = 1;
/** The broker is a cold JVM at first. */
const warmUpSeconds = 20;
const readWaitMs = 2;
const lateMs = 10_000;

export async function latencyContest(
  setting: Setting,
  contender: Contender,
  options: { readonly perSecond: number; readonly seconds: number },
): Promise<Latency> {
  const { broker } = setting;
  const changelog = changelogSettings({ ...stockTopology, name: contender.group });
  await broker.anew([...benchTopics.map(topicSettings), changelog]);
  const processes = contender.commands.map((command) => start(command));
  const source = await kafkaSource({ ...setting, group: `latency-${process.pid}` });
  const partitions = Array.from({ length: ledger.partitions }, (_, partition) => partition);
  source.assign(
    partitions.map((partition) => ({ topic: ledger.name, partition, offset: beginning })),
  );
  const producer = new rdkafka.Producer(
    { 'bootstrap.servers': setting.brokers, 'linger.ms': 0 } as rdkafka.ProducerGlobalConfig,
    {},
  );
  await connect(producer);
  const seconds = warmUpSeconds + options.seconds;
  const count = Math.ceil(seconds * options.perSecond);
  const waiting = sales(workloads.W1, { count, seed: 5 });
  const took: number[] = [];
  let seen = 0;
  const fromMs = Date.now() + 2_000;
  const dueAt = (number: number): number => fromMs + (number / options.perSecond) * 1_000;
  const send = async (): Promise<void> => {
    let sent = 0;
    while (sent < count) {
      const due: Sale[] = [];
      for (; sent < count && dueAt(sent) <= Date.now(); sent += 1) {
        const next = waiting.next();
        if (!next.done) due.push({ ...next.value, atMs: Math.floor(dueAt(sent)) - 1_500 });
      }
      for (const { topic, partition, key, value } of movementPairs(setting, due)) {
        await whenThereIsRoom(producer, () =>
          producer.produce(topic, partition, value as Buffer, key as Buffer, Date.now()),
        );
      }
      await pause(stepMs);
    }
  };
  const read = async (): Promise<void> => {
    const any = ledger as unknown as Topic<never, never>;
    const giveUpMs = dueAt(count) + lateMs;
    while (seen < count && Date.now() < giveUpMs) {
      const { records } = await source.poll({ recordsMax: 1_000, waitMs: readWaitMs });
      const nowMs = Date.now();
      for (const { value } of records) {
        if (value === undefined) continue;
        seen += 1;
        const { cause } = setting.codecs.decodeValue(any, value) as LedgerEntry;
        if (cause.committedAt >= fromMs + warmUpSeconds * 1_000) {
          took.push(nowMs - cause.committedAt);
        }
      }
    }
  };
  try {
    await Promise.all([send(), read()]);
  } finally {
    await disconnect(producer);
    await source.close();
    await Promise.all(processes.map(({ child }) => end(child)));
    await broker.removeBeginningWith(contender.group);
  }
  return {
    contender: contender.name,
    perSecond: options.perSecond,
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    max: quantile(took, 1),
    count: took.length,
  };
}
