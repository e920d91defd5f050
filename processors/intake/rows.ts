/** Rows into documents and lookups: dedupe by position, deletions, housekeeping. Nothing is computed from them here. */
import { type Change, keyOfColumns, type Row } from '../cdc/change.ts';
import type { CapturedTable } from '../cdc/table.ts';
import type { StateView } from '../topology/topology.ts';
import { documentId, homeOfLine, linesApart, mappingOf } from './line-documents.ts';
import { documentOfLine, forgetLine, noteLine } from './line-places.ts';
import { countWaiting } from './lineage.ts';
import type { DocumentMapping, Lookup, SystemMapping } from './mapping.ts';
import { giveUpName, updateOnce } from './once.ts';
import type { OpenDocuments } from './open-documents.ts';
import { noteSnapshotRow } from './snapshot-rows.ts';
import {
  type DocumentState,
  emptyDocument,
  type IntakeState,
  keys,
  type StoredRow,
} from './state.ts';

/** What a row did: which documents have to be computed anew, and what is counted. */
export type RowOutcome = {
  readonly touched: readonly Touched[];
  /** stale: a read of the past that somebody sent again; what the row is now is not known from it. */
  readonly outcome: 'applied' | 'duplicate' | 'purged' | 'incomplete' | 'stale';
};

/** A document, and the position of the row that touches it; none: a lookup that it waited for has come. */
export type Touched = readonly [id: string, position: string | undefined];

/** A row that was not what the log says it was before: a change of it never came through the log. */
export type Gap = {
  readonly table: string;
  readonly key: string;
  readonly held: Row | null | undefined;
  /** null: none, by the log. */
  readonly before: Row | null;
};

const duplicate: RowOutcome = { touched: [], outcome: 'duplicate' };
const purged: RowOutcome = { touched: [], outcome: 'purged' };
const incomplete: RowOutcome = { touched: [], outcome: 'incomplete' };
const stale: RowOutcome = { touched: [], outcome: 'stale' };

export type RowContext = {
  readonly state: StateView<IntakeState>;
  /** The documents that the source transaction touches. */
  readonly documents: OpenDocuments;
  readonly mapping: SystemMapping;
  /** Is it a row of the initial snapshot? */
  readonly isOpening: boolean;
  /** Where its transaction stands among commits, comparable with positions; empty: where the change itself stands. */
  readonly order: string;
  /** Sent again by a person: what it touches is computed again in any case. */
  readonly isRedriven: boolean;
  /** Gaps that are found are put here. */
  readonly gaps: Gap[];
};

const severity = ['incomplete', 'stale', 'applied', 'purged'] as const;

/** Applies a change to every document and lookup that reads its table. */
export function applyRow(change: Change, context: RowContext): RowOutcome {
  const outcomes: RowOutcome[] = [];
  for (const document of context.mapping.documents) {
    if (document.header.name === change.table)
      outcomes.push(applyHeader(document, change, context));
    if (document.lines?.table.name === change.table) {
      outcomes.push(applyLine(document, document.lines, change, context));
    }
  }
  for (const lookup of context.mapping.lookups) {
    if (lookup.system.name === context.mapping.system && lookup.table.name === change.table) {
      outcomes.push(applyLookupRow(lookup, change, context));
    }
  }
  const has = (outcome: RowOutcome['outcome']) => outcomes.some((one) => one.outcome === outcome);
  return {
    touched: outcomes.flatMap((one) => one.touched),
    outcome: severity.find(has) ?? 'duplicate',
  };
}

function applyHeader(document: DocumentMapping, change: Change, context: RowContext): RowOutcome {
  const id = documentId(document, change.key);
  const known = context.documents.get(id);
  const repeated = repetition(id, known, known.header, change, context);
  if (repeated !== undefined) return repeated;
  if (change.operation === 'd' && isPurge(document, known, change, context.state)) {
    purgeDocument(document, id, change, context);
    return purged;
  }
  const before = known.header?.row;
  const row = wholeRow(change, before);
  if (row === undefined) return incomplete;
  noteGap(change, known.header, context);
  noteDateLag(document, change, context.state);
  const position = standing(change, known.header);
  known.header = { row, position };
  if (context.isOpening) noteSnapshotRow(document, known, { header: row }, change);
  const siblings = updateOnce(document, id, before ?? null, row, context.state);
  const lines = linesApart(document, id, context.documents);
  if (context.isOpening && !document.containedInOpening) {
    for (const line of lines) {
      noteSnapshotRow(document, context.documents.get(line), { header: row }, change);
    }
  }
  const theirs = siblings.flatMap((one) => linesApart(document, one, context.documents));
  const touched = [id, ...siblings, ...lines, ...theirs];
  return { touched: touched.map((one) => [one, position]), outcome: 'applied' };
}

