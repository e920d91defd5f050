/**
 * Brings a partition's local store to the state that belongs to the committed input offsets.
 *
 * The truth is the changelog. It carries its own checkpoints, so that a restore proves what it restored: the last
 * checkpoint must say the same offsets as the consumer group. A local store only saves reading the beginning.
 */
import { changelogName } from '../topology/topology.ts';
import { readChangelog } from './changelog.ts';
import { difference } from './checkpoint.ts';
import { PipelineError, stop } from './errors.ts';
import { limits } from './limits.ts';
import {
  beginning,
  type Checkpoint,
  type Clock,
  type PartitionOffset,
  type RecordSource,
  type StateStore,
  type StoredCheckpoint,
  type Telemetry,
} from './ports.ts';

export type RestoreOptions = {
  readonly processor: string;
  readonly partition: number;
  readonly source: RecordSource;
  readonly store: StateStore;
  /** The committed place of each input that has one. */
  readonly committed: ReadonlyMap<string, bigint>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Names a new history, when there is none yet. */
  readonly newLineage: () => string;
  /** Ends a restore that nobody waits for any more. */
  readonly signal: AbortSignal;
};

/** What a replay found. */
type Replay = {
  readonly records: number;
  readonly last:
    | { readonly checkpoint: Checkpoint; readonly offset: bigint; readonly lineages: number }
    | undefined;
};

/** Restores, checks and returns where the state stands. */
export async function restore(options: RestoreOptions): Promise<StoredCheckpoint> {
  const { store, clock, telemetry, partition } = options;
  const startedMs = clock.nowMs();
  const changelog = { topic: changelogName({ name: options.processor }), partition };
  const end = await options.source.end(changelog);

  const trusted = trustedCheckpoint(options, end);
  let replayed = trusted === undefined ? undefined : await replayTail(options, trusted, end);
  const from = replayed === undefined ? 'changelog' : 'store';
  if (replayed === undefined) {
    store.clear();
    replayed = await replay(options, { place: { ...changelog, offset: beginning }, end });
  }
  const stored = settle(options, replayed);
  store.write([], stored);
  const tookMs = clock.nowMs() - startedMs;
  telemetry.restored({ partition, records: replayed.records, tookMs, from });
  return stored;
}

/** The store's checkpoint, when the store may be a past of this history. */
function trustedCheckpoint(options: RestoreOptions, end: bigint): StoredCheckpoint | undefined {
  const stored = options.store.checkpoint();
  if (stored === undefined) return undefined;
  if (options.clock.nowMs() - stored.writtenAtMs > limits.storeAgeMaxMs) return undefined;
  if (stored.changelogOffset >= end) return undefined;
  const ahead = [...stored.offsets].some(
    ([topic, offset]) => offset > (options.committed.get(topic) ?? offset),
  );
  return ahead ? undefined : stored;
}

/** Replays what the store lacks; undefined when the changelog turns out to be another history than the store's. */
async function replayTail(
  options: RestoreOptions,
  stored: StoredCheckpoint,
  end: bigint,
): Promise<Replay | undefined> {
  const topic = changelogName({ name: options.processor });
  const place = { topic, partition: options.partition, offset: stored.changelogOffset };
  const tail = await replay(options, { place, end, stored });
  if (tail.last === undefined || tail.last.lineages > 1) return undefined;
  return tail.last.checkpoint.lineage === stored.lineage ? tail : undefined;
}

/** Writes the changelog from `place` to `end` into the store. */
async function replay(
  options: RestoreOptions,
  range: {
    readonly place: PartitionOffset;
    readonly end: bigint;
    /** While the tail is written the store stays as trusted as it was: repeating upserts is harmless. */
    readonly stored?: StoredCheckpoint;
  },
): Promise<Replay> {
  const { source, store, clock } = options;
  if (range.end === 0n) return { records: 0, last: undefined };
  source.assign([range.place]);
  let records = 0;
  let last: Replay['last'];
  let reached = false;
  let progressMs = clock.nowMs();
  const lineages = new Set<string>();
  while (!reached) {
    if (options.signal.aborted) {
      throw new PipelineError('RESTORE_LEFT', 'retry', 'told to stop during a restore');
    }
    const poll = await source.poll({ recordsMax: 5_000, waitMs: limits.idleWaitMs });
    const changes: [string, Uint8Array | undefined][] = [];
    for (const record of poll.records) {
      const entry = readChangelog(record);
      if (entry.kind === 'change') changes.push([entry.key, entry.bytes]);
      else {
        lineages.add(entry.checkpoint.lineage);
        last = {
          checkpoint: entry.checkpoint,
          offset: record.offset,
          lineages: lineages.size,
        };
      }
    }
    if (changes.length > 0) store.write(changes, range.stored);
    records += poll.records.length;
    reached = poll.ends.some(({ offset }) => offset >= range.end);
    if (poll.records.length > 0 || poll.ends.length > 0) progressMs = clock.nowMs();
    else if (clock.nowMs() - progressMs > limits.restoreStallMs) {
      throw stop(
        'RESTORE_STALLED',
        `${range.place.topic}, partition ${range.place.partition}, cannot be read to its end at ${range.end}: ` +
          'is a transaction hanging, or a broker gone?',
      );
    }
  }
  return { records, last };
}

/** The checkpoint from which work goes on, checked against the consumer group. */
function settle(options: RestoreOptions, replayed: Replay): StoredCheckpoint {
  const { processor, partition, committed, clock, telemetry } = options;
  const reset =
    `to start this processor anew, delete the consumer group ${processor} and the topic ` +
    `${changelogName({ name: processor })} together`;
  const writtenAtMs = clock.nowMs();
  if (replayed.last === undefined) {
    if (committed.size > 0) {
      throw stop(
        'CHANGELOG_LOST',
        `the consumer group ${processor} has committed offsets on partition ${partition}, but its changelog is empty: ` +
          `the state is lost; ${reset}`,
      );
    }
    const lineage = options.newLineage();
    return { lineage, offsets: new Map(), changelogOffset: 0n, writtenAtMs };
  }
  const { checkpoint, offset } = replayed.last;
  const expired = [...checkpoint.offsets.keys()].filter((topic) => !committed.has(topic));
  if (expired.length > 0) {
    telemetry.log('warn', 'offsets expired', { partition, topics: expired.join(' ') });
  }
  const known = new Map([...checkpoint.offsets, ...committed]);
  const apart = difference(checkpoint.offsets, known);
  if (apart !== undefined) {
    throw stop(
      'OFFSETS_APART',
      `the offsets of the consumer group ${processor} are not those of its state (partition ${partition}, ${apart}): ` +
        `somebody has moved them; ${reset}`,
    );
  }
  return { ...checkpoint, changelogOffset: offset, writtenAtMs };
}
