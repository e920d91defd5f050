/**
 * Snapshots and lineages of a source's log. Positions are comparable within one lineage only: after a failover to
 * another log, a restore or a reset they begin anew. That is seen, all is held, and a new snapshot goes on from there.
 */
import type { Change, SystemKind } from '../cdc/change.ts';
import type { StateView } from '../topology/topology.ts';
import { emptySource, type IntakeState, keys, type SourceState } from './state.ts';
import { loadSystem } from './transactions.ts';

export function loadSource(state: StateView<IntakeState>): SourceState {
  const known = state.get(keys.source);
  return known?.kind === 'source' ? known : emptySource;
}

export type NotedRead = {
  /** Is it a row of the snapshot that opens the cells? */
  readonly isOpening: boolean;
  /** Did the log begin anew with this snapshot? */
  readonly isNewLineage: boolean;
};

/**
 * Finds out to which snapshot a read belongs. The first one opens the cells; one that breaks off and begins again
 * still does. One that stands before what the log has told, and is read later, is of another lineage.
 */
export function noteRead(kind: SystemKind, read: Change, state: StateView<IntakeState>): NotedRead {
  const source = loadSource(state);
  const position = source.lineage + read.position;
  if (read.snapshot === 'part') return { isOpening: false, isNewLineage: false };
  if (position === source.opening || position === source.snapshot) {
    if (read.snapshot === 'end' && position === source.opening && !source.isOpened) {
      state.put(keys.source, { ...source, isOpened: true });
    }
    return { isOpening: position === source.opening, isNewLineage: false };
  }
  const isNewLineage = source.opening !== '' && isBehindTheLog(kind, read, state);
  if (!isNewLineage && position < source.snapshot) {
    return { isOpening: false, isNewLineage };
  }
  const lineage = isNewLineage ? nextLineage(source.lineage) : source.lineage;
  const snapshot = lineage + read.position;
  const isOpening = !source.isOpened;
  state.put(keys.source, {
    ...source,
    lineage,
    snapshot,
    opening: isOpening ? snapshot : source.opening,
    openingAttempts: source.openingAttempts + (isOpening ? 1 : 0),
    isOpened: source.isOpened || read.snapshot === 'end',
    refused: isNewLineage ? '' : source.refused,
  });
  if (isNewLineage) {
    state.put(keys.system, { ...loadSystem(state), lastEnds: {}, lastPosition: '' });
  }
  return { isOpening, isNewLineage };
}

/** True when the read is later than all that the log has told, and stands before it. */
function isBehindTheLog(kind: SystemKind, read: Change, state: StateView<IntakeState>): boolean {
  const system = loadSystem(state);
  const ends = Object.values(system.lastEnds);
  if (ends.length === 0) return false;
  const told = kind === 'postgresql' ? (ends[0]?.order ?? '') : system.lastPosition;
  const toldAt = Math.max(...ends.map((end) => end.committedAt));
  return read.position < told && read.committedAt > toldAt;
}

/** Stands before every position, and after those without: x1, x2, ... */
function nextLineage(lineage: string): string {
  const number = lineage === '' ? 1 : Number.parseInt(lineage.slice(1), 36) + 1;
  return `x${number.toString(36)}`;
}

/** From here on nothing of the log is applied until a new snapshot has begun. */
export function refuseLineage(reason: string, state: StateView<IntakeState>): void {
  state.put(keys.source, { ...loadSource(state), refused: reason });
}

export function countWaiting(state: StateView<IntakeState>, by: number): void {
  const source = loadSource(state);
  state.put(keys.source, { ...source, waiting: source.waiting + by });
}
