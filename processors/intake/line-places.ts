/**
 * Which document a line belongs to, where its primary key does not say it. Keys that are numbers are noted in blocks:
 * lines are numbered as they come, so many of one Kafka transaction share a block.
 */
import type { StateView } from '../topology/topology.ts';
import { type IntakeState, keys } from './state.ts';

const blockLines = 64;
const isNumber = /^(0|[1-9]\d{0,14})$/;

type Place = { readonly key: string; readonly at: number };

function placeOf(table: string, line: string): Place {
  if (!isNumber.test(line)) return { key: keys.lines(table, `=${line}`), at: 0 };
  const number = Number(line);
  const at = number % blockLines;
  return { key: keys.lines(table, String((number - at) / blockLines)), at };
}

function documentsAt(state: StateView<IntakeState>, key: string): readonly string[] {
  const known = state.get(key);
  return known?.kind === 'lines' ? known.documents : [];
}

/** The key of the document that the line was in when it was last noted. */
export function documentOfLine(
  state: StateView<IntakeState>,
  table: string,
  line: string,
): string | undefined {
  const { key, at } = placeOf(table, line);
  const found = documentsAt(state, key)[at];
  return found === '' ? undefined : found;
}

export function noteLine(
  state: StateView<IntakeState>,
  table: string,
  line: string,
  document: string,
): void {
  const { key, at } = placeOf(table, line);
  const documents = documentsAt(state, key).slice();
  while (documents.length < at) documents.push('');
  documents[at] = document;
  state.put(key, { kind: 'lines', documents });
}

export function forgetLine(state: StateView<IntakeState>, table: string, line: string): void {
  const { key, at } = placeOf(table, line);
  const documents = documentsAt(state, key).slice();
  if (documents[at] === undefined) return;
  documents[at] = '';
  if (documents.every((document) => document === '')) state.delete(key);
  else state.put(key, { kind: 'lines', documents });
}
