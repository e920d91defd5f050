/** What analytics reads: committed records of our own topics, decoded. */
import type { Batch, PartitionOffset, RecordReader } from '../analytics/ports.ts';
import { decodeBatch } from '../runtime/decode.ts';
import { PipelineError, recoveryOf } from '../runtime/errors.ts';
import { beginning, type Codecs, type RecordSource } from '../runtime/ports.ts';
import type { Topic } from '../topology/topic.ts';
import type { StreamRecord } from '../topology/topology.ts';

const learnAgainMs = 500;

export function analyticsReader(options: {
  readonly source: RecordSource;
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
    ends: async (names) => {
      const partitions = names.flatMap((name) =>
        Array.from({ length: topicOf(name).partitions }, (_, partition) => ({
          topic: name,
          partition,
        })),
      );
      return await Promise.all(
        partitions.map(
          async (place): Promise<PartitionOffset> => ({
            ...place,
            offset: await source.end(place),
          }),
        ),
      );
    },
    seek: async (offsets) => {
      source.assign(
        offsets.map((place) => (place.offset === 0n ? { ...place, offset: beginning } : place)),
      );
    },
    poll: async (limit): Promise<Batch> => {
      const { records: raws, ends } = await source.poll(limit);
      const decoded = await decodeBatch(raws, topicOf, codecs, (id) => learn(codecs, id));
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

async function learn(codecs: Codecs, schemaId: number): Promise<void> {
  for (;;) {
    try {
      return await codecs.learn(schemaId);
    } catch (error) {
      if (recoveryOf(error) !== 'retry') throw error;
      await new Promise((resolve) => setTimeout(resolve, learnAgainMs));
    }
  }
}
