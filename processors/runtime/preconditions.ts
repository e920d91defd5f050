/** What must hold before a processor begins: its topics are there as declared, and its schemas are registered. */
import type { Topic } from '../topology/topic.ts';
import { changelogName, type Topology } from '../topology/topology.ts';
import { isForeign, partitionCount } from '../topology/validate.ts';
import { stop } from './errors.ts';
import { patiently } from './patience.ts';
import type { RunOptions, RuntimeAdapters } from './run.ts';
import type { ProcessorStatistics } from './statistics.ts';

type Context = { readonly signal: AbortSignal; readonly statistics: ProcessorStatistics };

/** Resolves when all is in place, or at the signal. Throws what no waiting would mend. */
export async function awaitPreconditions<S>(
  topology: Topology<S>,
  adapters: RuntimeAdapters,
  options: RunOptions,
  context: Context,
): Promise<void> {
  await awaitTopics(topology, adapters, options, context);
  const written = [...topology.outputs, options.deadLetters as unknown as Topic<never, never>];
  await patiently(() => adapters.codecs.prepare(written), adapters, context);
}

/** Our own topics are refused when they are missing or otherwise; other systems' topics may come later. */
async function awaitTopics<S>(
  topology: Topology<S>,
  adapters: RuntimeAdapters,
  options: RunOptions,
  context: Context,
): Promise<void> {
  const expected = ownTopics(topology, options);
  const foreign = topology.inputs.filter(isForeign).map(({ name }) => name);
  while (!context.signal.aborted) {
    const counts = await patiently(
      () => adapters.partitionCounts([...expected.keys(), ...foreign]),
      adapters,
      context,
    );
    if (counts === undefined) return;
    const faults = [
      ...[...expected].flatMap(([name, partitions]) =>
        counts.get(name) === partitions ? [] : [ownFault(name, partitions, counts.get(name))],
      ),
      ...foreign
        .filter((name) => (counts.get(name) ?? 1) !== 1)
        .map((name) => `topic ${name} must have one partition, it has ${counts.get(name)}`),
    ];
    if (faults.length > 0) throw stop('TOPIC_MISMATCH', `${topology.name}: ${faults.join('; ')}`);
    const missing = foreign.filter((name) => !counts.has(name));
    if (missing.length === 0) return;
    context.statistics.enter('waiting', `for the topics ${missing.join(', ')}`);
    await adapters.clock.sleep(500, context.signal);
  }
}

function ownTopics<S>(topology: Topology<S>, options: RunOptions): ReadonlyMap<string, number> {
  const own = [
    ...topology.inputs.filter((input) => !isForeign(input)),
    ...topology.outputs,
    options.deadLetters,
  ] as readonly { readonly name: string; readonly partitions: number }[];
  return new Map([
    ...own.map(({ name, partitions }) => [name, partitions] as const),
    [changelogName(topology), partitionCount(topology)],
  ]);
}

function ownFault(name: string, partitions: number, found: number | undefined): string {
  const what = found === undefined ? 'does not exist' : `has ${found} partitions`;
  return `topic ${name} ${what} and is needed with ${partitions}: create it before the start`;
}