function applyLine(
  document: DocumentMapping,
  lines: NonNullable<DocumentMapping['lines']>,
  change: Change,
  context: RowContext,
): RowOutcome {
  const { state, documents } = context;
  const place = headerKeyOf(lines.table, lines.headerKey, change, state);
  // A line that is not noted went with its purged header; otherwise it has never been seen.
  if (place === undefined) return document.header.onDelete === 'retract' ? duplicate : purged;
  const touched: Touched[] = [];
  if (place.movedFrom !== undefined) {
    // The line went to another document: there it is as good as deleted.
    const { id: oldId } = homeOfLine(document, place.movedFrom, change.key, documents);
    const { lines: before } = documents.get(oldId);
    const position = standing(change, before.get(change.key));
    before.set(change.key, { row: null, position });
    touched.push([oldId, position]);
  }
  const { id, headerId } = homeOfLine(document, place.headerKey, change.key, documents);
  const header = documents.peek(headerId);
  const stored = documents.peek(id).lines.get(change.key);
  const repeated = repetition(id, header, stored, change, context);
  if (repeated !== undefined) return repeated;
  if (change.operation === 'd' && isPurge(document, header, change, state)) return purged;
  const row = wholeRow(change, stored?.row);
  if (row === undefined) return incomplete;
  if (place.movedFrom === undefined) noteGap(change, stored, context);
  const position = standing(change, stored);
  const known = documents.get(id);
  known.lines.set(change.key, { row, position });
  if (id !== headerId) known.headerId = headerId;
  if (context.isOpening) noteSnapshotRow(document, known, { line: change.key, row }, change);
  if (!place.inPrimaryKey && row !== null) {
    noteLine(state, lines.table.name, change.key, place.headerKey);
  }
  return { touched: [...touched, [id, position]], outcome: 'applied' };
}

/** Follows the position of the log at which a row stood when a part was read; sorts before every position after it. */
const readMark = '-';

const isOfPart = (position: string): boolean => position.includes(readMark);
const placeInLog = (position: string): string => position.split(readMark, 1)[0] ?? '';

/**
 * Where a row stands from now on. A read of a part has no place in the log: it comes after all that the log had told of
 * the row, and before all that it will tell; what is under way meanwhile tells the way to what was read once more.
 * What was under way at a snapshot's read, and stands before it, leaves the row one that the snapshot has shown.
 */
function standing(change: Change, known: { readonly position: string } | null | undefined): string {
  const place = placeInLog(known?.position ?? '');
  if (change.snapshot === 'part') return `${place || '0'}${readMark}${change.position}`;
  return known && change.position < place ? known.position : change.position;
}

/**
 * What becomes of a row that has been told already; undefined: it is new. A read of a part is new, unless it is sent
 * again: then it may be older than what has been told since, and only one that says what is held is known to be right.
 */
function repetition(
  id: string,
  document: Pick<DocumentState, 'purgedThrough'>,
  stored: StoredRow | null | undefined,
  change: Change,
  context: RowContext,
): RowOutcome | undefined {
  const { isRedriven, order } = context;
  const again = (): RowOutcome => ({
    touched: [[id, standing(change, stored)]],
    outcome: 'duplicate',
  });
  if (change.snapshot === 'part') {
    if (!isRedriven || !stored) return undefined;
    const isHeld = Object.entries(change.row ?? {}).every(
      ([name, value]) => stored.row?.[name] === value,
    );
    return isHeld ? again() : stale;
  }
  const seenThrough = stored?.position ?? document.purgedThrough;
  if (!isSeen(seenThrough, change, order)) return undefined;
  return isRedriven ? again() : duplicate;
}

/**
 * Has the row been told as of a later place? A snapshot's read holds all that was committed before it, and nothing of
 * a transaction that was under way then, wherever its changes stand in the log.
 */
function isSeen(seenThrough: string, change: Change, order: string): boolean {
  if (seenThrough === '') return false;
  const place = placeInLog(seenThrough);
  const isAfterRead = order !== '' && place.endsWith('r') && change.operation !== 'r';
  return isAfterRead ? order <= place : change.position <= seenThrough;
}

/** With the columns that the log did not repeat; undefined when they are not known. */
function wholeRow(change: Change, held: Row | null | undefined): Row | null | undefined {
  if (change.isPartial !== true || change.row === null) return change.row;
  return held === null || held === undefined ? undefined : { ...held, ...change.row };
}

/** Between the time that a snapshot tells and the moment at which its rows are read. */
const readGraceMs = 1_000;

function noteGap(
  change: Change,
  stored: StoredRow | null | undefined,
  { state, gaps }: RowContext,
): void {
  const { table, key, operation } = change;
  const before = operation === 'c' ? null : change.before;
  // A part that was read may be ahead of the log.
  if (before === undefined || isOfPart(stored?.position ?? '')) return;
  const held = stored?.row;
  const read = state.get(keys.read(table));
  // A table that no snapshot has read whole may have rows that have not been told yet.
  if (held === undefined && read === undefined) return;
  // A blocking snapshot is told as of a place and a time before it: what was committed meanwhile follows once more.
  if (read?.kind === 'read' && change.committedAt <= read.at + readGraceMs) return;
  if (!isSame(held ?? null, before)) gaps.push({ table, key, held, before });
}

function isSame(held: Row | null, before: Row | null): boolean {
  if (held === null || before === null) return held === before;
  return Object.entries(before).every(([name, value]) => !(name in held) || held[name] === value);
}

