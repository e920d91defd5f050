/** Documents with one business name, such as one receipt that a till uploaded twice: only one of them counts. */
import type { Row } from '../cdc/change.ts';
import type { StateView } from '../topology/topology.ts';
import type { DocumentMapping } from './mapping.ts';
import { type IntakeState, keys } from './state.ts';

/** Keeps the list of documents with one business name; returns the others that may count now, or no longer. */
export function updateOnce(
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

/** What housekeeping removes goes on to count: the other one of two uploads must not, so the name stays taken for it. */
export function giveUpName(
  document: DocumentMapping,
  header: Row | null,
  state: StateView<IntakeState>,
): void {
  if (document.once === undefined || header === null) return;
  const name = document.once(header);
  if (sharing(document, name, state).length <= 1) state.delete(keys.once(document.name, name));
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
