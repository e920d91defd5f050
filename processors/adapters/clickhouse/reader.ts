/** What analytics reads: committed records of our own topics, decoded. */
import type { Batch, PartitionBounds, RecordReader } from '../../analytics/ports.ts';
import { decodeBatch } from '../../runtime/decode.ts';
import { PipelineError, recoveryOf } from '../../runtime/errors.ts';
import type { Codecs } from '../../runtime/ports.ts';
import type { Topic } from '../../topology/topic.ts';
import type { StreamRecord } from '../../topology/topology.ts';
import type { Place } from '../kafka/client.ts';
import type { KafkaSource } from '../kafka/consumer.ts';

const againMs = 500;

export function analyticsReader(options: {
  readonly source: KafkaSource;
  readonly codecs: Codecs;
  readonly topics: readonly Topic<never, never>[];
}): RecordReader {
  const { source, codecs } = options;
  const byName = new Map(options.topics.map((topic) => [topic.name, topic]));
  const topicOf = (name: string): Topic<never, never> => {
    const topic = byName.get(name);
    if (topic === undefined) throw new Error(`analytics does not know the topic ${name}`);
    return topic;
  };
  return {
    bounds: async (names) => {
      const partitions = names.flatMap((topic) =>
        Array.from({ length: topicOf(topic).partitions }, (_, partition) => ({ topic, partition })),
      );
      const boundsOf = async (place: Place): Promise<PartitionBounds> => ({
        ...place,
        ...(await source.bounds(place)),
      });
      return await Promise.all(partitions.map((place) => patiently(() => boundsOf(place))));
    },
    seek: async (offsets) => source.assign(offsets),
    poll: async (limit): Promise<Batch> => {
      const { records: raws, ends } = await source.poll(limit);
      const decoded = await decodeBatch(raws, topicOf, codecs, (id) =>
        patiently(() => codecs.learn(id)),
      );
      const records = decoded.map(({ raw, input }): StreamRecord => {
        if ('kind' in input) return input.record;
        throw new PipelineError(
          'ANALYTICS_RECORD_UNREADABLE',
          'stop',
          `offset ${raw.offset} of ${raw.topic}-${raw.partition} is not one of Stockline's records: ${input.reason}. ` +
            'Something else writes to this topic; analytics does not skip it silently.',
        );
      });
      return { records, ends };
    },
  };
}

/** Again and again while the failure is one that passes by itself. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (recoveryOf(error) !== 'retry') throw error;
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  }
}
