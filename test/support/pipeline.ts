/**
 * Several processors on topics in memory, each with open transactions that a test commits or loses where it likes.
 * State goes through its codec and records through JSON, as they would between processes.
 */
import { partitionOf } from '../../processors/topology/partitioner.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { Emit, StreamRecord, Topology } from '../../processors/topology/topology.ts';
import { partitionCount } from '../../processors/topology/validate.ts';

type Logs = Map<string, StreamRecord[][]>;

export type Pipeline = {
  /** Writes a record as a client does. */
  readonly send: <K, V>(topic: Topic<K, V>, key: K, value: V, timestampMs: number) => void;
  readonly processors: readonly PipelineProcessor[];
  /** All records of a topic that are committed, partition by partition. */
  readonly values: <K, V>(topic: Topic<K, V>) => readonly V[];
  /** Lets everything run until nothing is left to do; no faults. */
  readonly drain: (nowMs: number) => void;
};

export type PipelineProcessor = {
  readonly name: string;
  /** Takes one waiting record of some partition; false when there is none. */
  readonly takeOne: (choose: (count: number) => number) => boolean;
  readonly tick: (nowMs: number) => void;
  /** True when it wrote something. */
  readonly commit: () => boolean;
  /** The process dies: what is not committed is lost and comes again. */
  readonly crash: () => void;
  /** Committed state of all partitions. */
  readonly state: () => ReadonlyMap<string, unknown>;
};

export function pipeline(topologies: readonly Topology<never>[]): Pipeline {
  const logs: Logs = new Map();
  const append = (
    topic: { readonly name: string; readonly partitions: number },
    record: Omit<StreamRecord, 'topic' | 'offset' | 'headers'>,
  ): void => {
    const partitions = logs.get(topic.name) ?? Array.from({ length: topic.partitions }, () => []);
    logs.set(topic.name, partitions);
    const log = partitions[record.partition] as StreamRecord[];
    const { key, value } = JSON.parse(JSON.stringify(record)) as StreamRecord;
    log.push({ ...record, key, value, topic: topic.name, offset: BigInt(log.length), headers: [] });
  };
  const processors = topologies.map((topology) => processorOf(topology, logs, append));
  return {
    processors,
    send: (topic, key, value, timestampMs) => {
      const partition = partitionOf(topic.partitionBy(key), topic.partitions);
      append(topic, { partition, timestampMs, key, value });
    },
    values: <K, V>(topic: Topic<K, V>) =>
      (logs.get(topic.name) ?? []).flat().map(({ value }) => value as V),
    drain: (nowMs) => {
      for (let busy = true; busy; ) {
        busy = false;
        for (const processor of processors) {
          while (processor.takeOne(() => 0)) busy = true;
          processor.tick(nowMs);
          // What an earlier step had left open is work for others too.
          if (processor.commit()) busy = true;
        }
      }
    },
  };
}

function processorOf<S>(
  topology: Topology<S>,
  logs: Logs,
  append: (
    topic: { readonly name: string; readonly partitions: number },
    record: Omit<StreamRecord, 'topic' | 'offset' | 'headers'>,
  ) => void,
): PipelineProcessor {
  const partitions = Array.from({ length: partitionCount(topology) }, () => ({
    committed: new Map<string, Uint8Array>(),
    open: new Map<string, S | undefined>(),
  }));
  const places = new Map<string, number>();
  let positions = new Map<string, number>();
  let outputs: { readonly emit: Emit; readonly timestampMs: number }[] = [];

  const viewOf = (partition: number) => {
    const { committed, open } = partitions[partition] as (typeof partitions)[number];
    return {
      get: (key: string): S | undefined => {
        if (open.has(key)) return open.get(key);
        const bytes = committed.get(key);
        return bytes === undefined ? undefined : topology.state.decode(bytes);
      },
      put: (key: string, value: S) => void open.set(key, value),
      delete: (key: string) => void open.set(key, undefined),
      keys: (beginning: string): readonly string[] => {
        const known = new Set([...committed.keys(), ...open.keys()]);
        return [...known]
          .filter((key) => key.startsWith(beginning))
          .filter((key) => !open.has(key) || open.get(key) !== undefined)
          .sort();
      },
    };
  };
  return {
    name: topology.name,
    takeOne: (choose) => {
      const waiting = topology.inputs.flatMap(({ name }) =>
        (logs.get(name) ?? []).flatMap((log, partition) => {
          const at = positions.get(`${name}-${partition}`) ?? 0;
          return at < log.length ? [{ name, partition, record: log[at] as StreamRecord, at }] : [];
        }),
      );
      const chosen = waiting[choose(waiting.length)];
      if (chosen === undefined) return false;
      positions.set(`${chosen.name}-${chosen.partition}`, chosen.at + 1);
      const { record } = chosen;
      const emits = topology.step({ kind: 'record', record }, viewOf(chosen.partition));
      outputs.push(...emits.map((emit) => ({ emit, timestampMs: record.timestampMs })));
      return true;
    },
    tick: (nowMs) => {
      partitions.forEach((_, partition) => {
        const emits = topology.step({ kind: 'tick', nowMs }, viewOf(partition));
        outputs.push(...emits.map((emit) => ({ emit, timestampMs: nowMs })));
      });
    },
    commit: () => {
      for (const { committed, open } of partitions) {
        for (const [key, value] of open) {
          if (value === undefined) committed.delete(key);
          else committed.set(key, topology.state.encode(value));
        }
        open.clear();
      }
      for (const { emit, timestampMs } of outputs) {
        if (emit.kind === 'deadLetter') throw new Error(`${emit.code}: ${emit.reason}`);
        if (emit.kind !== 'record') continue;
        const topic = emit.topic as unknown as Topic<unknown, unknown>;
        const partition = partitionOf(topic.partitionBy(emit.key), topic.partitions);
        append(topic, { partition, timestampMs, key: emit.key, value: emit.value });
      }
      const wrote = outputs.some(({ emit }) => emit.kind === 'record');
      outputs = [];
      for (const [place, at] of positions) places.set(place, at);
      return wrote;
    },
    crash: () => {
      for (const { open } of partitions) open.clear();
      outputs = [];
      positions = new Map(places);
    },
    state: () =>
      new Map(
        partitions.flatMap(({ committed }) =>
          [...committed].map(([key, bytes]) => [key, topology.state.decode(bytes)] as const),
        ),
      ),
  };
}
