/** Every declared topology, by processor: what `main.ts` runs and what `apply` makes topics for. */
import { systems } from '../connectors/systems.ts';
import { cellAnomaliesTopology, placeAnomaliesTopology } from './anomalies/topology.ts';
import { auditTopology } from './audit/topology.ts';
import type { Bundles } from './carts/bundles.ts';
import { cartsTopology } from './carts/topology.ts';
import type { Guard } from './channels/guard.ts';
import type { ChannelPolicy } from './channels/policy.ts';
import { type ChannelsState, channelsWords } from './channels/state.ts';
import { channelsTopology } from './channels/topology.ts';
import type { StreamProcessor } from './config.ts';
import { intakeTopology } from './intake/topology.ts';
import type { StockRules } from './stock/rules.ts';
import { type StockState, stockWords } from './stock/state.ts';
import { stockTopologyBy } from './stock/topology.ts';
import { joined } from './topology/joined.ts';
import { packedCodec } from './topology/packed.ts';
import type { Topology } from './topology/topology.ts';
import type { WebhookSource } from './webhooks/source.ts';
import { webhooksTopology } from './webhooks/topology.ts';

/** What an installation says of its stock and its bundles. */
export type Rules = {
  readonly stock: StockRules;
  readonly bundles: Bundles;
  /** Of the channels; absent: everything is told at once. */
  readonly guard?: Guard;
  /** Whose webhooks are taken; absent: nobody's. */
  readonly webhookSources?: readonly WebhookSource[];
};

/** The state's type matters to the step alone. */
type AnyTopology = Topology<unknown>;

export function topologiesOf(
  processor: StreamProcessor,
  policies: readonly ChannelPolicy[],
  rules: Rules,
): readonly AnyTopology[] {
  switch (processor) {
    case 'intake':
      return systems.map((mapping) => intakeTopology(mapping) as unknown as AnyTopology);
    case 'stock':
      return [stockWithChannels(policies, rules) as unknown as AnyTopology];
    case 'carts':
      return [cartsTopology(rules.bundles) as unknown as AnyTopology];
    case 'audit':
      return [auditTopology() as unknown as AnyTopology];
    case 'webhooks':
      return [webhooksTopology(rules.webhookSources ?? []) as unknown as AnyTopology];
    case 'anomalies':
      return [cellAnomaliesTopology(), placeAnomaliesTopology()] as unknown as AnyTopology[];
  }
}

/** A level and what the channels make of it are in one transaction: nobody ever sees the one without the other. */
export function stockWithChannels(
  policies: readonly ChannelPolicy[],
  { stock, guard }: Pick<Rules, 'stock' | 'guard'>,
): Topology<StockState | ChannelsState> {
  return joined({
    name: 'stock',
    // Version 4 gave back other texts than it was given: refused.
    state: packedCodec({ version: 5, words: [...channelsWords, ...stockWords] }),
    first: stockTopologyBy(stock),
    second: channelsTopology(policies, guard),
  });
}
