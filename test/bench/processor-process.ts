/** One of our processors as a contender: `ProcessorSettings` as JSON in argv[2]. */
import { posMapping } from '../../connectors/pos/mapping.ts';
import { kafkaRuntime } from '../../processors/adapters/kafka/runtime.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import { intakeTopology } from '../../processors/intake/topology.ts';
import { createProcessor } from '../../processors/runtime/run.ts';
import { stockTopology } from '../../processors/stock/topology.ts';
import { deadLetters } from '../../processors/topics.ts';
import type { Topology } from '../../processors/topology/topology.ts';
import { atLeastOnce } from './at-least-once.ts';

export type ProcessorSettings = {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly stateDirectory: string;
  readonly processor: 'stock' | 'intake';
  /** The consumer group and the changelog are named after it. */
  readonly name: string;
  readonly guarantee: 'exactlyOnce' | 'atLeastOnce';
  readonly group: number;
  readonly groups: number;
};

const settings = JSON.parse(String(process.argv[2])) as ProcessorSettings;
const telemetry = processTelemetry({ logLevel: 'error' });
const world = kafkaRuntime({ ...settings, telemetry: telemetry.of(settings.name) });
const adapters = settings.guarantee === 'atLeastOnce' ? atLeastOnce(world, settings) : world;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

async function run<S>(topology: Topology<S>): Promise<void> {
  const { name, group, groups } = settings;
  const processor = createProcessor({ ...topology, name }, adapters, {
    application: 'bench',
    deadLetters,
    assignment: { group, groups },
  });
  await processor.run(stop.signal);
}

if (settings.processor === 'stock') await run(stockTopology);
else await run(intakeTopology(posMapping));
