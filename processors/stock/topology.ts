/** The stock processor: the single writer of every cell of a SKU. */
import { alerts, ledger, movements, stockLevels } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology } from '../topology/topology.ts';
import { stockStateCodec } from './state.ts';
import { stockStep } from './step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

export const stockTopology = defineTopology({
  name: 'stock',
  inputs: anyTopics([movements]),
  state: stockStateCodec,
  step: stockStep,
  outputs: anyTopics([ledger, stockLevels, alerts]),
});
