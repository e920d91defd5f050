/** Topics and schemas as the catalogue says. Safe to repeat. */
import { systems } from '../../connectors/systems.ts';
import { registerSchemas } from '../adapters/avro-registry.ts';
import {
  applyTopics,
  changelogSettings,
  foreignSettings,
  topicSettings,
} from '../adapters/kafka-admin.ts';
import type { ChannelPolicy } from '../channels/policy.ts';
import { sourceTopics } from '../intake/topology.ts';
import { channelStock, inventoryTopics } from '../topics.ts';
import { topologiesOf } from '../topologies.ts';
import type { Topic } from '../topology/topic.ts';

export async function applyTopicsAndSchemas(options: {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly policies: readonly ChannelPolicy[];
  readonly report: (line: string) => void;
}): Promise<void> {
  const { brokers, policies, report } = options;
  const own = [
    ...inventoryTopics,
    ...policies.map((policy) => channelStock(policy.channel)),
  ] as unknown as readonly Topic<never, never>[];
  const topologies = (['intake', 'stock', 'channels'] as const).flatMap((processor) =>
    topologiesOf(processor, policies),
  );
  const { created } = await applyTopics(brokers, [
    ...systems.flatMap((mapping) => sourceTopics(mapping).map((name) => foreignSettings({ name }))),
    ...own.map(topicSettings),
    ...topologies.map(changelogSettings),
  ]);
  report(created.length === 0 ? 'topics: as they should be' : `topics: ${created.length} created`);
  await registerSchemas(options.registryUrl, own);
  report('schemas: registered');
}
