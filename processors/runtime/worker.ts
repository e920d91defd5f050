/**
 * The loop of one processor in one process: poll, apply, commit, over and over, for the partitions it owns; a new
 * session whenever the old one is over.
 */
import type { Topology } from '../topology/topology.ts';
import type { AnyInput } from '../topology/validate.ts';
import { createCommit } from './commit.ts';
import { decodeEach } from './decode.ts';
import { recoveryOf, stop } from './errors.ts';
import { createEnds, type Ends } from './lag.ts';
import { limits } from './limits.ts';
import { createPace, type Pace } from './pace.ts';
import { patiently } from './patience.ts';
import type { PartitionOffset, RecordSource } from './ports.ts';
import { type Owned, openSession, type Session, type SessionOptions } from './session.ts';
import type { Statistics } from './statistics.ts';

export type WorkerOptions<S> = SessionOptions<S> & { readonly statistics: Statistics };

export type Worker = {
  /** Works until the signal; resolves when the open transaction is committed. Throws what cannot be survived. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly lagRecords: () => number;
  /** Of each input partition that is owned: all before this place is worked off and committed. */
  readonly committed: () => readonly PartitionOffset[];
};

export function createWorker<S>(options: WorkerOptions<S>): Worker {
  const { topology, source, clock, telemetry, statistics } = options;
  const inputs = new Map<string, AnyInput>(topology.inputs.map((input) => [input.name, input]));
  const ends = createEnds();
  const pace = createPace(topology.gatherMs);
  const commit = createCommit(options, pace);
  const never = new AbortController().signal;
  let current: Session | undefined;

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
      const waitMs = open ? 0 : idleMs(session, clock.nowMs());
      const poll = await source.poll({ recordsMax: limits.pollRecordsMax, waitMs });
      ends.reached(poll.ends);
      if (poll.records.length > 0) await applyRecords(session, poll.records);
      applyTick(session, topology, clock.nowMs());
      const drained = poll.records.length < limits.pollRecordsMax;
      const isDue = isOpenDue(session, pace, clock.nowMs(), drained);
      if (isDue && (await commit(session)) === 'over') return;
    }
    statistics.enter('draining');
    await commit(session);
  };

  const applyRecords = async (
    session: Session,
    records: Awaited<ReturnType<RecordSource['poll']>>['records'],
  ): Promise<void> => {
    const topicOf = (name: string): AnyInput => inputOf(inputs, name);
    await decodeEach(records, topicOf, options.codecs, learn, (decoded) =>
      ownedOf(session, decoded.raw.partition).task.apply(decoded),
    );
    session.openSinceMs ??= clock.nowMs();
    session.openRecords += records.length;
    statistics.taken((records.at(-1) as (typeof records)[number]).timestampMs);
  };

  /** A schema that the registry cannot give now holds the processor up: guessing would lose the record. */
  const learn = async (schemaId: number): Promise<void> => {
    await patiently(() => options.codecs.learn(schemaId), options, { signal: never, statistics });
    statistics.enter('running');
  };

  return {
    run,
    lagRecords: () => (current === undefined ? 0 : unread(current, options, ends)),
    committed: () => (current === undefined ? [] : workedOff(current, topology, ends)),
  };
}

/** How many records of its inputs a session has not taken yet, as far as its consumer knows. */
function unread<S>({ owned }: Session, { topology, source }: WorkerOptions<S>, ends: Ends): number {
  const read = [...owned.values()].flatMap(({ task: { partition, position } }) =>
    topology.inputs.map(({ name: topic }) => ({ topic, partition, offset: position(topic) })),
  );
  return read.reduce((sum, place) => sum + ends.behind(place, source.knownEnd(place)), 0);
}

/** Behind what is committed lie at the end only control records, which no step ever sees. */
function workedOff<S>(
  { owned }: Session,
  topology: Topology<S>,
  ends: Ends,
): readonly PartitionOffset[] {
  return [...owned.values()].flatMap(({ task }) =>
    topology.inputs.map(({ name: topic }) => {
      const place = { topic, partition: task.partition, offset: task.committed(topic) };
      const isOpen = task.position(topic) !== place.offset;
      return isOpen ? place : { ...place, offset: ends.passed(place) };
    }),
  );
}

function idleMs(session: Session, nowMs: number): number {
  return Math.min(limits.idleWaitMs, Math.max(0, session.nextTickMs - nowMs));
}

function isOpenDue(session: Session, pace: Pace, nowMs: number, drained: boolean): boolean {
  if (session.openSinceMs === undefined) return false;
  const ageMs = nowMs - session.openSinceMs;
  return pace.isDue({ nowMs, ageMs, records: session.openRecords, drained });
}

function applyTick<S>(session: Session, { tickMs }: Topology<S>, nowMs: number): void {
  if (tickMs === undefined || nowMs < session.nextTickMs) return;
  for (const { task } of session.owned.values()) task.tick(nowMs);
  session.nextTickMs = nowMs + tickMs;
  session.openSinceMs ??= nowMs;
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
