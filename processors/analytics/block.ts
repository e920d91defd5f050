/** A block in the making: records by lane, cut at fixed offsets, so that the same ranges always give the same rows. */
import type { StreamRecord } from '../topology/topology.ts';
import type { Feed } from './feed.ts';
import type { TableRows } from './ports.ts';
import type { Lane, Range } from './progress.ts';
import type { Feeds } from './tables.ts';

type OpenLane = { readonly lane: Lane; readonly records: StreamRecord[]; next: bigint };

export class OpenBlock {
  readonly number: number;
  /** Records in it; one that goes to two tables counts once for each. */
  records = 0;
  oldestTimestampMs = Number.POSITIVE_INFINITY;
  private readonly lanes = new Map<Lane, OpenLane>();

  constructor(number: number) {
    this.number = number;
  }

  /** The next offset that the lane takes. */
  nextOf(lane: Lane): bigint {
    return this.lanes.get(lane)?.next ?? lane.next;
  }

  add(lane: Lane, record: StreamRecord): void {
    const open = this.lanes.get(lane) ?? { lane, records: [], next: lane.next };
    open.records.push(record);
    open.next = record.offset + 1n;
    this.lanes.set(lane, open);
    this.records += 1;
    this.oldestTimestampMs = Math.min(this.oldestTimestampMs, record.timestampMs);
  }

  /** What it covers: from the lanes' own positions, or exactly the `fixed` ranges of a block that is repeated. */
  ranges(fixed: readonly Range[] = []): readonly Range[] {
    if (fixed.length > 0) return sorted(fixed);
    return sorted(
      [...this.lanes.values()].map(({ lane, records, next }) => ({
        block: this.number,
        table: lane.table,
        topic: lane.topic,
        lineage: lane.lineage,
        partition: lane.partition,
        first: lane.next,
        next,
        lastTimestampMs: records.at(-1)?.timestampMs ?? 0,
        records: records.length,
      })),
    );
  }

  /** One insert per table, rows in the order of topic, partition and offset. */
  inserts(feeds: Feeds, ranges: readonly Range[]): readonly TableRows[] {
    const records = new Map(
      [...this.lanes.values()].map((open) => [placeOf(open.lane), open.records]),
    );
    return [...new Set(ranges.map((range) => range.table))].flatMap((table) => {
      const own = ranges.filter((range) => range.table === table);
      const first = feedOf(feeds, own[0]);
      if (first === undefined) return [];
      const { columns } = first;
      const items = { [Symbol.iterator]: () => itemsOf(feeds, own, records) };
      return [{ table, columns, items, read: first.read }];
    });
  }
}

/** The topics of several channels go to one table, each told by its own feed. */
function* itemsOf(
  feeds: Feeds,
  ranges: readonly Range[],
  records: ReadonlyMap<string, readonly StreamRecord[]>,
): Generator<unknown> {
  for (const range of ranges) {
    const feed = feedOf(feeds, range);
    for (const record of records.get(placeOf(range)) ?? []) {
      yield* feed?.items({ record, lineage: range.lineage }) ?? [];
    }
  }
}

function feedOf(feeds: Feeds, range: Range | undefined): Feed | undefined {
  return feeds.get(range?.topic ?? '')?.find((feed) => feed.table === range?.table);
}

/** Names a lane, or the lane of a range. */
export function placeOf(place: {
  readonly table: string;
  readonly topic: string;
  readonly partition: number;
}): string {
  return `${place.table} ${place.topic} ${place.partition}`;
}

function sorted(ranges: readonly Range[]): readonly Range[] {
  return [...ranges].sort(
    (one, other) =>
      compareText(one.table, other.table) ||
      compareText(one.topic, other.topic) ||
      one.partition - other.partition,
  );
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
