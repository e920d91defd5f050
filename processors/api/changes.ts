/** The recent changes of each partition, bounded, so that a reader who was away a while misses nothing. */
import type { ChannelStock, StockLevel } from '../../schemas/types.ts';
import type { Places } from './cursor.ts';

export type Change =
  | { readonly kind: 'stock'; readonly level: StockLevel }
  | { readonly kind: 'channel'; readonly figure: ChannelStock };

type Kept = { readonly offset: number; readonly change: Change };

type Partition = {
  kept: Kept[];
  /** Of `kept`, so many have been given up already. */
  given: number;
  /** Offsets below are not kept any more. */
  from: number;
  /** The next offset to come. */
  next: number;
};

export type Recent =
  | { readonly kind: 'expired' }
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly places: Places };

export class RecentChanges {
  readonly #partitions = new Map<string, Partition>();
  readonly #keptMax: number;

  /** `keptMax` changes are kept per partition. */
  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  /** Names a partition that will be read, and from where. */
  open(place: string, offset: number): void {
    this.#partitions.set(place, { kept: [], given: 0, from: offset, next: offset });
  }

  add(place: string, offset: number, change: Change): void {
    const partition = this.#of(place);
    partition.kept.push({ offset, change });
    partition.next = offset + 1;
    if (partition.kept.length - partition.given > this.#keptMax) {
      partition.from = (partition.kept[partition.given]?.offset ?? 0) + 1;
      partition.given += 1;
    }
    if (partition.given > this.#keptMax) {
      partition.kept = partition.kept.slice(partition.given);
      partition.given = 0;
    }
  }

  /** Offsets below `next` have been read, whatever lay there. */
  advance(place: string, next: number): void {
    const partition = this.#of(place);
    partition.next = Math.max(partition.next, next);
  }

  /** The place after everything that is known. */
  places(): Places {
    return new Map([...this.#partitions].map(([place, { next }]) => [place, next]));
  }

  /**
   * At most `limit` changes since `places`, in the order of each partition; a partition that `places` does not name
   * begins with what comes now.
   */
  since(places: Places, limit: number): Recent {
    const changes: Change[] = [];
    const reached = new Map<string, number>();
    for (const [place, partition] of this.#partitions) {
      const from = places.get(place) ?? partition.next;
      if (from < partition.from) return { kind: 'expired' };
      const start = firstAtOrAfter(partition, from);
      const taken = partition.kept.slice(start, start + Math.max(0, limit - changes.length));
      for (const { change } of taken) changes.push(change);
      const isWhole = start + taken.length === partition.kept.length;
      const last = taken.at(-1)?.offset;
      const behind = last === undefined ? from : last + 1;
      reached.set(place, isWhole ? Math.max(from, partition.next) : behind);
    }
    return { kind: 'changes', changes, places: reached };
  }

  #of(place: string): Partition {
    const known = this.#partitions.get(place);
    if (known === undefined) throw new Error(`partition ${place} is not followed`);
    return known;
  }
}

function firstAtOrAfter({ kept, given }: Partition, offset: number): number {
  let low = given;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((kept[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
