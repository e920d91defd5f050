/** The channels processor: stock levels to one topic per channel policy. */
import { channelStock, stockLevels } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import type { ChannelPolicy } from './policy.ts';
import { type ChannelsState, channelsStateCodec, channelsStep } from './step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

export function channelsTopology(policies: readonly ChannelPolicy[]): Topology<ChannelsState> {
  return defineTopology({
    name: 'channels',
    inputs: anyTopics([stockLevels]),
    state: channelsStateCodec,
    step: channelsStep(policies),
    outputs: anyTopics(policies.map((policy) => channelStock(policy.channel))),
  });
}
