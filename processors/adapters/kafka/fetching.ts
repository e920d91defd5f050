/**
 * Whether a client still fetches what it was assigned. It may have given a partition up without a word: node-rdkafka drops an error
 * that comes behind records, and an offset that is not kept any more, say, ends a partition's fetching for good.
 */
import type { PartitionOffset } from '../../runtime/ports.ts';

type Placed = { readonly topic: string; readonly partition: number; readonly offset: bigint };

/** What a reading has brought; `isAll`: the client had no more to hand over. */
export type Heard = {
  readonly records: readonly Placed[];
  readonly ends: readonly Placed[];
  readonly isAll: boolean;
};

export type Fetching = {
  readonly heard: (heard: Heard) => void;
  /** Where reading goes on: behind all that was handed over, else where it was to begin. */
  readonly positions: () => readonly PartitionOffset[];
  /**
   * The partition that stands where it stood at the last look, and was not at its end then either, although the client
   * has handed over all it had meanwhile. `ends` has the end of each partition in the order in which they were assigned.
   */
  readonly stalled: (ends: readonly bigint[]) => PartitionOffset | undefined;
};

const placeOf = ({ topic, partition }: Placed): string => `${topic} ${partition}`;

/** Of places that have just been assigned. */
export function fetching(placed: readonly PartitionOffset[]): Fetching {
  const reached = new Map<string, bigint>();
  let waiting: ReadonlyMap<string, bigint> = new Map();
  let isDrained = false;
  const positionOf = (place: PartitionOffset): bigint =>
    reached.get(placeOf(place)) ?? place.offset;

  return {
    heard: ({ records, ends, isAll }) => {
      isDrained ||= isAll;
      records.forEach((record, index) => {
        // Records of one partition come in a row: the last one of a row is enough.
        const next = records[index + 1];
        if (next?.partition === record.partition && next.topic === record.topic) return;
        reached.set(placeOf(record), record.offset + 1n);
      });
      for (const end of ends) reached.set(placeOf(end), end.offset);
    },
    positions: () => placed.map((place) => ({ ...place, offset: positionOf(place) })),
    stalled: (ends) => {
      // Where it is at its end and has said nothing of it, it has not even begun: that is told too.
      const behind = placed.filter((place, index) => positionOf(place) !== ends[index]);
      const found = behind.find((place) => waiting.get(placeOf(place)) === positionOf(place));
      const stalled = isDrained ? found : undefined;
      waiting = new Map(behind.map((place) => [placeOf(place), positionOf(place)]));
      isDrained = false;
      return stalled;
    },
  };
}
