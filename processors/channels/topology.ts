/** The channels processor: stock levels to one topic per channel policy. */
import {
  alerts,
  channelPolicies,
  channelStock,
  freshness,
  guardDecisions,
  heldLevels,
  levelChanges,
  stockLevels,
} from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import type { Guard } from './guard.ts';
import { type ChannelPolicy, heedsFreshness } from './policy.ts';
import { type ChannelsState, channelsStateCodec } from './state.ts';
import { channelsStep } from './step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

const tickMs = 500;

/** `guard` absent: everything is told at once. */
export function channelsTopology(
  policies: readonly ChannelPolicy[],
  guard?: Guard,
): Topology<ChannelsState> {
  return defineTopology({
    name: 'channels',
    inputs: anyTopics([
      ...[stockLevels, guardDecisions, channelPolicies],
      ...(heedsFreshness(policies) ? [freshness] : []),
    ]),
    state: channelsStateCodec,
    tickMs,
    step: channelsStep(policies, guard),
    outputs: anyTopics([
      ...policies.map((policy) => channelStock(policy.channel)),
      levelChanges,
      heldLevels,
      alerts,
    ]),
  });
}
