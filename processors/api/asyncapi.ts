/** AsyncAPI 3 for the topics, from the catalogue that also makes them. */
import { channelStock, inventoryTopics } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';

type AnyTopic = Topic<never, never>;

/** `schemaOf` gives the Avro schema of a name; `channels` are those of the policies. */
export function asyncApi(
  channels: readonly string[],
  schemaOf: (name: string) => unknown,
): Readonly<Record<string, unknown>> {
  const topics = [
    ...inventoryTopics,
    ...channels.map(channelStock),
  ] as unknown as readonly AnyTopic[];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Stockline topics',
      version: '1.0.0',
      description:
        'Records in the Confluent wire format, TopicNameStrategy, FULL_TRANSITIVE. Partition: murmur2 of the key named here.',
    },
    defaultContentType: 'application/vnd.apache.avro',
    channels: Object.fromEntries(topics.map((topic) => [topic.name, channelOf(topic)])),
    operations: Object.fromEntries(
      topics.map((topic) => [
        `read ${topic.name}`,
        { action: 'receive', channel: { $ref: `#/channels/${topic.name}` } },
      ]),
    ),
    components: {
      schemas: Object.fromEntries(
        [...new Set(topics.flatMap(({ key, value }) => [key.schema, value.schema]))]
          .sort()
          .map((name) => [
            name,
            {
              schemaFormat: 'application/vnd.apache.avro;version=1.9.0',
              schema: schemaOf(name),
            },
          ]),
      ),
    },
  };
}

function channelOf({ name, key, value, partitions, cleanup, retentionMs }: AnyTopic) {
  const configuration = {
    'cleanup.policy': [cleanup],
    ...(retentionMs === undefined ? {} : { 'retention.ms': retentionMs }),
  };
  return {
    address: name,
    messages: {
      record: {
        payload: { $ref: `#/components/schemas/${value.schema}` },
        bindings: {
          kafka: {
            key: { $ref: `#/components/schemas/${key.schema}` },
            schemaIdLocation: 'payload',
            schemaIdPayloadEncoding: 'confluent',
            schemaLookupStrategy: 'TopicNameStrategy',
            bindingVersion: '0.5.0',
          },
        },
      },
    },
    bindings: {
      kafka: {
        topic: name,
        partitions,
        topicConfiguration: configuration,
        bindingVersion: '0.5.0',
      },
    },
  };
}
