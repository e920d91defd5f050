/** How many records a consumer has not read yet. */
import type { PartitionOffset } from './ports.ts';

/** The places up to which a consumer has seen everything, as far as it knows. */
export type Ends = {
  readonly reached: (ends: readonly PartitionOffset[]) => void;
  /** Records between `position` and the end; control records that no step ever sees do not count at the end. */
  readonly behind: (position: PartitionOffset, knownEnd: bigint | undefined) => number;
  /** The position, or the end behind it that only control records lie before. */
  readonly passed: (position: PartitionOffset) => bigint;
};

export function createEnds(): Ends {
  const reached = new Map<string, bigint>();
  const passed = ({ topic, partition, offset }: PartitionOffset): bigint => {
    const seen = reached.get(`${topic}-${partition}`) ?? 0n;
    return seen > offset ? seen : offset;
  };
  return {
    passed,
    reached: (ends) => {
      for (const { topic, partition, offset } of ends) reached.set(`${topic}-${partition}`, offset);
    },
    behind: (position, knownEnd) => {
      if (knownEnd === undefined) return 0;
      const from = passed(position);
      return knownEnd > from ? Number(knownEnd - from) : 0;
    },
  };
}
