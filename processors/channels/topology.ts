/** The channels processor: stock levels to one topic per channel policy. */
import { alerts, channelStock, guardDecisions, heldLevels, stockLevels } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import type { Guard } from './guard.ts';
import type { ChannelPolicy } from './policy.ts';
import { type ChannelsState, channelsStateCodec, channelsStep } from './step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

/** `guard` absent: everything is told at once. */
export function channelsTopology(
  policies: readonly ChannelPolicy[],
  guard?: Guard,
): Topology<ChannelsState> {
  return defineTopology({
    name: 'channels',
    inputs: anyTopics([stockLevels, guardDecisions]),
    state: channelsStateCodec,
    step: channelsStep(policies, guard),
    outputs: anyTopics([
      ...policies.map((policy) => channelStock(policy.channel)),
      heldLevels,
      alerts,
    ]),
  });
}
