/** Rows into documents and lookups: dedupe by position, deletions, housekeeping. Nothing is computed from them here. */
import { type Change, keyPart, type Row } from '../cdc/change.ts';
import type { CapturedTable } from '../cdc/table.ts';
import type { StateView } from '../topology/topology.ts';
import { documentOfLine, forgetLine, noteLine } from './line-places.ts';
import type { DocumentMapping, Lookup, SystemMapping } from './mapping.ts';
import type { OpenDocument, OpenDocuments } from './open-documents.ts';
import {
  type DocumentState,
  emptyDocument,
  type IntakeState,
  keys,
  type StoredRow,
} from './state.ts';

/** What a row did: which documents have to be computed anew, and what is counted. */
export type RowOutcome = {
  readonly touched: readonly string[];
  readonly outcome: 'applied' | 'duplicate' | 'purged';
};

const duplicate: RowOutcome = { touched: [], outcome: 'duplicate' };
const purged: RowOutcome = { touched: [], outcome: 'purged' };

export type RowContext = {
  readonly state: StateView<IntakeState>;
  /** The documents that the source transaction touches. */
  readonly documents: OpenDocuments;
  readonly mapping: SystemMapping;
  /** Is it a row of the initial snapshot? */
  readonly isOpening: boolean;
};

/** Names a document within a system: `<document>|<key>`. */
export const documentId = (document: DocumentMapping, key: string): string =>
  `${document.name}|${key}`;

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
      outcomes.push(applyLookupRow(lookup, change, context.state));
    }
  }
  const applied = outcomes.some((one) => one.outcome === 'applied');
  const isPurge = outcomes.some((one) => one.outcome === 'purged');
  return {
    touched: outcomes.flatMap((one) => one.touched),
    outcome: applied ? 'applied' : isPurge ? 'purged' : 'duplicate',
  };
}

function applyHeader(document: DocumentMapping, change: Change, context: RowContext): RowOutcome {
  const id = documentId(document, change.key);
  const known = context.documents.get(id);
  if (isSeen(known, known.header, change)) return duplicate;
  if (change.operation === 'd' && isPurge(document, known, change, context.state)) {
    purgeDocument(document, id, change, context);
    return purged;
  }
  noteDateLag(document, change, context.state);
  const before = known.header?.row ?? null;
  known.header = { row: change.row, position: change.position };
  if (isInBaseline(document, context)) known.baseline = baselineOf(known, { header: change.row });
  const siblings = updateOnce(document, id, before, change.row, context.state);
  return { touched: [id, ...siblings], outcome: 'applied' };
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
  const touched: string[] = [];
  if (place.movedFrom !== undefined) {
    // The line went to another document: there it is as good as deleted.
    const oldId = documentId(document, place.movedFrom);
    documents.get(oldId).lines.set(change.key, { row: null, position: change.position });
    touched.push(oldId);
  }
  const id = documentId(document, place.headerKey);
  const known = documents.get(id);
  if (isSeen(known, known.lines.get(change.key), change)) return duplicate;
  if (change.operation === 'd' && isPurge(document, known, change, state)) return purged;
  known.lines.set(change.key, { row: change.row, position: change.position });
  if (isInBaseline(document, context) && change.row !== null) {
    known.baseline = baselineOf(known, { line: { key: change.key, row: change.row } });
  }
  if (!place.inPrimaryKey && change.row !== null) {
    noteLine(state, lines.table.name, change.key, place.headerKey);
  }
  return { touched: [...touched, id], outcome: 'applied' };
}

function isSeen(
  document: OpenDocument,
  stored: StoredRow | null | undefined,
  change: Change,
): boolean {
  const seenThrough = stored?.position ?? document.purgedThrough;
  return seenThrough !== '' && change.position <= seenThrough;
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
  const now = headerKey.map((column) => keyPart(change.row?.[column] ?? null)).join('|');
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
  document: OpenDocument,
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
  const known = documents.get(id);
  if (document.lines !== undefined) {
    for (const key of known.lines.keys()) forgetLine(state, document.lines.table.name, key);
  }
  // The other one of two uploads does not begin to count when housekeeping removes the first.
  updateOnce(document, id, known.header?.row ?? null, null, state);
  documents.replace(id, { ...emptyDocument, purgedThrough: change.position });
}

/** Keeps the list of documents with one business name; returns the others that may count now, or no longer. */
function updateOnce(
  document: DocumentMapping,
  id: string,
  before: Row | null,
  after: Row | null,
  state: StateView<IntakeState>,
): readonly string[] {
  if (document.once === undefined) return [];
  const old = before === null ? undefined : document.once(before);
  const now = after === null ? undefined : document.once(after);
  const siblings: string[] = [];
  if (old !== undefined && old !== now) {
    const left = sharing(document, old, state).filter((other) => other !== id);
    if (left.length === 0) state.delete(keys.once(document.name, old));
    else state.put(keys.once(document.name, old), { kind: 'once', documents: left });
    siblings.push(...left);
  }
  if (now !== undefined && now !== old) {
    const others = sharing(document, now, state);
    state.put(keys.once(document.name, now), { kind: 'once', documents: [...others, id] });
    siblings.push(...others);
  }
  return siblings;
}

/** Ids of the documents that have this business name now. */
export function sharing(
  document: DocumentMapping,
  name: string,
  state: StateView<IntakeState>,
): readonly string[] {
  const known = state.get(keys.once(document.name, name));
  return known?.kind === 'once' ? known.documents : [];
}

function isInBaseline(document: DocumentMapping, context: RowContext): boolean {
  return document.containedInOpening && context.isOpening;
}

function baselineOf(
  known: OpenDocument,
  read: {
    readonly header?: Row | null;
    readonly line?: { readonly key: string; readonly row: Row };
  },
): DocumentState['baseline'] {
  const baseline = known.baseline ?? { header: null, lines: new Map(), effects: [] };
  const { header = baseline.header, line } = read;
  const lines =
    line === undefined ? baseline.lines : new Map(baseline.lines).set(line.key, line.row);
  return { ...baseline, header, lines };
}

/** A row of a lookup table; returns the documents that waited for it. */
export function applyLookupRow(
  lookup: Lookup,
  change: Change,
  state: StateView<IntakeState>,
): RowOutcome {
  const rowKey = keys.lookupRow(lookup.name, change.key);
  const known = state.get(rowKey);
  const before = known?.kind === 'lookupRow' ? known : undefined;
  if (before !== undefined && change.position <= before.position) return duplicate;
  const entry = change.row === null ? undefined : lookup.entry(change.row);
  if (before !== undefined && before.key !== '' && before.key !== entry?.key) {
    state.delete(keys.lookup(lookup.name, before.key));
  }
  state.put(rowKey, {
    kind: 'lookupRow',
    position: change.position,
    key: entry?.key ?? '',
    value: entry?.value ?? '',
  });
  if (entry === undefined) return { touched: [], outcome: 'applied' };
  state.put(keys.lookup(lookup.name, entry.key), { kind: 'lookup', value: entry.value });
  const waitingKey = keys.waiting(lookup.name, entry.key);
  const waiting = state.get(waitingKey);
  if (waiting?.kind !== 'waiting') return { touched: [], outcome: 'applied' };
  state.delete(waitingKey);
  return { touched: waiting.documents, outcome: 'applied' };
}
