/** Where the inputs of a hop ended at a moment; it is passed when all before these places is worked off. */

export type Place = { readonly topic: string; readonly partition: number; readonly offset: bigint };

export type Fence = { readonly atMs: number; readonly ends: readonly Place[] };

const nameOf = ({ topic, partition }: Omit<Place, 'offset'>): string => `${topic} ${partition}`;

/** False too where a partition is no longer worked by this process. */
export function isPassed(fence: Fence, committed: readonly Place[]): boolean {
  const offsets = new Map(committed.map((place) => [nameOf(place), place.offset]));
  return fence.ends.every((end) => (offsets.get(nameOf(end)) ?? -1n) >= end.offset);
}
