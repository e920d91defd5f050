/**
 * Brings the local stores of partitions to the state that belongs to the committed input offsets.
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
  type RawRecord,
  type RecordSource,
  type StateStore,
  type StoredCheckpoint,
  type Telemetry,
} from './ports.ts';

/** A partition whose state is wanted. */
export type Wanted = {
  readonly partition: number;
  readonly store: StateStore;
  /** The committed place of each input that has one. */
  readonly committed: ReadonlyMap<string, bigint>;
};

export type RestoreOptions = {
  readonly processor: string;
  readonly source: RecordSource;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Names a new history, when there is none yet. */
  readonly newLineage: () => string;
  /** Ends a restore that nobody waits for any more. */
  readonly signal: AbortSignal;
};

/** A stretch of one partition's changelog, and the store that shall have it. */
type Stretch = {
  readonly partition: number;
  readonly store: StateStore;
  readonly from: bigint;
  readonly end: bigint;
  /** While the tail is written the store stays as trusted as it was: repeating upserts is harmless. */
  readonly stored?: StoredCheckpoint;
};

/** What a replay found. */
type Replay = {
  readonly records: number;
  readonly last:
    | { readonly checkpoint: Checkpoint; readonly offset: bigint; readonly lineages: number }
    | undefined;
};

/** The end of an empty stretch is told only when the broker has waited for more; nothing wakes a poll for it. */
const pollWaitMs = 10;

/** Restores, checks and returns where each state stands. All changelogs are read side by side. */
export async function restore(
  wanted: readonly Wanted[],
  options: RestoreOptions,
): Promise<ReadonlyMap<number, StoredCheckpoint>> {
  const { clock, telemetry, processor, source } = options;
  const startedMs = clock.nowMs();
  const topic = changelogName({ name: processor });
  const ends = new Map<number, bigint>();
  for (const { partition } of wanted) ends.set(partition, await source.end({ topic, partition }));
  const endOf = ({ partition }: Wanted): bigint => ends.get(partition) ?? 0n;

  const tails = wanted.flatMap((one): readonly Stretch[] => {
    const stored = trustedCheckpoint(one, endOf(one), clock);
    return stored === undefined
      ? []
      : [{ ...one, from: stored.changelogOffset, end: endOf(one), stored }];
  });
  const replayed = await replay(tails, options);
  const isKept = ({ partition, stored }: Stretch) => isOf(stored, replayed.get(partition));
  const kept = new Set(tails.filter(isKept).map(({ partition }) => partition));
  const whole = wanted.filter(({ partition }) => !kept.has(partition));
  for (const { store } of whole) store.clear();
  const stretches = whole.map((one) => ({ ...one, from: beginning, end: endOf(one) }));
  const anew = await replay(stretches, options);

  return new Map(
    wanted.map((one) => {
      const { partition, store } = one;
      const found = anew.get(partition) ?? (replayed.get(partition) as Replay);
      const stored = settle(one, found, options);
      store.write([], stored);
      const from = anew.has(partition) ? 'changelog' : 'store';
      const tookMs = clock.nowMs() - startedMs;
      telemetry.restored({ partition, records: found.records, tookMs, from });
      return [partition, stored];
    }),
  );
}

/** The store's checkpoint, when the store may be a past of this history. */
function trustedCheckpoint(
  { store, committed }: Wanted,
  end: bigint,
  clock: Clock,
): StoredCheckpoint | undefined {
  const stored = store.checkpoint();
  if (stored === undefined) return undefined;
  if (clock.nowMs() - stored.writtenAtMs > limits.storeAgeMaxMs) return undefined;
  if (stored.changelogOffset >= end) return undefined;
  const ahead = [...stored.offsets].some(
    ([topic, offset]) => offset > (committed.get(topic) ?? offset),
  );
  return ahead ? undefined : stored;
}

/** False when the changelog turns out to be another history than the store's. */
function isOf(stored: StoredCheckpoint | undefined, tail: Replay | undefined): boolean {
  const last = tail?.last;
  return last?.lineages === 1 && last.checkpoint.lineage === stored?.lineage;
}

/** Writes each stretch of the changelog into its store; by partition, what was found. */
async function replay(
  stretches: readonly Stretch[],
  { source, clock, processor, signal }: RestoreOptions,
): Promise<ReadonlyMap<number, Replay>> {
  const topic = changelogName({ name: processor });
  const readers = new Map(stretches.map((one) => [one.partition, readerOf(one)]));
  const missing = new Map(
    stretches.flatMap((one) => (one.end === 0n ? [] : [[one.partition, one]])),
  );
  const places = [...missing.values()].map(({ partition, from }) => ({
    topic,
    partition,
    offset: from,
  }));
  if (places.length > 0) source.assign(places);
  let progressMs = clock.nowMs();
  while (missing.size > 0) {
    if (signal.aborted) {
      throw new PipelineError('RESTORE_LEFT', 'retry', 'told to stop during a restore');
    }
    const { records, ends } = await source.poll({ recordsMax: 5_000, waitMs: pollWaitMs });
    for (const record of records) readers.get(record.partition)?.read(record);
    for (const { write } of readers.values()) write();
    for (const { partition, offset } of ends) {
      if (offset >= (missing.get(partition)?.end ?? 0n)) missing.delete(partition);
    }
    if (records.length > 0 || ends.length > 0) progressMs = clock.nowMs();
    else if (clock.nowMs() - progressMs > limits.restoreStallMs) {
      const [{ partition, end }] = [...missing.values()] as [Stretch];
      throw stop(
        'RESTORE_STALLED',
        `${topic}, partition ${partition}, cannot be read to its end at ${end}: ` +
          'is a transaction hanging, or a broker gone?',
      );
    }
  }
  return new Map([...readers].map(([partition, { found }]) => [partition, found()]));
}

/** Gathers what a poll brings of one partition, and writes it in one go. */
function readerOf({ store, stored }: Stretch) {
  const lineages = new Set<string>();
  let changes: [string, Uint8Array | undefined][] = [];
  let records = 0;
  let last: Replay['last'];
  return {
    read: (record: RawRecord): void => {
      records += 1;
      const entry = readChangelog(record);
      if (entry.kind === 'change') changes.push([entry.key, entry.bytes]);
      else {
        const { checkpoint } = entry;
        lineages.add(checkpoint.lineage);
        last = { checkpoint, offset: record.offset, lineages: lineages.size };
      }
    },
    write: (): void => {
      if (changes.length > 0) store.write(changes, stored);
      changes = [];
    },
    found: (): Replay => ({ records, last }),
  };
}

/** The checkpoint from which work goes on, checked against the consumer group. */
function settle(
  { partition, committed }: Wanted,
  replayed: Replay,
  { processor, clock, telemetry, newLineage }: RestoreOptions,
): StoredCheckpoint {
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
    const lineage = newLineage();
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
