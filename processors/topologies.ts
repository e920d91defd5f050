/** Every declared topology, by processor: what `main.ts` runs and what `apply` makes topics for. */
import { systems } from '../connectors/systems.ts';
import type { ChannelPolicy } from './channels/policy.ts';
import { channelsTopology } from './channels/topology.ts';
import { intakeTopology } from './intake/topology.ts';
import { stockTopology } from './stock/topology.ts';
import type { Topology } from './topology/topology.ts';

export type StreamProcessor = 'intake' | 'stock' | 'channels';

/** The state's type matters to the step alone. */
type AnyTopology = Topology<unknown>;

export function topologiesOf(
  processor: StreamProcessor,
  policies: readonly ChannelPolicy[],
): readonly AnyTopology[] {
  switch (processor) {
    case 'intake':
      return systems.map((mapping) => intakeTopology(mapping) as unknown as AnyTopology);
    case 'stock':
      return [stockTopology as unknown as AnyTopology];
    case 'channels':
      return [channelsTopology(policies) as unknown as AnyTopology];
  }
}
