/** Dead letters as a person sees them: which are still open, which a redrive takes, which it keeps back. Pure. */
import type { DeadLetter } from '../../schemas/types.ts';

/** A dead letter with its own place, such as `2-17`. */
export type FiledLetter = { readonly place: string; readonly letter: DeadLetter };

export type LetterFilter = {
  /** Code, such as LATE. */
  readonly reason?: string;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly topic?: string;
  readonly max?: number;
};

/** The code of the note that a dead letter has been redriven; it names the letter's place as its reason. */
export const redrivenCode = 'REDRIVEN';

/** Those that nobody has redriven. */
export function openLetters(all: readonly FiledLetter[]): readonly FiledLetter[] {
  const redriven = new Set(
    all.filter(({ letter }) => letter.code === redrivenCode).map(({ letter }) => letter.reason),
  );
  return all.filter(({ place, letter }) => letter.code !== redrivenCode && !redriven.has(place));
}

export function filtered(
  letters: readonly FiledLetter[],
  filter: LetterFilter,
): readonly FiledLetter[] {
  const wanted = letters.filter(
    ({ letter }) =>
      (filter.reason === undefined || letter.code === filter.reason) &&
      (filter.topic === undefined || letter.topic === filter.topic) &&
      (filter.since === undefined || letter.timestamp >= filter.since),
  );
  return filter.max === undefined ? wanted : wanted.slice(0, filter.max);
}

export type RedrivePlan = {
  /** In the order in which they came. */
  readonly send: readonly FiledLetter[];
  /** Redriven too often: sending them again would go round in circles. */
  readonly keptBack: readonly FiledLetter[];
};

export function planRedrive(letters: readonly FiledLetter[], redrivesMax: number): RedrivePlan {
  const inOrder = [...letters].sort(
    (one, other) =>
      compare(one.letter.topic, other.letter.topic) ||
      one.letter.partition - other.letter.partition ||
      one.letter.offset - other.letter.offset,
  );
  return {
    send: inOrder.filter(({ letter }) => letter.redrives < redrivesMax),
    keptBack: inOrder.filter(({ letter }) => letter.redrives >= redrivesMax),
  };
}

/** How many there are of each code and topic, most first. */
export function histogram(
  letters: readonly FiledLetter[],
): readonly (readonly [code: string, topic: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { letter } of letters) {
    const name = `${letter.code}\n${letter.topic}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .map(([name, count]) => [...(name.split('\n') as [string, string]), count] as const)
    .sort((one, other) => other[2] - one[2]);
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
