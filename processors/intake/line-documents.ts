/**
 * Lines that are kept apart: each is a document of its own and has the header of another one. What a line costs does not
 * grow with its document then, and no document is too large to be written.
 */
import type { Row } from '../cdc/change.ts';
import type { StateView } from '../topology/topology.ts';
import type { DocumentMapping, SystemMapping } from './mapping.ts';
import { loadDocument, type OpenDocuments } from './open-documents.ts';
import type { DocumentState, IntakeState } from './state.ts';

/** Names a document within a system: `<document>|<key>`. */
export const documentId = (document: DocumentMapping, key: string): string =>
  `${document.name}|${key}`;

/** No name of a document holds a slash. */
const ofLine = '/line';

/** How the ids of all lines of a mapping begin. */
export const lineIds = ({ name }: DocumentMapping): string => `${name}${ofLine}|`;

/** How the ids of a document's lines begin: all keys of a table have as many parts. */
const lineIdsOf = (document: DocumentMapping, headerKey: string): string =>
  `${lineIds(document)}${headerKey}|`;

/** Where a line is kept, and its header. A document that was begun before its lines were kept apart keeps them. */
export function homeOfLine(
  document: DocumentMapping,
  headerKey: string,
  line: string,
  documents: OpenDocuments,
): { readonly id: string; readonly headerId: string } {
  const headerId = documentId(document, headerKey);
  const isApart = document.lines?.apart === true && documents.peek(headerId).lines.size === 0;
  return { id: isApart ? `${lineIdsOf(document, headerKey)}${line}` : headerId, headerId };
}

/** The lines that a document does not hold itself. */
export function linesApart(
  document: DocumentMapping,
  headerId: string,
  documents: OpenDocuments,
): readonly string[] {
  const beginning = documentId(document, '');
  if (document.lines?.apart !== true || !headerId.startsWith(beginning)) return [];
  const headerKey = headerId.slice(beginning.length);
  return documents.beginningWith(lineIdsOf(document, headerKey));
}

/** The mapping of a document id; undefined when there is none any more. */
export function mappingOf(mapping: SystemMapping, id: string): DocumentMapping | undefined {
  const named = id.slice(0, id.indexOf('|'));
  const name = named.endsWith(ofLine) ? named.slice(0, -ofLine.length) : named;
  return mapping.documents.find((one) => one.name === name);
}

/** A document as its mapping sees it: a line that is kept apart with the header that it belongs to. */
export function readDocument(state: StateView<IntakeState>, id: string): DocumentState {
  const own = loadDocument(state, id);
  if (own.headerId === undefined) return own;
  const { header, baseline, opening } = loadDocument(state, own.headerId);
  const openingHeader = opening?.header ?? header?.row ?? null;
  return { ...own, header, ...shownUnder(own, baseline?.header ?? null, openingHeader) };
}

/** The header is written with its own document alone. */
export function writeDocument(
  state: StateView<IntakeState>,
  id: string,
  document: DocumentState,
): void {
  const own =
    document.headerId === undefined
      ? document
      : { ...document, header: null, ...shownUnder(document, null, null) };
  state.put(`d|${id}`, own);
}

/** What a snapshot has shown of a line, under a header. */
function shownUnder(
  { baseline, opening }: DocumentState,
  baselineHeader: Row | null,
  openingHeader: Row | null,
): Pick<DocumentState, 'baseline' | 'opening'> {
  return {
    baseline: baseline && { ...baseline, header: baselineHeader },
    ...(opening === undefined ? {} : { opening: { ...opening, header: openingHeader } }),
  };
}
