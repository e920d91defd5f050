/** A share of a processor's partitions, worked by one consumer and one transactional producer until told to stop. */
import type { Topology } from '../topology/topology.ts';
import { limits } from './limits.ts';
import { patiently } from './patience.ts';
import type { Clock } from './ports.ts';
import type { RunOptions, RuntimeAdapters } from './run.ts';
import type { ShareStatistics } from './statistics.ts';
import { createTransactions } from './transaction.ts';
import { createWorker } from './worker.ts';

/** Who works the same partitions must have the same name: it becomes the transactional id, and that fences. */
export type Share = { readonly name: string; readonly partitions: readonly number[] };

export async function runShare<S>(
  share: Share,
  context: {
    readonly topology: Topology<S>;
    readonly adapters: RuntimeAdapters;
    readonly options: RunOptions;
    readonly statistics: ShareStatistics;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { topology, adapters, options, statistics, signal } = context;
  const { name, gatherMs } = topology;
  const gathering = gatherMs === undefined ? {} : { gatherMs };
  const source = await patiently(() => adapters.createSource(name, gathering), adapters, context);
  if (source === undefined) return;
  const transactionalId = `${options.application}-${name}-${share.name}`;
  const transactions = createTransactions({
    ...adapters,
    createProducer: () => adapters.createProducer(transactionalId, source),
  });
  const stores = new Map(
    share.partitions.map((one) => [one, adapters.openStore(`${name}-${one}`)] as const),
  );
  const worker = createWorker({
    ...adapters,
    ...options,
    topology,
    partitions: share.partitions,
    source,
    stores,
    transactions,
    statistics,
  });
  statistics.follow(worker);
  try {
    await withDeadline(worker.run(signal), signal, adapters.clock);
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
