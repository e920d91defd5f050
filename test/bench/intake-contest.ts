/** Intake over Debezium's raw bytes: how many changes a second, and what a change costs that comes again. */
import { fileURLToPath } from 'node:url';
import { posMapping } from '../../connectors/pos/mapping.ts';
import {
  changelogSettings,
  foreignSettings,
  topicSettings,
} from '../../processors/adapters/kafka/admin.ts';
import { intakeTopology } from '../../processors/intake/topology.ts';
import { processorOptions } from '../../processors/processes/node-options.ts';
import { isForeign } from '../../processors/topology/validate.ts';
import type { PlacedPair } from './broker.ts';
import { intakeFaults } from './check.ts';
import { contest, type Run } from './contest.ts';
import { debeziumLoad, debeziumSchemas, type RawPair } from './debezium-load.ts';
import type { ProcessorSettings } from './processor-process.ts';
import { benchTopics, type Setting } from './setting.ts';

export type IntakeRun = Run & {
  readonly changes: number;
  readonly changesPerSecond: number;
  readonly cpuMicrosPerChange: number;
  readonly faults: readonly string[];
};

const program = fileURLToPath(new URL('./processor-process.ts', import.meta.url));
/** So many receipts come again together, as when a connector begins again from an older offset. */
const burst = 500;

/** `repeats`: how often each burst of receipts comes; 10 makes 90 % of the changes duplicates. */
export async function intakeContest(
  setting: Setting,
  options: { readonly receipts: number; readonly repeats: number; readonly id: string },
): Promise<IntakeRun> {
  const { broker } = setting;
  const topology = { ...intakeTopology(posMapping), name: options.id };
  const inputs = topology.inputs.filter(isForeign).map(({ name }) => name);
  await broker.anew([
    ...inputs.map((name) => foreignSettings({ name })),
    ...benchTopics.map(topicSettings),
    changelogSettings(topology),
  ]);
  const ids = await registered(setting.registryUrl, debeziumSchemas());
  const load = debeziumLoad(7, (subject) => ids.get(subject) ?? 0);
  let changes = 0;
  const placed = function* (): Generator<PlacedPair> {
    for (const pair of load.lookups()) yield inOnePartition(pair);
    for (let first = 0; first < options.receipts; first += burst) {
      const before = load.changes();
      const records = [...load.receipts(Math.min(burst, options.receipts - first))];
      for (let time = 0; time < options.repeats; time += 1) {
        changes += load.changes() - before;
        for (const pair of records) yield inOnePartition(pair);
      }
    }
  };
  const records = await broker.pour(placed());
  const settings: ProcessorSettings = {
    brokers: setting.brokers,
    registryUrl: setting.registryUrl,
    stateDirectory: setting.folder(options.id),
    processor: 'intake',
    name: options.id,
    guarantee: 'exactlyOnce',
    group: 0,
    groups: 1,
  };
  const run = await contest(
    {
      name: options.id,
      group: options.id,
      commands: [['node', ...processorOptions, program, JSON.stringify(settings)]],
    },
    { topics: inputs, brokerPid: setting.brokerPid },
    broker,
  );
  const faults = await intakeFaults(load.sold, setting);
  await broker.remove([...inputs, changelogSettings(topology).name]);
  await broker.removeGroup(options.id);
  const share = changes / records;
  return {
    ...run,
    changes,
    changesPerSecond: run.perSecond * share,
    cpuMicrosPerChange: run.cpuMicrosPerEvent / share,
    faults,
  };
}

/** Registers schemas as a connector does; returns their ids. */
async function registered(
  registryUrl: string,
  schemas: ReadonlyMap<string, unknown>,
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const [subject, schema] of schemas) {
    const answer = await fetch(`${registryUrl}/subjects/${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: JSON.stringify(schema) }),
    });
    if (!answer.ok) throw new Error(`${subject}: ${answer.status} ${await answer.text()}`);
    ids.set(subject, ((await answer.json()) as { readonly id: number }).id);
  }
  return ids;
}

function inOnePartition(pair: RawPair): PlacedPair {
  return { ...pair, partition: 0, timestampMs: Date.now() };
}
