/**
 * Records → blocks → tables, each once. A block's ranges are written before its rows, and the next block only after
 * them: so at most the last block can be unfinished, and it is repeated with the same ranges, of whose rows the views count each once.
 */
import type { StreamRecord } from '../topology/topology.ts';
import { OpenBlock, placeOf } from './block.ts';
import { boundsOf, findRecreated, placeOfPartition, withNewLineages } from './lineage.ts';
import type {
  AnalyticsStore,
  PartitionBounds,
  PartitionOffset,
  RecordReader,
  TableRows,
} from './ports.ts';
import { type Lane, type Range, readProgress, writeRanges } from './progress.ts';
import type { Feeds } from './tables.ts';

export type SinkOptions = {
  readonly reader: RecordReader;
  readonly store: AnalyticsStore;
  readonly feeds: Feeds;
  readonly signal: AbortSignal;
  /** Told once per thing that a person should know. */
  readonly report: (sentence: string) => void;
  readonly onWritten: (written: Written) => void;
  readonly limits?: SinkLimits;
};

/** A block that is readable now. */
export type Written = {
  readonly block: number;
  readonly records: number;
  readonly rows: number;
  readonly oldestTimestampMs: number;
};

export type SinkLimits = {
  /** A block is written when its first record has waited this long … */
  readonly lingerMs: number;
  /** … or when it has this many records. */
  readonly blockRecordsMax: number;
  readonly pollRecordsMax: number;
  readonly idlePollMs: number;
};

export const sinkLimits: SinkLimits = {
  lingerMs: 400,
  blockRecordsMax: 20_000,
  pollRecordsMax: 5_000,
  idlePollMs: 200,
};

/** Runs until the signal; rejects when it cannot go on. What is not written by then is read again next time. */
export async function runSink(options: SinkOptions): Promise<void> {
  const sink = await openSink(options);
  await options.reader.seek(sink.startOffsets);
  const read = await repeatUnfinished(sink);
  await follow(sink, read);
}

type Sink = SinkOptions & {
  readonly limits: SinkLimits;
  /** By topic and partition: its way to each of its tables. */
  readonly lanes: Map<string, readonly Lane[]>;
  readonly block: number;
  readonly startOffsets: readonly PartitionOffset[];
};

async function openSink(options: SinkOptions): Promise<Sink> {
  const { reader, store, feeds, report } = options;
  const bounds = await reader.bounds([...feeds.keys()]);
  const held = await readProgress(store, feeds, bounds);
  const recreated = await findRecreated(reader, held.lanes, bounds, options.signal);
  for (const [topic, seen] of recreated) {
    report(
      `topic ${topic} was recreated (${seen}): it is loaded again from its beginning, ` +
        'and the rows of its earlier life are kept but no longer shown.',
    );
  }
  const progress = withNewLineages(held, recreated);
  const begun = progress.lanes
    .filter((lane) => recreated.has(lane.topic))
    .map((lane) => emptyRange(progress.block, lane));
  // With the number of the last block, which stays the last one: it may still have to be repeated.
  if (begun.length > 0) await writeRanges(store, begun, Date.now());
  const lanes = new Map<string, readonly Lane[]>();
  for (const lane of progress.lanes) {
    const place = placeOfPartition(lane);
    lanes.set(place, [...(lanes.get(place) ?? []), lane]);
  }
  for (const gap of gaps(progress.lanes, bounds)) report(gap);
  return {
    ...options,
    limits: options.limits ?? sinkLimits,
    lanes,
    block: progress.block,
    startOffsets: startOffsets(progress.lanes, bounds),
  };
}

function emptyRange(block: number, { table, topic, lineage, partition, next }: Lane): Range {
  const place = { table, topic, lineage, partition };
  return { block, ...place, first: next, next, lastTimestampMs: 0, records: 0 };
}

/** Where each partition has to be read from: the table that is furthest behind decides. */
function startOffsets(
  lanes: readonly Lane[],
  bounds: readonly PartitionBounds[],
): readonly PartitionOffset[] {
  return bounds.map(({ topic, partition, first, end }) => {
    let offset = end;
    for (const lane of lanes) {
      if (lane.topic !== topic || lane.partition !== partition) continue;
      const wanted = lane.unfinished?.first ?? lane.next;
      if (wanted < offset) offset = wanted;
    }
    // What the topic has dropped is told by `gaps`.
    if (offset < first) offset = first;
    return { topic, partition, offset };
  });
}

/** What the topic's retention removed before it was loaded. A gap of one is the marker of a transaction. */
function gaps(lanes: readonly Lane[], bounds: readonly PartitionBounds[]): readonly string[] {
  return lanes.flatMap((lane) => {
    const first = boundsOf(bounds, lane)?.first ?? 0n;
    if (lane.next === 0n || first - lane.next <= 1n) return [];
    return [
      `records ${lane.next} to ${first - 1n} of ${lane.topic}-${lane.partition} are missing in ${lane.table}: ` +
        'the topic had dropped them by its retention before analytics came to them.',
    ];
  });
}

