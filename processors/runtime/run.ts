/** Runs one declared processor: checks it against the broker, takes its share of partitions, works until told to stop. */
import type { DeadLetter } from '../../schemas/types.ts';
import type { Topic } from '../topology/topic.ts';
import { changelogName, type Topology } from '../topology/topology.ts';
import { checkTopology, isForeign, partitionCount } from '../topology/validate.ts';
import { recoveryOf, stop } from './errors.ts';
import { checkLimits, limits } from './limits.ts';
import type {
  Clock,
  Codecs,
  RecordSource,
  StateStore,
  Telemetry,
  TraceIds,
  TransactionalProducer,
} from './ports.ts';
import { createStatistics, type ProcessorStatus, type Statistics } from './statistics.ts';
import { createTransactions } from './transaction.ts';
import { createWorker, type Worker } from './worker.ts';

export type { ProcessorStatus } from './statistics.ts';

/** The world, as one processor sees it. */
export type RuntimeAdapters = {
  readonly createSource: (group: string) => Promise<RecordSource>;
  readonly createProducer: (
    transactionalId: string,
    source: RecordSource,
  ) => Promise<TransactionalProducer>;
  /** Opens the store of this name, such as `stock-0`; a damaged one comes back empty. */
  readonly openStore: (name: string) => StateStore;
  /** How many partitions each topic has; a topic that does not exist is left out. */
  readonly partitionCounts: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  readonly codecs: Codecs;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly traceIds: TraceIds;
  readonly newLineage: () => string;
};

export type RunOptions = {
  /** Begins every transactional id, so that two installations on one Kafka do not fence each other. */
  readonly application: string;
  readonly deadLetters: Topic<string, DeadLetter>;
  /**
   * Static assignment: this process owns the partitions p with p % groups = group. Processes of one processor
   * must all say the same `groups`: the transactional ids, which fence, are made of it. Absent: one process owns all.
   */
  readonly assignment?: { readonly group: number; readonly groups: number };
};

export type Processor = {
  /** Works until the signal, then commits what is open and ends. Throws a `PipelineError` when it cannot go on. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly status: () => ProcessorStatus;
  /** True while it works; false while it starts, restores, waits, or has ended. */
  readonly ready: () => boolean;
};