type LinePlace = {
  readonly headerKey: string;
  readonly inPrimaryKey: boolean;
  readonly movedFrom?: string;
};

/** Which document a line belongs to: by its primary key, by its columns, or as noted when it was last seen. */
function headerKeyOf(
  table: CapturedTable,
  headerKey: readonly string[],
  change: Change,
  state: StateView<IntakeState>,
): LinePlace | undefined {
  if (headerKey.every((column) => table.primaryKey.includes(column))) {
    const parts = change.key.split('|');
    const values = headerKey.map((column) => parts[table.primaryKey.indexOf(column)]);
    return { headerKey: values.join('|'), inPrimaryKey: true };
  }
  const before = documentOfLine(state, table.name, change.key);
  if (change.row === null) {
    return before === undefined ? undefined : { headerKey: before, inPrimaryKey: false };
  }
  const now = keyOfColumns(headerKey, change.row);
  return before === undefined || before === now
    ? { headerKey: now, inPrimaryKey: false }
    : { headerKey: now, inPrimaryKey: false, movedFrom: before };
}

/**
 * Housekeeping: the header is older than the table's rule says, by the clock that the table's dates keep. A till that
 * catches up, or a history that is replayed, dates its rows long before they are committed; an age by the commit would
 * take every deletion there for housekeeping.
 */
function isPurge(
  { name, header }: DocumentMapping,
  document: DocumentState,
  change: Change,
  state: StateView<IntakeState>,
): boolean {
  if (header.onDelete === 'retract') return false;
  if (document.header === null) return document.purgedThrough !== '';
  const dated = document.header.row?.[header.onDelete.datedBy];
  const lag = state.get(keys.dateLag(name));
  const now = change.committedAt - (lag?.kind === 'dateLag' ? lag.lagMs : 0);
  return typeof dated === 'number' && now - dated > header.onDelete.purgeOlderThanMs;
}

/** Dates after the commit are wrong and count as on time. */
function noteDateLag(
  { name, header }: DocumentMapping,
  change: Change,
  state: StateView<IntakeState>,
): void {
  if (header.onDelete === 'retract' || change.row === null) return;
  const dated = change.row[header.onDelete.datedBy];
  if (typeof dated !== 'number') return;
  const lagMs = Math.max(0, change.committedAt - dated);
  const known = state.get(keys.dateLag(name));
  if (known?.kind === 'dateLag' && known.lagMs <= lagMs) return;
  state.put(keys.dateLag(name), { kind: 'dateLag', lagMs });
}

function purgeDocument(
  document: DocumentMapping,
  id: string,
  change: Change,
  { state, documents }: RowContext,
): void {
  const known = documents.peek(id);
  const apart = linesApart(document, id, documents);
  for (const part of [known, ...apart.map((line) => documents.peek(line))]) {
    if (part.waitsFor !== '') countWaiting(state, -1);
    if (document.lines === undefined) continue;
    for (const key of part.lines.keys()) forgetLine(state, document.lines.table.name, key);
  }
  for (const line of apart) documents.forget(line);
  giveUpName(document, known.header?.row ?? null, state);
  const purgedThrough = standing(change, known.header);
  documents.replace(id, { ...emptyDocument, purgedThrough });
}

/** A row of a lookup table; returns the documents that waited for it. */
export function applyLookupRow(
  lookup: Lookup,
  change: Change,
  { state, mapping, documents }: Pick<RowContext, 'state' | 'mapping' | 'documents'>,
): RowOutcome {
  const rowKey = keys.lookupRow(lookup.name, change.key);
  const known = state.get(rowKey);
  const before = known?.kind === 'lookupRow' ? known : undefined;
  // A streamed change after a read is applied whatever its place: it may have been under way then.
  const isRead = change.operation === 'r';
  const isAfterRead = placeInLog(before?.position ?? '').endsWith('r') && !isRead;
  const isOld = before !== undefined && change.position <= before.position;
  if (isOld && !isAfterRead && change.snapshot !== 'part') return duplicate;
  if (change.isPartial === true) return incomplete;
  const entry = change.row === null ? undefined : lookup.entry(change.row);
  if (before !== undefined && before.key !== '' && before.key !== entry?.key) {
    state.delete(keys.lookup(lookup.name, before.key));
  }
  const position = standing(change, before);
  state.put(rowKey, {
    kind: 'lookupRow',
    position,
    key: entry?.key ?? '',
    value: entry?.value ?? '',
  });
  if (entry === undefined) return { touched: [], outcome: 'applied' };
  state.put(keys.lookup(lookup.name, entry.key), { kind: 'lookup', value: entry.value });
  const waitingKey = keys.waiting(lookup.name, entry.key);
  const waiting = state.get(waitingKey);
  if (waiting?.kind !== 'waiting') return { touched: [], outcome: 'applied' };
  state.delete(waitingKey);
  const withLines = waiting.documents.flatMap((id) => {
    const document = mappingOf(mapping, id);
    return document === undefined ? [id] : [id, ...linesApart(document, id, documents)];
  });
  return { touched: withLines.map((id) => [id, undefined]), outcome: 'applied' };
}
