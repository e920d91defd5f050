/**
 * How far each table has come, as ClickHouse itself holds it: the ranges that were written before each block, and the
 * highest offsets in the tables. Nothing about it is kept in Kafka.
 */
import { type AnalyticsStore, type PartitionBounds, plainRows } from './ports.ts';
import type { Feeds } from './tables.ts';

/** Records of one partition on their way to one table: from `first` up to, not with, `next`. */
export type Range = {
  readonly block: number;
  readonly table: string;
  readonly topic: string;
  readonly lineage: number;
  readonly partition: number;
  readonly first: bigint;
  readonly next: bigint;
  /** Of the record before `next`; 0 when there is none. */
  readonly lastTimestampMs: number;
  readonly records: number;
};

/** One partition's way to one table. */
export type Lane = {
  readonly table: string;
  readonly topic: string;
  readonly partition: number;
  readonly lineage: number;
  /** The first offset that the table does not hold yet. */
  readonly next: bigint;
  /** What is left of a block that may not have been finished: exactly this has to be repeated first. */
  readonly unfinished: Range | undefined;
  /** The last record that the table holds: the topic is the same only if it is still there. */
  readonly proof: { readonly offset: bigint; readonly timestampMs: number } | undefined;
};

export type Progress = {
  /** Number of the last block; 0: none yet. */
  readonly block: number;
  readonly lanes: readonly Lane[];
};

const rangeColumns = [
  'block',
  'table',
  'topic',
  'lineage',
  'partition',
  'first_offset',
  'next_offset',
  'last_timestamp',
  'records',
  'written_at',
];

type HeldRow = readonly [topic: string, lineage: number, partition: number, next: string];

export async function readProgress(
  store: AnalyticsStore,
  feeds: Feeds,
  bounds: readonly PartitionBounds[],
): Promise<Progress> {
  const ranges = await readRanges(store);
  const tables = new Set([...feeds.values()].flat().map((feed) => feed.table));
  const heldRows = new Map<string, readonly HeldRow[]>();
  for (const table of tables) heldRows.set(table, await readHeld(store, table));
  return planProgress(feeds, bounds, ranges, heldRows);
}

/** Pure: what ClickHouse holds → where each lane goes on. */
function planProgress(
  feeds: Feeds,
  bounds: readonly PartitionBounds[],
  ranges: readonly Range[],
  heldRows: ReadonlyMap<string, readonly HeldRow[]>,
): Progress {
  const block = ranges.reduce((last, range) => Math.max(last, range.block), 0);
  const lineages = currentLineages(ranges, heldRows);
  const lanes = bounds.flatMap(({ topic, partition }) =>
    (feeds.get(topic) ?? []).map(({ table }): Lane => {
      const lineage = lineages.get(topic) ?? 1;
      const range = ranges.find(
        (one) =>
          one.table === table &&
          one.topic === topic &&
          one.partition === partition &&
          one.lineage === lineage,
      );
      const held = BigInt(
        heldRows
          .get(table)
          ?.find((row) => row[0] === topic && row[1] === lineage && row[2] === partition)?.[3] ?? 0,
      );
      const rangeNext = range?.next ?? 0n;
      // Rows beyond the last range: the ranges were lost, or are from an older copy.
      const next = held > rangeNext ? held : rangeNext;
      const known = range !== undefined && range.first < range.next && next === rangeNext;
      return {
        table,
        topic,
        partition,
        lineage,
        next,
        unfinished: known && range.block === block ? range : undefined,
        proof: known ? { offset: next - 1n, timestampMs: range.lastTimestampMs } : undefined,
      };
    }),
  );
  return { block, lanes };
}

function currentLineages(
  ranges: readonly Range[],
  heldRows: ReadonlyMap<string, readonly HeldRow[]>,
): ReadonlyMap<string, number> {
  const lineages = new Map<string, number>();
  const seen = [
    ...ranges.map((range) => [range.topic, range.lineage] as const),
    ...[...heldRows.values()].flat(),
  ];
  for (const [topic, lineage] of seen) {
    lineages.set(topic, Math.max(lineage, lineages.get(topic) ?? 1));
  }
  return lineages;
}

async function readRanges(store: AnalyticsStore): Promise<readonly Range[]> {
  const rows = (await store.select(
    'SELECT toString(block), table, topic, lineage, partition, toString(first_offset), toString(next_offset), ' +
      'toString(toUnixTimestamp64Milli(last_timestamp)), toString(records) FROM load_ranges FINAL',
  )) as readonly (readonly [
    string,
    string,
    string,
    number,
    number,
    string,
    string,
    string,
    string,
  ])[];
  return rows.map(
    ([block, table, topic, lineage, partition, first, next, lastTimestamp, records]) => ({
      block: Number(block),
      table,
      topic,
      lineage,
      partition,
      first: BigInt(first),
      next: BigInt(next),
      lastTimestampMs: Number(lastTimestamp),
      records: Number(records),
    }),
  );
}

async function readHeld(store: AnalyticsStore, table: string): Promise<readonly HeldRow[]> {
  return (await store.select(
    `SELECT _topic, _lineage, _partition, toString(max(_offset) + 1) FROM ${table} ` +
      'GROUP BY _topic, _lineage, _partition',
  )) as readonly HeldRow[];
}

/** Says what is about to be written, before it is. */
export async function writeRanges(
  store: AnalyticsStore,
  ranges: readonly Range[],
  nowMs: number,
): Promise<void> {
  const rows = ranges.map((range) => [
    range.block,
    range.table,
    range.topic,
    range.lineage,
    range.partition,
    Number(range.first),
    Number(range.next),
    range.lastTimestampMs,
    range.records,
    nowMs,
  ]);
  await store.insert(plainRows('load_ranges', rangeColumns, rows));
}
