/**
 * The loop of one processor in one process: poll, apply, commit, over and over, for the partitions it owns.
 * What it does after trouble: aborted: roll the state back and read again; unknown or lost: begin a new session.
 */
import type { AnyInput } from '../topology/validate.ts';
import { decodeBatch } from './decode.ts';
import { recoveryOf, stop } from './errors.ts';
import { limits } from './limits.ts';
import { createPace } from './pace.ts';
import type { RecordSource } from './ports.ts';
import { type Owned, openSession, places, type Session, type SessionOptions } from './session.ts';
import { createEnds, type Statistics } from './statistics.ts';
import type { Transfer } from './task.ts';

export type WorkerOptions<S> = SessionOptions<S> & { readonly statistics: Statistics };

export type Worker = {
  /** Works until the signal; resolves when the open transaction is committed. Throws what cannot be survived. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly lagRecords: () => number;
};

export function createWorker<S>(options: WorkerOptions<S>): Worker {
  const { topology, source, clock, telemetry, statistics } = options;
  const inputs = new Map<string, AnyInput>(topology.inputs.map((input) => [input.name, input]));
  const ends = createEnds();
  const pace = createPace();
  let current: Session | undefined;
  let abortsInRow = 0;

  const run = async (signal: AbortSignal): Promise<void> => {
    let pauseMs: number = limits.retryMinMs;
    while (!signal.aborted) {
      try {
        statistics.enter('restoring');
        const session = await openSession(options, signal);
        for (const _ of session.owned) statistics.restored();
        current = session;
        statistics.enter('running');
        await pump(session, signal);
        pauseMs = limits.retryMinMs;
      } catch (error) {
        if (recoveryOf(error) === 'stop') throw error;
        statistics.enter('waiting', String(error));
        telemetry.log('warn', 'session lost', { error: String(error) });
        await clock.sleep(pauseMs, signal);
        pauseMs = Math.min(2 * pauseMs, limits.retryMaxMs);
      }
    }
  };

  /** Until the signal, or until the session is over: its producer must not be used for another transaction. */
  const pump = async (session: Session, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const open = session.openSinceMs !== undefined;
      if (open) await clock.sleep(pace.restMs(clock.nowMs()), signal);
      const nowMs = clock.nowMs();
      const waitMs = open
        ? 0
        : Math.min(limits.idleWaitMs, Math.max(0, session.nextTickMs - nowMs));
      const poll = await source.poll({ recordsMax: limits.pollRecordsMax, waitMs });
      ends.reached(poll.ends);
      if (poll.records.length > 0) await applyRecords(session, poll.records);
      applyTick(session);
      const drained = poll.records.length < limits.pollRecordsMax;
      if (isDue(session, drained) && (await commit(session)) === 'over') return;
    }
    statistics.enter('draining');
    await commit(session);
  };

  const applyRecords = async (
    session: Session,
    records: Awaited<ReturnType<RecordSource['poll']>>['records'],
  ): Promise<void> => {
    const decoded = await decodeBatch(
      records,
      (name) => inputOf(inputs, name),
      options.codecs,
      learn,
    );
    for (const one of decoded) ownedOf(session, one.raw.partition).task.apply(one);
    session.openSinceMs ??= clock.nowMs();
    session.openRecords += records.length;
    statistics.taken((records.at(-1) as (typeof records)[number]).timestampMs);
  };

  /** A schema that the registry cannot give now holds the processor up: guessing would lose the record. */
  const learn = async (schemaId: number): Promise<void> => {
    let pauseMs: number = limits.retryMinMs;
    for (;;) {
      try {
        await options.codecs.learn(schemaId);
        statistics.enter('running');
        return;
      } catch (error) {
        if (recoveryOf(error) !== 'retry') throw error;
        statistics.enter('waiting', String(error));
        telemetry.log('warn', 'schema awaited', { schemaId, error: String(error) });
        await clock.sleep(pauseMs);
        pauseMs = Math.min(2 * pauseMs, limits.retryMaxMs);
      }
    }
  };

  const applyTick = (session: Session): void => {
    const nowMs = clock.nowMs();
    if (topology.tickMs === undefined || nowMs < session.nextTickMs) return;
    for (const { task } of session.owned.values()) task.tick(nowMs);
    session.nextTickMs = nowMs + topology.tickMs;
    session.openSinceMs ??= nowMs;
  };

  const isDue = (session: Session, drained: boolean): boolean => {
    if (session.openSinceMs === undefined) return false;
    const nowMs = clock.nowMs();
    return pace.isDue({
      nowMs,
      ageMs: nowMs - session.openSinceMs,
      records: session.openRecords,
      drained,
    });
  };

  const commit = async (session: Session): Promise<'open' | 'over'> => {
    const startedMs = clock.nowMs();
    session.openSinceMs = undefined;
    session.openRecords = 0;
    const transfers = transfersOf(session, startedMs);
    if (transfers === 'refused') return rollback(session);
    if (transfers.length === 0) return 'open';
    const outcome = await options.transactions.run(
      transfers.flatMap(({ transfer }) => transfer.outputs),
      transfers.flatMap(({ transfer }) => transfer.offsets),
    );
    if (outcome === 'committed') {
      abortsInRow = 0;
      settle(transfers, clock.nowMs() - startedMs);
      pace.committed(clock.nowMs());
      if (!options.transactions.usable()) return 'over';
      await moveReplayPlaces(session);
      return 'open';
    }
    statistics.aborted();
    if (outcome === 'unknown' || !options.transactions.usable()) return 'over';
    // The first attempt again at once; what fails again and again is not helped by haste.
    if (abortsInRow > 0) await clock.sleep(pauseAfter(abortsInRow));
    abortsInRow += 1;
    return rollback(session);
  };

  /** What each task wants written; 'refused' when one found a record that it must refuse after all. */
  const transfersOf = (session: Session, nowMs: number) => {
    try {
      return [...session.owned.values()]
        .map((owned) => ({ owned, transfer: owned.task.transfer(nowMs) }))
        .filter(hasTransfer);
    } catch (error) {
      if (recoveryOf(error) !== 'abort') throw error;
      telemetry.log('warn', 'transaction begun again', { error: String(error) });
      return 'refused';
    }
  };

  const rollback = (session: Session): 'open' => {
    for (const { task } of session.owned.values()) task.rollback();
    source.assign(places(topology, session.owned));
    return 'open';
  };

  const settle = (
    transfers: readonly { readonly owned: Owned; readonly transfer: Transfer }[],
    commitMs: number,
  ): void => {
    const writtenAtMs = clock.nowMs();
    for (const { owned, transfer } of transfers) {
      owned.stored = {
        ...transfer.checkpoint,
        changelogOffset: owned.stored.changelogOffset,
        writtenAtMs,
      };
      owned.store.write(transfer.changes, owned.stored);
      owned.task.commit();
      owned.committedSinceMove = true;
    }
    const all = transfers.map(({ transfer }) => transfer);
    statistics.committed(all, commitMs);
    telemetry.committed(summary(all, commitMs));
  };

  /**
   * Moves the place from which a restart replays the changelog. The end is asked for between two transactions, so all
   * before it is in the store; the place before last is taken, so that a committed checkpoint always lies after it.
   */
  const moveReplayPlaces = async (session: Session): Promise<void> => {
    if (clock.nowMs() < session.nextReplayMoveMs) return;
    session.nextReplayMoveMs = clock.nowMs() + limits.replayPlaceMs;
    for (const [partition, owned] of session.owned) {
      if (!owned.committedSinceMove) continue;
      const end = await source.end({ topic: `${topology.name}.changelog`, partition });
      owned.stored = { ...owned.stored, changelogOffset: owned.nextReplay };
      owned.nextReplay = end;
      owned.committedSinceMove = false;
      owned.store.write([], owned.stored);
    }
  };

  const lagRecords = (): number => {
    let behind = 0;
    for (const { task } of current?.owned.values() ?? []) {
      for (const topic of inputs.keys()) {
        const place = { topic, partition: task.partition };
        behind += ends.behind(place, task.position(topic), source.knownEnd(place));
      }
    }
    return behind;
  };

  return { run, lagRecords };
}

/** Twice as long each time, within the limits. */
function pauseAfter(attempts: number): number {
  return Math.min(limits.retryMinMs * 2 ** Math.min(attempts, 20), limits.retryMaxMs);
}

function hasTransfer(one: {
  readonly owned: Owned;
  readonly transfer: Transfer | undefined;
}): one is { readonly owned: Owned; readonly transfer: Transfer } {
  return one.transfer !== undefined;
}

function ownedOf(session: Session, partition: number): Owned {
  const owned = session.owned.get(partition);
  if (owned === undefined) throw stop('NOT_OWNED', `a record of partition ${partition} came`);
  return owned;
}

function inputOf(inputs: ReadonlyMap<string, AnyInput>, name: string): AnyInput {
  const input = inputs.get(name);
  if (input === undefined) throw stop('NOT_AN_INPUT', `a record of ${name} came`);
  return input;
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
