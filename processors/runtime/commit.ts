/**
 * Takes down what a session has open: outputs, changelog and offsets in one transaction, then the local stores.
 * What it does after trouble: aborted: roll the state back and read again; unknown or lost: the session is over.
 */
import { recoveryOf } from './errors.ts';
import { limits } from './limits.ts';
import type { Pace } from './pace.ts';
import { type Owned, places, type Session } from './session.ts';
import type { Transfer } from './task.ts';
import type { WorkerOptions } from './worker.ts';

type Transferred = { readonly owned: Owned; readonly transfer: Transfer };

/** Commits; 'over': this session's producer must not be used for another transaction. */
export type Commit = (session: Session) => Promise<'open' | 'over'>;

export function createCommit<S>(options: WorkerOptions<S>, pace: Pace): Commit {
  const { clock, statistics, telemetry, transactions } = options;
  let abortsInRow = 0;

  const rollback = (session: Session): 'open' => {
    for (const { task } of session.owned.values()) task.rollback();
    options.source.assign(places(options.topology, session.owned));
    return 'open';
  };

  return async (session) => {
    const startedMs = clock.nowMs();
    session.openSinceMs = undefined;
    session.openRecords = 0;
    const transferred = transferredOf(session, startedMs, options);
    if (transferred === 'refused') return rollback(session);
    if (transferred.length === 0) return 'open';
    const outcome = await transactions.run(
      transferred.flatMap(({ transfer }) => transfer.outputs),
      transferred.flatMap(({ transfer }) => transfer.offsets),
    );
    if (outcome === 'committed') {
      abortsInRow = 0;
      settle(transferred, clock.nowMs());
      const all = transferred.map(({ transfer }) => transfer);
      const commitMs = clock.nowMs() - startedMs;
      const told = summary(all, commitMs);
      statistics.committed(all, commitMs);
      telemetry.committed(told);
      pace.committed({ nowMs: clock.nowMs(), tookMs: commitMs, records: told.records });
      if (!transactions.usable()) return 'over';
      moveReplayPlaces(session, options);
      return 'open';
    }
    statistics.aborted();
    if (outcome === 'unknown' || !transactions.usable()) return 'over';
    // The first attempt again at once; what fails again and again is not helped by haste.
    if (abortsInRow > 0) await clock.sleep(pauseAfter(abortsInRow));
    abortsInRow += 1;
    return rollback(session);
  };
}

/** What each task wants written; 'refused' when one found a record that it must refuse after all. */
function transferredOf<S>(
  session: Session,
  nowMs: number,
  { telemetry }: WorkerOptions<S>,
): readonly Transferred[] | 'refused' {
  try {
    return [...session.owned.values()].flatMap((owned) => {
      const transfer = owned.task.transfer(nowMs);
      return transfer === undefined ? [] : [{ owned, transfer }];
    });
  } catch (error) {
    if (recoveryOf(error) !== 'abort') throw error;
    telemetry.log('warn', 'transaction begun again', { error: String(error) });
    return 'refused';
  }
}

/** The local stores and the tasks follow what Kafka has. */
function settle(transferred: readonly Transferred[], writtenAtMs: number): void {
  for (const { owned, transfer } of transferred) {
    const { changelogOffset } = owned.stored;
    owned.stored = { ...transfer.checkpoint, changelogOffset, writtenAtMs };
    owned.store.write(transfer.changes, owned.stored);
    owned.task.commit();
    owned.commitsSinceEnd += 1;
  }
}

/** The end may have been told while the first commit after it was on its way; the second one began behind it. */
const commitsBehindEnd = 2;

/**
 * Moves the place from which a restart replays the changelog: to an end that was told before, so that all before it is
 * in the store, and committed checkpoints lie after it. Nobody waits for the next end: the broker answers it only after
 * the fetch that is under way.
 */
function moveReplayPlaces<S>(
  session: Session,
  { clock, source, telemetry, topology }: WorkerOptions<S>,
): void {
  if (clock.nowMs() < session.nextReplayMoveMs) return;
  session.nextReplayMoveMs = clock.nowMs() + limits.replayPlaceMs;
  const moved = [...session.owned].filter(([, owned]) => owned.commitsSinceEnd >= commitsBehindEnd);
  if (moved.length === 0) return;
  for (const [, owned] of moved) {
    owned.stored = { ...owned.stored, changelogOffset: owned.nextReplay };
    owned.store.write([], owned.stored);
  }
  const places = moved.map(([partition]) => ({ topic: `${topology.name}.changelog`, partition }));
  source.ends(places).then(
    (ends) => {
      moved.forEach(([, owned], index) => {
        owned.nextReplay = ends[index] ?? owned.nextReplay;
        owned.commitsSinceEnd = 0;
      });
    },
    (error: unknown) => telemetry.log('debug', 'replay place not moved', { error: String(error) }),
  );
}

/** Twice as long each time, within the limits. */
function pauseAfter(attempts: number): number {
  return Math.min(limits.retryMinMs * 2 ** Math.min(attempts, 20), limits.retryMaxMs);
}

function summary(transfers: readonly Transfer[], commitMs: number) {
  const counts = new Map<string, number>();
  for (const transfer of transfers) {
    for (const [metric, by] of transfer.counts) counts.set(metric, (counts.get(metric) ?? 0) + by);
  }
  const sum = (of: (transfer: Transfer) => number) =>
    transfers.reduce((total, transfer) => total + of(transfer), 0);
  return {
    records: sum(({ records }) => records),
    outputs: sum(({ outputs }) => outputs.length),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    commitMs,
    counts,
  };
}
