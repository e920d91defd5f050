/**
 * Runs a declared topology in memory: the runtime's own task, the adapters' own Avro, a script instead of Kafka.
 * Commits, crashes, rebalances and redelivery are items of the script, so that a test can put them anywhere.
 */
import { avroCodecs } from '../../processors/adapters/avro/codec.ts';
import { memoryStateStore } from '../../processors/adapters/memory-state-store.ts';
import { readChangelog } from '../../processors/runtime/changelog.ts';
import { decodeRecord } from '../../processors/runtime/decode.ts';
import { recoveryOf } from '../../processors/runtime/errors.ts';
import type {
  Checkpoint,
  Codecs,
  OutputRecord,
  RawRecord,
  StateStore,
} from '../../processors/runtime/ports.ts';
import { decodeState } from '../../processors/runtime/state.ts';
import { createTask, type Task, type Transfer } from '../../processors/runtime/task.ts';
import { deadLetters as deadLetterTopic } from '../../processors/topics.ts';
import { partitionOf } from '../../processors/topology/partitioner.ts';
import type { ForeignTopic, Topic } from '../../processors/topology/topic.ts';
import { changelogName, type Header, type Topology } from '../../processors/topology/topology.ts';
import {
  type AnyInput,
  checkTopology,
  partitionCount,
} from '../../processors/topology/validate.ts';
import type { DeadLetter } from '../../schemas/types.ts';
import { countedIds, driverSchemas, isAbsent, type Written } from './driver-schemas.ts';

export type RecordItem = {
  readonly kind: 'record';
  readonly topic: AnyInput;
  readonly partition: number;
  readonly timestampMs: number;
  readonly key: Written;
  readonly value: Written | undefined;
  readonly headers: readonly Header[];
};

export type ScriptItem =
  | RecordItem
  /** Time, to every partition. */
  | { readonly kind: 'tick'; readonly nowMs: number }
  /** The open transaction is committed. */
  | { readonly kind: 'commit' }
  /** The process dies: memory is lost, the state comes back from the changelog, uncommitted inputs come again. */
  | { readonly kind: 'crash' }
  /** One partition goes to another process, which has the local store of the last time that it owned it, or none. */
  | { readonly kind: 'rebalance'; readonly partition: number }
  /** The source sends the last record once more, as a new record. */
  | { readonly kind: 'duplicate' }
  /** A client delivers what is not committed a second time, at the same offsets; the runtime must not mind. */
  | { readonly kind: 'redeliver' };

export type ResultRecord<K = unknown, V = unknown> = {
  readonly key: K;
  /** Undefined for a tombstone. */
  readonly value: V | undefined;
  readonly partition: number;
  readonly timestampMs: number;
  readonly headers: ReadonlyMap<string, string>;
};

