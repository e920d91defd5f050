/** Every bound of the runtime, with its unit. */
export const limits = {
  /** Records of one poll: large enough to be cheap, small enough to commit in time. */
  pollRecordsMax: 1_000,
  /** Records of one transaction; more than that and it is committed however young it is. */
  transactionRecordsMax: 10_000,
  /** Bytes of an output, key and value; a larger one makes its input a dead letter. Topics may declare another. */
  recordBytesMax: 1_000_000,
  /** Bytes of the largest record that the client shall write: a dead letter holds a whole input. */
  producedBytesMax: 4_500_000,
  /**
   * Under load a transaction grows from the first age to the second, which only a backlog of a second reaches; without
   * load it is committed at once.
   */
  transactionAgeMinMs: 5,
  transactionAgeMaxMs: 250,
  /**
   * A commit costs the broker a dozen requests, however few records it has. While the middle one of the last so many
   * commits took so long or longer, each with fewer than so many records is followed by a rest of so many times that
   * length, up to the longest. The middle one, since one slow answer says nothing of the next.
   */
  transactionRestCommits: 5,
  transactionRestFromMs: 10,
  transactionRestRecords: 200,
  transactionRests: 2,
  transactionRestMaxMs: 100,
  /** How long an idle poll waits. It returns at once when a record comes. */
  idleWaitMs: 50,
  /** Decoded state values that are kept in memory, per partition. */
  hotCellsMax: 50_000,
  /** Stopping: the open transaction is committed within this time or given up. */
  drainMs: 7_000,
  /** A producer that is silent for longer than this is fenced from outside, and readers stop waiting for it. */
  transactionTimeoutMs: 15_000,
  /** Elastic assignment: a process that is silent for this long loses its partitions to the others. */
  sessionTimeoutMs: 6_000,
  /** A request to the broker fails after this. A call of half of it or more makes the producer suspect. */
  socketTimeoutMs: 6_000,
  /** First and longest pause between attempts of something that passes by itself. */
  retryMinMs: 20,
  retryMaxMs: 2_000,
  /** Restoring without any progress for this long ends the processor. */
  restoreStallMs: 30_000,
  /** A local store that has not been written for longer is rebuilt: half of the changelog's delete.retention.ms. */
  storeAgeMaxMs: 3.5 * 86_400_000,
  /** How often the place in the changelog from which a restart replays is moved on. */
  replayPlaceMs: 1_000,
  /** How often the lag is told to telemetry. */
  lagEveryMs: 1_000,
} as const;

/** How long the changelog keeps tombstones. */
export const changelogTombstonesMs = 2 * limits.storeAgeMaxMs;

/** Two timeouts in the wrong order lose data slowly; this throws at start instead. */
export function checkLimits(): void {
  const { socketTimeoutMs, transactionTimeoutMs, transactionAgeMaxMs } = limits;
  if (2 * socketTimeoutMs >= transactionTimeoutMs) {
    throw new Error('socketTimeoutMs must be less than half of transactionTimeoutMs');
  }
  if (transactionAgeMaxMs >= socketTimeoutMs) {
    throw new Error('transactionAgeMaxMs must be less than socketTimeoutMs');
  }
}
