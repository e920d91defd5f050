/** What the initial snapshot shows of a document: kept while it counts as told, or until it has opened its cells. */
import type { Change, Row } from '../cdc/change.ts';
import type { DocumentMapping } from './mapping.ts';
import type { OpenDocument } from './open-documents.ts';
import type { DocumentState, SnapshotRows } from './state.ts';

type ReadRow =
  | { readonly header: Row | null }
  | { readonly line: string; readonly row: Row | null };

/** Notes a row of the initial snapshot: it may have changed by the time that all which it needs is there. */
export function noteSnapshotRow(
  { containedInOpening }: DocumentMapping,
  known: OpenDocument,
  read: ReadRow,
  { position, committedAt }: Change,
): void {
  if (containedInOpening) {
    const { effects = [], ...shown } = known.baseline ?? { header: null, lines: new Map() };
    known.baseline = { ...withRead(shown, read), effects };
  } else {
    const shown = known.opening ?? rowsNow(known);
    known.opening = { ...withRead(shown, read), position, committedAt };
  }
}

function withRead({ header, lines }: SnapshotRows, read: ReadRow): SnapshotRows {
  if ('header' in read) return { header: read.header, lines };
  const shown = new Map(lines);
  if (read.row === null) shown.delete(read.line);
  else shown.set(read.line, read.row);
  return { header, lines: shown };
}

/** The rows of a document that are there. */
export function rowsNow(known: Pick<DocumentState, 'header' | 'lines'>): SnapshotRows {
  const lines = new Map<string, Row>();
  for (const [key, { row }] of known.lines) if (row !== null) lines.set(key, row);
  return { header: known.header?.row ?? null, lines };
}
