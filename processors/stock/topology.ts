/** The stock processor: the single writer of every cell of a SKU. */
import { alerts, commands, decisions, ledger, movements, stockLevels } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import { noRules, type StockRules } from './rules.ts';
import { type StockState, stockStateCodec } from './state.ts';
import { stockStepBy } from './step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

/** Expiry within a second and waits of 200 ms need a fine clock; an idle tick reads a few keys and writes nothing. */
const tickMs = 50;

export function stockTopologyBy(rules: StockRules): Topology<StockState> {
  return defineTopology({
    name: 'stock',
    inputs: anyTopics([movements, commands]),
    state: stockStateCodec,
    tickMs,
    step: stockStepBy(rules),
    outputs: anyTopics([ledger, stockLevels, decisions, alerts]),
  });
}

export const stockTopology = stockTopologyBy(noRules);
