/** Topics: created as the catalogue says, compared with it, never changed behind anybody's back. kafkajs, off the hot path. */
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { PipelineError } from '../../runtime/errors.ts';
import { changelogTombstonesMs } from '../../runtime/limits.ts';
import type { ForeignTopic, Topic } from '../../topology/topic.ts';
import { changelogName, type Topology } from '../../topology/topology.ts';
import { partitionCount } from '../../topology/validate.ts';

export type TopicSettings = {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
};

const forEver = '-1';
/** What a batch of one record has beside key and value: headers above all. */
const batchOverheadBytes = 100_000;

/** How one of our topics is kept. */
export function topicSettings(topic: Topic<never, never>): TopicSettings {
  const config: Record<string, string> =
    topic.cleanup === 'compact'
      ? { 'cleanup.policy': 'compact' }
      : { 'cleanup.policy': 'delete', 'retention.ms': String(topic.retentionMs ?? forEver) };
  if (topic.recordBytesMax !== undefined) {
    config['max.message.bytes'] = String(topic.recordBytesMax + batchOverheadBytes);
  }
  return { name: topic.name, partitions: topic.partitions, config };
}

/** How a processor's changelog is kept: tombstones live twice as long as a local store is trusted. */
export function changelogSettings<S>(topology: Topology<S>): TopicSettings {
  return {
    name: changelogName(topology),
    partitions: partitionCount(topology),
    config: {
      'cleanup.policy': 'compact',
      'delete.retention.ms': String(changelogTombstonesMs),
      'segment.ms': '86400000',
    },
  };
}

/**
 * How another system's topic is kept: whole, in one partition, for a month. Not compacted: a truncate has no key, and a
 * compacted topic would refuse it, which ends the connector.
 */
export function foreignSettings(topic: Pick<ForeignTopic<unknown>, 'name'>): TopicSettings {
  return {
    name: topic.name,
    partitions: 1,
    config: { 'cleanup.policy': 'delete', 'retention.ms': '2592000000' },
  };
}

/** Creates the topics that are missing. Topics that are there with other partition counts are refused, all at once. */
export async function applyTopics(
  brokers: string,
  topics: readonly TopicSettings[],
): Promise<{ readonly created: readonly string[] }> {
  return withAdmin(brokers, async (admin) => {
    const counts = await countsOf(
      admin,
      topics.map(({ name }) => name),
    );
    const wrong = topics.filter(
      ({ name, partitions }) => counts.has(name) && counts.get(name) !== partitions,
    );
    if (wrong.length > 0) {
      const sentences = wrong.map(
        ({ name, partitions }) =>
          `topic ${name} has ${counts.get(name)} partitions and must have ${partitions}: keys would move, so it is ` +
          'not changed; copy it into a new topic, or delete it',
      );
      throw new PipelineError('TOPIC_MISMATCH', 'stop', sentences.join('\n'));
    }
    const missing = topics.filter(({ name }) => !counts.has(name));
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map(({ name, partitions, config }) => ({
          topic: name,
          numPartitions: partitions,
          configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
        })),
      });
    }
    return { created: missing.map(({ name }) => name) };
  });
}

/** How many partitions each topic has; topics that do not exist are left out. */
export function partitionCounts(
  brokers: string,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  return withAdmin(brokers, (admin) => countsOf(admin, topics));
}

async function countsOf(admin: Admin, topics: readonly string[]): Promise<Map<string, number>> {
  const existing = new Set(await admin.listTopics());
  const known = [...new Set(topics)].filter((name) => existing.has(name));
  if (known.length === 0) return new Map();
  const { topics: found } = await admin.fetchTopicMetadata({ topics: known });
  return new Map(found.map(({ name, partitions }) => [name, partitions.length]));
}

async function withAdmin<T>(brokers: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  const kafka = new Kafka({
    clientId: 'stockline-admin',
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 100 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await use(admin);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    const cause = error instanceof Error ? error.message : String(error);
    throw new PipelineError(
      'KAFKA_ADMIN',
      'retry',
      `Kafka at ${brokers} does not do as asked: ${cause}`,
      { cause: error },
    );
  } finally {
    await admin.disconnect();
  }
}
