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
  const committed = await source.committed(inputPlaces(options));
  const owned = await own(options, committed, signal);
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

/** Restores the partitions and makes their tasks. */
async function own<S>(
  options: SessionOptions<S>,
  committed: readonly PartitionOffset[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Owned>> {
  const processor = options.topology.name;
  const wanted = options.partitions.map((partition) => {
    const store = options.stores.get(partition);
    if (store === undefined) throw stop('NO_STORE', `partition ${partition} has no store`);
    return { partition, store, committed: offsetsOf(committed, partition) };
  });
  let restored: ReadonlyMap<number, StoredCheckpoint>;
  try {
    restored = await restore(wanted, { ...options, processor, signal });
  } catch (error) {
    // Asleep during a restore, it may have seen the old offsets beside the new state of a successor.
    const now = await options.source.committed(inputPlaces(options));
    const moved = wanted.some((one) => difference(one.committed, offsetsOf(now, one.partition)));
    if (!moved) throw error;
    throw new PipelineError('OVERTAKEN', 'retry', 'another process has worked here meanwhile');
  }
  return new Map(
    wanted.map(({ partition, store }) => {
      const stored = restored.get(partition) as StoredCheckpoint;
      const hotCellsMax = limits.hotCellsMax;
      const task = createTask({ ...options, partition, committed: store, hotCellsMax });
      task.standAt(stored);
      const nextReplay = stored.changelogOffset;
      return [partition, { task, store, stored, nextReplay, commitsSinceEnd: 0 }];
    }),
  );
}

/** Each input of each partition. */
function inputPlaces<S>({ topology, partitions }: SessionOptions<S>) {
  return partitions.flatMap((partition) =>
    topology.inputs.map(({ name }) => ({ topic: name, partition })),
  );
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