export function createProcessor<S>(
  topology: Topology<S>,
  adapters: RuntimeAdapters,
  options: RunOptions,
): Processor {
  checkTopology(topology);
  checkLimits();
  const statistics = createStatistics(topology.name);
  let worker: Worker | undefined;
  const status = (): ProcessorStatus =>
    statistics.status(adapters.clock.nowMs(), worker?.lagRecords() ?? 0);
  return {
    status,
    ready: () => status().phase === 'running',
    run: async (signal) => {
      try {
        await awaitTopics(topology, adapters, options, { signal, statistics });
        await prepareSchemas(topology, adapters, options, { signal, statistics });
        if (!signal.aborted) {
          await work(topology, adapters, options, {
            signal,
            statistics,
            began: (begun) => {
              worker = begun;
            },
          });
        }
        statistics.enter('stopped');
      } catch (error) {
        statistics.enter('failed', error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        worker = undefined;
      }
    },
  };
}

/** Runs a processor to its end. */
export async function runProcessor<S>(
  topology: Topology<S>,
  adapters: RuntimeAdapters,
  options: RunOptions & { readonly signal: AbortSignal },
): Promise<void> {
  await createProcessor(topology, adapters, options).run(options.signal);
}

async function work<S>(
  topology: Topology<S>,
  adapters: RuntimeAdapters,
  options: RunOptions,
  context: {
    readonly signal: AbortSignal;
    readonly statistics: Statistics;
    readonly began: (worker: Worker) => void;
  },
): Promise<void> {
  const { group, groups } = options.assignment ?? { group: 0, groups: 1 };
  const transactionalId = `${options.application}-${topology.name}-${group}of${groups}`;
  const source = await patiently(() => adapters.createSource(topology.name), adapters, context);
  if (source === undefined) return;
  const transactions = createTransactions({
    ...adapters,
    createProducer: () => adapters.createProducer(transactionalId, source),
  });
  const partitions = ownedPartitions(partitionCount(topology), { group, groups });
  const stores = new Map(
    partitions.map((partition) => [partition, adapters.openStore(`${topology.name}-${partition}`)]),
  );
  const worker = createWorker({
    ...adapters,
    ...options,
    topology,
    partitions,
    source,
    stores,
    transactions,
    statistics: context.statistics,
  });
  context.began(worker);
  try {
    await withDeadline(worker.run(context.signal), context.signal, adapters.clock);
  } finally {
    await transactions.close();
    await Promise.all([...stores.values()].map((store) => store.close()));
    await source.close();
  }
}

/** After the signal the worker has so long to end; then it is left, and what it had open is lost and read again. */
async function withDeadline(work: Promise<void>, signal: AbortSignal, clock: Clock): Promise<void> {
  const ended = new AbortController();
  const deadline = new Promise<void>((resolve) => {
    const start = (): void => {
      void clock.sleep(limits.drainMs, ended.signal).then(resolve);
    };
    if (signal.aborted) start();
    else signal.addEventListener('abort', start, { once: true });
  });
  try {
    await Promise.race([work, deadline]);
  } finally {
    ended.abort();
  }
}

function ownedPartitions(
  count: number,
  assignment: { readonly group: number; readonly groups: number },
): readonly number[] {
  const all = Array.from({ length: count }, (_, partition) => partition);
  return all.filter((partition) => partition % assignment.groups === assignment.group);
}

async function prepareSchemas<S>(
  topology: Topology<S>,
  adapters: RuntimeAdapters,
  options: RunOptions,
  context: { readonly signal: AbortSignal; readonly statistics: Statistics },
): Promise<void> {
  const deadLetters = options.deadLetters as unknown as Topic<never, never>;
  const topics = [...topology.outputs, deadLetters];
  await patiently(() => adapters.codecs.prepare(topics), adapters, context);
}

/** Tries until it works, as long as the error says that it may; undefined when told to stop. */
async function patiently<T>(
  attempt: () => Promise<T>,
  adapters: RuntimeAdapters,
  context: { readonly signal: AbortSignal; readonly statistics: Statistics },
): Promise<T | undefined> {
  let pauseMs: number = limits.retryMinMs;
  while (!context.signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (recoveryOf(error) !== 'retry') throw error;
      context.statistics.enter('waiting', String(error));
      adapters.telemetry.log('warn', 'start delayed', { error: String(error) });
      await adapters.clock.sleep(pauseMs, context.signal);
      pauseMs = Math.min(2 * pauseMs, limits.retryMaxMs);
    }
  }
  return undefined;
}

/**
 * Every topic must exist with the declared partitions. Other systems' topics may come later: they are waited for.
 */
async function awaitTopics<S>(
  topology: Topology<S>,
  adapters: RuntimeAdapters,
  options: RunOptions,
  context: { readonly signal: AbortSignal; readonly statistics: Statistics },
): Promise<void> {
  const own = [
    ...topology.inputs.filter((input) => !isForeign(input)),
    ...topology.outputs,
    options.deadLetters,
  ] as readonly { readonly name: string; readonly partitions: number }[];
  const expected = new Map(own.map(({ name, partitions }) => [name, partitions]));
  expected.set(changelogName(topology), partitionCount(topology));
  const foreign = topology.inputs.filter(isForeign).map(({ name }) => name);
  while (!context.signal.aborted) {
    const counts = await patiently(
      () => adapters.partitionCounts([...expected.keys(), ...foreign]),
      adapters,
      context,
    );
    if (counts === undefined) return;
    for (const [name, partitions] of expected) {
      const found = counts.get(name);
      if (found === partitions) continue;
      const what = found === undefined ? 'does not exist' : `has ${found} partitions`;
      throw stop(
        'TOPIC_MISMATCH',
        `topic ${name} ${what} and ${topology.name} needs it with ${partitions}: create it before the start`,
      );
    }
    for (const name of foreign) {
      if ((counts.get(name) ?? 1) !== 1) {
        throw stop(
          'TOPIC_MISMATCH',
          `topic ${name} must have one partition, it has ${counts.get(name)}`,
        );
      }
    }
    const missing = foreign.filter((name) => !counts.has(name));
    if (missing.length === 0) return;
    context.statistics.enter('waiting', `for the topics ${missing.join(', ')}`);
    await adapters.clock.sleep(500, context.signal);
  }
}
