/** The webhooks processor: what shops and other systems tell, as requests to the single writer. */
import { requests, webhooks } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import type { WebhookSource } from './source.ts';
import { type WebhooksState, webhooksStateCodec } from './state.ts';
import { webhooksStep } from './step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

const tickMs = 1_000;

/** Webhooks are keyed by their source: all of one come to one state, in the order in which they came. */
export function webhooksTopology(sources: readonly WebhookSource[]): Topology<WebhooksState> {
  return defineTopology({
    name: 'webhooks',
    inputs: anyTopics([webhooks]),
    state: webhooksStateCodec,
    tickMs,
    step: webhooksStep(sources),
    outputs: anyTopics([requests]),
  });
}
