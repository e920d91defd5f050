/**
 * How far one hop contains what the sources committed. Whoever is before it says: "by now, everything up to then can be
 * read"; once the hop has worked off everything that could be read at that moment, the same holds behind it.
 */

/** What the hop before says of one source and one partition of ours. */
export type Word = {
  readonly source: string;
  readonly partition: number;
  /** Everything that the source committed up to here … */
  readonly asOf: number;
  /** … could be read at this time. */
  readonly saidAt: number;
};

const heldMax = 1_000;
const placeOf = (source: string, partition: number): string => `${source}|${partition}`;

export class Hop {
  private readonly waiting = new Map<string, Word[]>();
  private readonly contained = new Map<string, Word>();

  hear(word: Word): void {
    const place = placeOf(word.source, word.partition);
    const words = this.waiting.get(place) ?? [];
    words.push(word);
    // A hop that stands still for long needs no more than some steps of the way it has before it.
    if (words.length > heldMax) words.splice(1, 1);
    this.waiting.set(place, words);
  }

  /** All that could be read at `atMs` in this partition is worked off and committed. */
  passed(partition: number, atMs: number): void {
    for (const [place, words] of this.waiting) {
      if (words[0]?.partition !== partition) continue;
      const later = words.findIndex((word) => word.saidAt > atMs);
      const done = later < 0 ? words.splice(0) : words.splice(0, later);
      const last = done.at(-1);
      if (last !== undefined) this.contained.set(place, last);
    }
  }

  /** Everything that the source committed up to here is contained; undefined: not known yet. */
  asOf(source: string, partition: number): number | undefined {
    return this.contained.get(placeOf(source, partition))?.asOf;
  }
}
