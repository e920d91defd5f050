/** What the processes say of themselves, once a second, and the sums that people want to see. */

export type ProcessorStatus = {
  /** Records taken in since the process started. */
  readonly records: number;
  readonly lagRecords: number;
  /** Age of the oldest record not yet processed; 0 when there is none. */
  readonly lagSeconds: number;
  readonly transactions: number;
  readonly lastCommitMs: number;
  readonly deadLetters: number;
  /** Counted by the steps themselves: changes, duplicates, movements, ... */
  readonly counted: Readonly<Record<string, number>>;
};

export type ProcessStatus = {
  readonly memoryMb: number;
  readonly processors: Readonly<Record<string, ProcessorStatus>>;
  /** Where the analysts' queries go, if this process serves them. */
  readonly analyticsUrl?: string;
  /** Where the Unified Inventory API answers, if this process serves it. */
  readonly apiUrl?: string;
};

export type Counts = {
  readonly changes: number;
  readonly movements: number;
  readonly duplicates: number;
  readonly deadLetters: number;
};

/** Every processor of every process, by name. */
export function processorsOf(
  status: ReadonlyMap<string, ProcessStatus>,
): readonly (readonly [string, ProcessorStatus])[] {
  return [...status.values()].flatMap((one) => Object.entries(one.processors));
}

export function countsOf(status: ReadonlyMap<string, ProcessStatus>): Counts {
  const all = processorsOf(status).map(([, processor]) => processor);
  const counted = (metric: string): number =>
    all.reduce((sum, processor) => sum + (processor.counted[metric] ?? 0), 0);
  return {
    changes: counted('changes'),
    movements: counted('movements'),
    duplicates: counted('duplicates'),
    deadLetters: all.reduce((sum, processor) => sum + processor.deadLetters, 0),
  };
}