export type Result<S> = {
  /** Committed records of a topic, in order; on compacted topics one per key and transaction. */
  readonly records: <K, V>(topic: Topic<K, V>) => readonly ResultRecord<K, V>[];
  /** The last committed value of each key of a compacted topic, by the key as JSON. */
  readonly table: <K, V>(topic: Topic<K, V>) => ReadonlyMap<string, V>;
  /** Committed state of all partitions. */
  readonly state: ReadonlyMap<string, S>;
  readonly deadLetters: readonly DeadLetter[];
  /** Sums of the steps' `count`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly transactions: number;
};

/** A record of one of our topics. The key chooses the partition. */
export function record<K, V>(
  topic: Topic<K, V>,
  key: K,
  value: V | undefined,
  options: {
    readonly timestampMs?: number;
    readonly partition?: number;
    readonly headers?: readonly Header[];
  } = {},
): RecordItem {
  return {
    kind: 'record',
    topic: topic as unknown as Topic<never, never>,
    partition: options.partition ?? partitionOf(topic.partitionBy(key), topic.partitions),
    timestampMs: options.timestampMs ?? 0,
    key: { plain: key },
    value: value === undefined ? undefined : { plain: value },
    headers: options.headers ?? [],
  };
}

/**
 * A record of a foreign topic, from plain objects and the writer's Avro schemas (as parsed JSON).
 * Decimals are `{ unscaled, scale }`. A null key or value is written as Kafka's null.
 */
export function foreignRecord<V>(
  topic: ForeignTopic<V>,
  written: {
    readonly key: unknown;
    readonly keySchema: unknown;
    readonly value: unknown;
    readonly valueSchema: unknown;
    readonly timestampMs?: number;
    readonly headers?: readonly Header[];
  },
): ScriptItem {
  return {
    kind: 'record',
    topic,
    partition: 0,
    timestampMs: written.timestampMs ?? 0,
    key: { plain: written.key, schema: written.keySchema },
    value:
      written.value === null ? undefined : { plain: written.value, schema: written.valueSchema },
    headers: written.headers ?? [],
  };
}

/** A record whose value is these very bytes: to see what becomes of a damaged one. */
export function damagedRecord<K, V>(topic: Topic<K, V>, key: K, bytes: Uint8Array): ScriptItem {
  const item = record(topic, key, undefined);
  return { ...item, value: { plain: undefined, bytes } };
}

export const tick = (nowMs: number): ScriptItem => ({ kind: 'tick', nowMs });
export const commit: ScriptItem = { kind: 'commit' };
export const crash: ScriptItem = { kind: 'crash' };
/** Counted round: any number names a partition. */
export const rebalance = (partition: number): ScriptItem => ({ kind: 'rebalance', partition });
export const duplicate: ScriptItem = { kind: 'duplicate' };
export const redeliver: ScriptItem = { kind: 'redeliver' };

/** Runs the script; what is open at its end is committed. */
export function runTopology<S>(topology: Topology<S>, script: readonly ScriptItem[]): Result<S> {
  checkTopology(topology);
  const run = createRun(topology);
  for (const item of script) play(run, item);
  run.commit();
  return run.result();
}

type Logged =
  | { readonly kind: 'record'; readonly raw: RawRecord }
  | { readonly kind: 'tick'; readonly nowMs: number };

type Run<S> = {
  readonly send: (item: RecordItem) => void;
  readonly take: (logged: Logged) => void;
  readonly commit: () => void;
  readonly crash: () => void;
  readonly rebalance: (partition: number) => void;
  readonly redeliver: () => void;
  readonly last: () => RecordItem | undefined;
  readonly result: () => Result<S>;
};

function play<S>(run: Run<S>, item: ScriptItem): void {
  switch (item.kind) {
    case 'record':
      run.send(item);
      break;
    case 'tick':
      run.take({ kind: 'tick', nowMs: item.nowMs });
      break;
    case 'commit':
      run.commit();
      break;
    case 'crash':
      run.crash();
      break;
    case 'rebalance':
      run.rebalance(item.partition);
      break;
    case 'redeliver':
      run.redeliver();
      break;
    case 'duplicate': {
      const last = run.last();
      if (last !== undefined) run.send(last);
    }
  }
}

function createRun<S>(topology: Topology<S>): Run<S> {
  const schemas = driverSchemas();
  const codecs = avroCodecs(schemas.source);
  const inputs = new Map(topology.inputs.map((input) => [input.name, input]));
  const written: OutputRecord[] = [];
  const ends = new Map<string, bigint>();
  const counts = new Map<string, number>();
  let tasks = startTasks(topology, codecs, written);
  /** By partition: the store of the process that owned it before, and how much of the changelog it holds. */
  const left = new Map<number, LocalStore>();
  /** Taken since the last commit, in order. */
  let open: Logged[] = [];
  let last: RecordItem | undefined;
  let transactions = 0;

  const take = (logged: Logged): void => {
    if (logged.kind === 'tick') {
      for (const { task } of tasks) task.tick(logged.nowMs);
      return;
    }
    const input = inputs.get(logged.raw.topic);
    const owner = tasks[logged.raw.partition];
    if (input === undefined || owner === undefined) {
      throw new Error(`the topology does not read ${logged.raw.topic}-${logged.raw.partition}`);
    }
    owner.task.apply(decodeRecord(logged.raw, input, codecs));
  };
  /** What each task wants written. As in the runtime, an output too large means: all again, without its input. */
  const transfers = (): { readonly owner: Owner; readonly transfer: Transfer }[] => {
    for (;;) {
      try {
        return tasks.flatMap((owner) => {
          const transfer = owner.task.transfer(0);
          return transfer === undefined ? [] : [{ owner, transfer }];
        });
      } catch (error) {
        if (recoveryOf(error) !== 'abort') throw error;
        for (const { task } of tasks) task.rollback();
        for (const logged of open) take(logged);
      }
    }
  };
  return {
    send: (item) => {
      last = item;
      const place = `${item.topic.name}-${item.partition}`;
      const offset = ends.get(place) ?? 0n;
      ends.set(place, offset + 1n);
      const logged: Logged = {
        kind: 'record',
        raw: {
          topic: item.topic.name,
          partition: item.partition,
          offset,
          timestampMs: item.timestampMs,
          key: isAbsent(item.key) ? undefined : schemas.write(item.topic, 'key', item.key),
          value:
            item.value === undefined ? undefined : schemas.write(item.topic, 'value', item.value),
          headers: item.headers,
        },
      };
      open.push(logged);
      take(logged);
    },
    take: (logged) => {
      open.push(logged);
      take(logged);
    },
    commit: () => {
      for (const { owner, transfer } of transfers()) {
        for (const output of transfer.outputs) written.push(output);
        keep(owner, transfer);
        for (const [metric, by] of transfer.counts) {
          counts.set(metric, (counts.get(metric) ?? 0) + by);
        }
        transactions += 1;
      }
      open = [];
    },
    crash: () => {
      tasks = startTasks(topology, codecs, written);
      for (const logged of open) take(logged);
    },
    rebalance: (any) => {
      const partition = any % tasks.length;
      const local = left.get(partition) ?? emptyStore();
      left.set(partition, { store: (tasks[partition] as Owner).store, holds: written.length });
      tasks = tasks.map((owner, place) =>
        place === partition ? startTask(topology, codecs, written, { partition, local }) : owner,
      );
      // The client of the new owner reads from the committed offsets.
      for (const logged of open) {
        if (logged.kind === 'tick') tasks[partition]?.task.tick(logged.nowMs);
        else if (logged.raw.partition === partition) take(logged);
      }
    },
    redeliver: () => {
      for (const logged of open) if (logged.kind === 'record') take(logged);
    },
    last: () => last,
    result: () => resultOf(topology, { written, tasks, codecs, counts, transactions }),
  };
}

type Owner = { readonly task: Task; readonly store: StateStore };

type LocalStore = { readonly store: StateStore; readonly holds: number };

const emptyStore = (): LocalStore => ({ store: memoryStateStore(), holds: 0 });

/** As after any crash: each task has what the changelog says, and nothing else. */
function startTasks<S>(
  topology: Topology<S>,
  codecs: Codecs,
  written: readonly OutputRecord[],
): readonly Owner[] {
  return Array.from({ length: partitionCount(topology) }, (_, partition) =>
    startTask(topology, codecs, written, { partition, local: emptyStore() }),
  );
}

/** The local store, brought up to date by the rest of the changelog. */
function startTask<S>(
  topology: Topology<S>,
  codecs: Codecs,
  written: readonly OutputRecord[],
  { partition, local }: { readonly partition: number; readonly local: LocalStore },
): Owner {
  const { store } = local;
  let checkpoint: Checkpoint = { lineage: 'driver', offsets: new Map() };
  for (const [place, output] of written.entries()) {
    if (output.topic !== changelogName(topology) || output.partition !== partition) continue;
    const entry = readChangelog(output);
    if (entry.kind === 'checkpoint') checkpoint = entry.checkpoint;
    else if (place >= local.holds) store.write([[entry.key, entry.bytes]], undefined);
  }
  const task = createTask({
    topology,
    partition,
    codecs,
    traceIds: countedIds(),
    deadLetters: deadLetterTopic,
    committed: store,
    // None: every read goes through the state's own codec.
    hotCellsMax: 0,
  });
  task.standAt(checkpoint);
  return { task, store };
}

function keep({ task, store }: Owner, transfer: Transfer): void {
  store.write(transfer.changes, {
    ...transfer.checkpoint,
    changelogOffset: 0n,
    writtenAtMs: 0,
  });
  task.commit();
}

function resultOf<S>(
  topology: Topology<S>,
  run: {
    readonly written: readonly OutputRecord[];
    readonly tasks: readonly Owner[];
    readonly codecs: Codecs;
    readonly counts: ReadonlyMap<string, number>;
    readonly transactions: number;
  },
): Result<S> {
  const records = <K, V>(topic: Topic<K, V>): readonly ResultRecord<K, V>[] => {
    const untyped = topic as unknown as Topic<never, never>;
    return run.written
      .filter((output) => output.topic === topic.name)
      .map((output) => ({
        key: run.codecs.decodeKey(untyped, output.key as Uint8Array) as K,
        value:
          output.value === undefined
            ? undefined
            : (run.codecs.decodeValue(untyped, output.value) as V),
        partition: output.partition,
        timestampMs: output.timestampMs,
        headers: new Map(
          output.headers.map(([name, value]) => [name, Buffer.from(value).toString()]),
        ),
      }));
  };
  const table = <K, V>(topic: Topic<K, V>): ReadonlyMap<string, V> => {
    const values = new Map<string, V>();
    for (const { key, value } of records(topic)) {
      if (value === undefined) values.delete(JSON.stringify(key));
      else values.set(JSON.stringify(key), value);
    }
    return values;
  };
  const entries = run.tasks.flatMap(({ store }) => [...store.entries()]);
  return {
    records,
    table,
    state: new Map(entries.map(([key, bytes]) => [key, decodeState(topology.state, bytes)])),
    deadLetters: records(deadLetterTopic).map(({ value }) => value as DeadLetter),
    counts: Object.fromEntries(run.counts),
    transactions: run.transactions,
  };
}
