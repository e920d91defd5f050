/** Runs one declared processor: checks it against the broker, takes its share of partitions, works until told to stop. */
import type { DeadLetter } from '../../schemas/types.ts';
import type { Topic } from '../topology/topic.ts';
import type { Topology } from '../topology/topology.ts';
import { type AnyInput, checkTopology, partitionCount } from '../topology/validate.ts';
import { runElastic } from './elastic.ts';
import { checkLimits, limits } from './limits.ts';
import { patiently } from './patience.ts';
import type {
  Clock,
  Codecs,
  Membership,
  MembershipEvents,
  PartitionOffset,
  RecordSource,
  StateStore,
  Telemetry,
  TraceIds,
  TransactionalProducer,
} from './ports.ts';
import { awaitPreconditions } from './preconditions.ts';
import { runShare, type Share } from './share.ts';
import { createStatistics, type ProcessorStatistics, type ProcessorStatus } from './statistics.ts';

export type { ProcessorStatus } from './statistics.ts';

/** The world, as one processor sees it. */
export type RuntimeAdapters = {
  readonly createSource: (
    group: string,
    /** Present: the topology's; records need not come one by one. */
    gathering?: { readonly gatherMs?: number },
  ) => Promise<RecordSource>;
  readonly createProducer: (
    transactionalId: string,
    source: RecordSource,
  ) => Promise<TransactionalProducer>;
  /** Opens the store of this name, such as `stock-0`; a damaged one comes back empty. */
  readonly openStore: (name: string) => StateStore;
  /** How many partitions each topic has; a topic that does not exist is left out. */
  readonly partitionCounts: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  /** Joins the processes that share out the partitions of `topic`. */
  readonly join: (options: {
    readonly group: string;
    readonly topic: string;
    readonly events: MembershipEvents;
  }) => Promise<Membership>;
  readonly codecs: Codecs;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly traceIds: TraceIds;
  readonly newLineage: () => string;
};

/**
 * Which partitions a process works. Static: those with p % groups = group, and one transaction over them; `groups` is
 * part of the transactional ids, which fence, so it is changed only while no process runs. Elastic: the processes that
 * are there share the partitions out, each with transactions of its own.
 */
export type Assignment = { readonly group: number; readonly groups: number } | 'elastic';

export type RunOptions = {
  /** Begins every transactional id, so that two installations on one Kafka do not fence each other. */
  readonly application: string;
  readonly deadLetters: Topic<string, DeadLetter>;
  /** Absent: one process owns all. All processes of one processor must say the same, but for `group`. */
  readonly assignment?: Assignment;
};

export type Processor = {
  /** Works until the signal, then commits what is open and ends. Throws a `PipelineError` when it cannot go on. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly status: () => ProcessorStatus;
  /** Of each input partition that is owned here: all before this place is worked off and committed. */
  readonly committed: () => readonly PartitionOffset[];
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
  const status = (): ProcessorStatus => statistics.status(adapters.clock.nowMs());
  return {
    status,
    committed: statistics.committed,
    ready: () => status().phase === 'running',
    run: async (signal) => {
      const ended = new AbortController();
      void tellLag(status, adapters, ended.signal);
      try {
        await awaitPreconditions(topology, adapters, options, { signal, statistics });
        if (!signal.aborted) await work(topology, adapters, options, { signal, statistics });
        statistics.enter('stopped');
      } catch (error) {
        statistics.enter('failed', error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        ended.abort();
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

/** Works the partitions of this process's assignment until the signal. */
async function work<S>(
  topology: Topology<S>,
  adapters: RuntimeAdapters,
  options: RunOptions,
  context: { readonly signal: AbortSignal; readonly statistics: ProcessorStatistics },
): Promise<void> {
  const run = async (share: Share, signal: AbortSignal): Promise<void> => {
    const statistics = context.statistics.share();
    try {
      await runShare(share, { topology, adapters, options, statistics, signal });
    } finally {
      statistics.leave();
    }
  };
  const { clock, telemetry } = adapters;
  const assignment = options.assignment ?? { group: 0, groups: 1 };
  context.statistics.enter('running');
  if (assignment !== 'elastic') return run(staticShare(topology, assignment), context.signal);
  const topic = (topology.inputs[0] as AnyInput).name;
  await runElastic({
    join: async (events) => {
      const join = () => adapters.join({ group: `${topology.name}.members`, topic, events });
      const membership = await patiently(join, adapters, context);
      context.statistics.enter('running');
      return membership;
    },
    work: (partition, signal) => run({ name: `${partition}`, partitions: [partition] }, signal),
    clock,
    telemetry,
    signal: context.signal,
  });
}

function staticShare<S>(
  topology: Topology<S>,
  { group, groups }: { readonly group: number; readonly groups: number },
): Share {
  const all = Array.from({ length: partitionCount(topology) }, (_, partition) => partition);
  return {
    name: `${group}of${groups}`,
    partitions: all.filter((partition) => partition % groups === group),
  };
}

/** Tells telemetry how far behind the processor is, until the signal. */
async function tellLag(
  status: () => ProcessorStatus,
  { clock, telemetry }: RuntimeAdapters,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { lagRecords, lagSeconds } = status();
    telemetry.lag({ records: lagRecords, seconds: lagSeconds });
    await clock.sleep(limits.lagEveryMs, signal);
  }
}
