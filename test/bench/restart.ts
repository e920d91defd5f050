/** How soon a stock processor that was killed writes again: with its local store, and from the changelog alone. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { changelogSettings, topicSettings } from '../../processors/adapters/kafka/admin.ts';
import { processorOptions } from '../../processors/processes/node-options.ts';
import { stockTopology } from '../../processors/stock/topology.ts';
import { movements } from '../../processors/topics.ts';
import { pause } from './broker.ts';
import { end, peakBytes, start } from './contest.ts';
import type { ProcessorSettings } from './processor-process.ts';
import { benchTopics, type Setting } from './setting.ts';
import { folderBytes, movementPairs } from './stock-contest.ts';
import { everyCell, type Sale, sales } from './workload.ts';

export type RestartResult = {
  readonly cells: number;
  /** From the start of the process to the first committed output. */
  readonly withStoreMs: number;
  readonly withoutStoreMs: number;
  readonly restoredPerSecond: number;
  readonly storeBytesPerCell: number;
  readonly peakBytesPerCell: number;
  readonly peakBytes: number;
  readonly eventsPerSecond: number;
};

const program = fileURLToPath(new URL('./processor-process.ts', import.meta.url));
/** A restart is measured by this; asked so often, the broker has less for a long run. */
const restartPollMs = 10;
const runPollMs = 250;
const tellEveryMs = 15_000;
/** Long enough for the store to be written and for the place from which a restart replays to move on. */
const inServiceMs = 6_000;

export async function restartContest(
  setting: Setting,
  options: { readonly cells: number; readonly id: string },
): Promise<RestartResult> {
  const { broker, report } = setting;
  const { cells, id } = options;
  const changelog = changelogSettings({ ...stockTopology, name: id });
  await broker.anew([...benchTopics.map(topicSettings), changelog]);
  const workload = everyCell(cells);
  report(`writing ${cells} movements`);
  let poured = await broker.pour(
    movementPairs(setting, sales(workload, { count: cells, seed: 3, each: true })),
  );
  const stateDirectory = setting.folder(id);
  const settings: ProcessorSettings = {
    brokers: setting.brokers,
    registryUrl: setting.registryUrl,
    stateDirectory,
    processor: 'stock',
    name: id,
    guarantee: 'exactlyOnce',
    group: 0,
    groups: 1,
  };
  const command = ['node', ...processorOptions, program, JSON.stringify(settings)];
  /** Starts it and waits until everything that was poured is committed. */
  const work = async (what: string, pollMs: number) => {
    report(what);
    const startedMs = performance.now();
    const begun = start(command);
    const workedMs = (): number => performance.now() - startedMs;
    let toldMs = 0;
    for (;;) {
      const done = await broker.committed(id, [movements.name]);
      if (done >= poured) return { child: begun.child, ms: workedMs() };
      begun.ended();
      if (workedMs() - toldMs > tellEveryMs) {
        toldMs = workedMs();
        report(`  ${done} of ${poured} after ${Math.round(toldMs / 1_000)} s`);
      }
      await pause(pollMs);
    }
  };
  const oneMore = async (): Promise<void> => {
    const [sale] = [...sales(workload, { count: 1, seed: poured })] as [Sale];
    poured += await broker.pour(movementPairs(setting, [{ ...sale, number: poured }]));
  };
  const first = await work('all of them, from nothing', runPollMs);
  // A processor in service has moved its replay place on before it dies.
  await pause(inServiceMs);
  await oneMore();
  await pause(inServiceMs);
  const peak = peakBytes(first.child.pid);
  await end(first.child, 'SIGKILL');
  const storeBytes = folderBytes(stateDirectory);
  await oneMore();
  const second = await work('killed; again, with the local store', restartPollMs);
  await end(second.child, 'SIGKILL');
  rmSync(stateDirectory, { recursive: true, force: true });
  await oneMore();
  const changes = await broker.ends([changelog.name]);
  const third = await work('killed; again, without the local store', restartPollMs);
  await end(third.child);
  await broker.remove([changelog.name]);
  await broker.removeGroup(id);
  return {
    cells,
    withStoreMs: second.ms,
    withoutStoreMs: third.ms,
    restoredPerSecond: (changes / third.ms) * 1_000,
    storeBytesPerCell: storeBytes / cells,
    peakBytesPerCell: peak / cells,
    peakBytes: peak,
    eventsPerSecond: (cells / first.ms) * 1_000,
  };
}