/** Resolves with all records that were read: what lies beyond the repeated block is still to be loaded. */
async function repeatUnfinished(sink: Sink): Promise<readonly StreamRecord[]> {
  const lanes = [...sink.lanes.values()].flat();
  const ranges = lanes.flatMap(({ unfinished }) => (unfinished === undefined ? [] : [unfinished]));
  if (ranges.length === 0) return [];
  const block = new OpenBlock(sink.block);
  const missing = new Set(ranges.map(placeOf));
  const read: StreamRecord[] = [];
  while (missing.size > 0 && !sink.signal.aborted) {
    const batch = await sink.reader.poll({
      waitMs: sink.limits.idlePollMs,
      recordsMax: sink.limits.pollRecordsMax,
    });
    for (const record of batch.records) {
      read.push(record);
      for (const lane of sink.lanes.get(placeOfPartition(record)) ?? []) {
        const range = lane.unfinished;
        if (range === undefined) continue;
        if (record.offset >= range.first && record.offset < range.next) block.add(lane, record);
        if (record.offset >= range.next - 1n) missing.delete(placeOf(lane));
      }
    }
    for (const lane of batch.ends.flatMap((end) => sink.lanes.get(placeOfPartition(end)) ?? [])) {
      missing.delete(placeOf(lane));
    }
  }
  if (!sink.signal.aborted) {
    await writeRows(sink, block, block.inserts(sink.feeds, block.ranges(ranges)));
  }
  return read;
}

/** The endless loop: one block is written while the next one is read. */
async function follow(sink: Sink, read: readonly StreamRecord[]): Promise<void> {
  const { reader, limits, signal } = sink;
  let block = new OpenBlock(sink.block + 1);
  let openedAtMs = 0;
  let isWriting = false;
  let writing = Promise.resolve();
  let records = read;
  while (!signal.aborted) {
    if (block.records === 0) openedAtMs = Date.now();
    accept(sink, block, records);
    const waitedMs = Date.now() - openedAtMs;
    const isFull = block.records >= limits.blockRecordsMax;
    const isDue = block.records > 0 && waitedMs >= limits.lingerMs;
    if (isFull || (isDue && !isWriting)) {
      const ranges = cut(sink, block);
      // While the last block is still on its way into ClickHouse.
      const inserts = await encoded(sink, block, ranges);
      await writing;
      isWriting = true;
      writing = write(sink, block, ranges, inserts).finally(() => {
        isWriting = false;
      });
      // It is awaited before the next block; until then a failure must not end the process unseen.
      writing.catch(() => undefined);
      block = new OpenBlock(block.number + 1);
    } else if (!isWriting) {
      await writing;
    }
    const lingerMs = block.records === 0 ? limits.idlePollMs : limits.lingerMs - waitedMs;
    const batch = await reader.poll({
      waitMs: Math.max(5, Math.min(limits.idlePollMs, lingerMs)),
      recordsMax: limits.pollRecordsMax,
    });
    records = batch.records;
  }
  await writing;
}

/** Each table takes what it does not hold yet; the rest is a repetition and changes nothing. */
function accept(sink: Sink, block: OpenBlock, records: readonly StreamRecord[]): void {
  for (const record of records) {
    for (const lane of sink.lanes.get(placeOfPartition(record)) ?? []) {
      if (record.offset >= block.nextOf(lane)) block.add(lane, record);
    }
  }
}

/** Its lanes go on behind the block at once, so that the next block can be filled meanwhile. */
function cut(sink: Sink, block: OpenBlock): readonly Range[] {
  const ranges = block.ranges();
  const nextByPlace = new Map(ranges.map((range) => [placeOf(range), range.next]));
  for (const [place, lanes] of sink.lanes) {
    sink.lanes.set(
      place,
      lanes.map((lane) => ({ ...lane, next: nextByPlace.get(placeOf(lane)) ?? lane.next })),
    );
  }
  return ranges;
}

async function encoded(
  { store, feeds }: Sink,
  block: OpenBlock,
  ranges: readonly Range[],
): Promise<readonly TableRows[]> {
  const inserts: TableRows[] = [];
  for (const insert of block.inserts(feeds, ranges)) {
    inserts.push((await store.encode?.(insert)) ?? insert);
  }
  return inserts;
}

async function write(
  sink: Sink,
  block: OpenBlock,
  ranges: readonly Range[],
  inserts: readonly TableRows[],
): Promise<void> {
  await writeRanges(sink.store, ranges, Date.now());
  await writeRows(sink, block, inserts);
}

async function writeRows(
  sink: Sink,
  block: OpenBlock,
  inserts: readonly TableRows[],
): Promise<void> {
  let rows = 0;
  for (const insert of inserts) rows += await sink.store.insert(insert);
  const { number, records, oldestTimestampMs } = block;
  sink.onWritten({ block: number, records, rows, oldestTimestampMs });
}
