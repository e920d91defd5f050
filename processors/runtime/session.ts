/**
 * A session: the time in which one producer and one reading of offsets and state hold for a set of partitions.
 * Fence first, then read offsets and state, then read inputs: in this order nothing of an older process can follow.
 */
import type { DeadLetter } from '../../schemas/types.ts';
import type { Topic } from '../topology/topic.ts';
import type { Topology } from '../topology/topology.ts';
import { difference } from './checkpoint.ts';
import { PipelineError, stop } from './errors.ts';
import { limits } from './limits.ts';
import {
  beginning,
  type Clock,
  type Codecs,
  type PartitionOffset,
  type RecordSource,
  type StateStore,
  type StoredCheckpoint,
  type Telemetry,
  type TraceIds,
} from './ports.ts';
import { restore } from './restore.ts';
import { createTask, type Task } from './task.ts';
import type { Transactions } from './transaction.ts';

export type SessionOptions<S> = {
  readonly topology: Topology<S>;
  readonly partitions: readonly number[];
  readonly source: RecordSource;
  readonly stores: ReadonlyMap<number, StateStore>;
  readonly transactions: Transactions;
  readonly codecs: Codecs;
  readonly deadLetters: Topic<string, DeadLetter>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly traceIds: TraceIds;
  readonly newLineage: () => string;
};

/** A partition that this session owns. */
export type Owned = {
  readonly task: Task;
  readonly store: StateStore;
  stored: StoredCheckpoint;
  /** Where a restart may begin to replay after the next move. */
  nextReplay: bigint;
  /** Commits since `nextReplay` was told. */
  commitsSinceEnd: number;
};

export type Session = {
  readonly owned: ReadonlyMap<number, Owned>;
  openSinceMs: number | undefined;
  openRecords: number;
  nextTickMs: number;
  nextReplayMoveMs: number;
};

export async function openSession<S>(
  options: SessionOptions<S>,
  signal: AbortSignal,
): Promise<Session> {
  const { topology, source, clock } = options;
  await options.transactions.open();
  const committed = await source.committed(
    options.partitions.flatMap((partition) =>
      topology.inputs.map(({ name }) => ({ topic: name, partition })),
    ),
  );
  const owned = new Map<number, Owned>();
  for (const partition of options.partitions) {
    owned.set(partition, await own(options, partition, offsetsOf(committed, partition), signal));
  }
  source.assign(places(options.topology, owned));
  const nowMs = clock.nowMs();
  return {
    owned,
    openSinceMs: undefined,
    openRecords: 0,
    nextTickMs: topology.tickMs === undefined ? Number.POSITIVE_INFINITY : nowMs + topology.tickMs,
    nextReplayMoveMs: nowMs + limits.replayPlaceMs,
  };
}

async function own<S>(
  options: SessionOptions<S>,
  partition: number,
  committed: ReadonlyMap<string, bigint>,
  signal: AbortSignal,
): Promise<Owned> {
  const store = options.stores.get(partition);
  if (store === undefined) throw stop('NO_STORE', `partition ${partition} has no store`);
  const processor = options.topology.name;
  let stored: StoredCheckpoint;
  try {
    stored = await restore({ ...options, processor, partition, store, committed, signal });
  } catch (error) {
    // Asleep during a restore, it may have seen the old offsets beside the new state of a successor.
    const places = options.topology.inputs.map(({ name }) => ({ topic: name, partition }));
    const now = offsetsOf(await options.source.committed(places), partition);
    if (difference(committed, now) === undefined) throw error;
    throw new PipelineError('OVERTAKEN', 'retry', 'another process has worked here meanwhile');
  }
  const task = createTask({
    ...options,
    partition,
    committed: store,
    hotCellsMax: limits.hotCellsMax,
  });
  task.standAt(stored);
  const nextReplay = stored.changelogOffset;
  return { task, store, stored, nextReplay, commitsSinceEnd: 0 };
}

function offsetsOf(
  committed: readonly PartitionOffset[],
  partition: number,
): ReadonlyMap<string, bigint> {
  const mine = committed.filter((one) => one.partition === partition);
  return new Map(mine.map(({ topic, offset }) => [topic, offset]));
}

/** Where reading goes on: each input of each partition that is owned. */
export function places<S>(
  topology: Topology<S>,
  owned: Session['owned'],
): readonly PartitionOffset[] {
  return [...owned].flatMap(([partition, { task }]) =>
    topology.inputs.map(({ name }) => ({
      topic: name,
      partition,
      offset: task.position(name) === 0n ? beginning : task.position(name),
    })),
  );
}
