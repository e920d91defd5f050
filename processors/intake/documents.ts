/** A touched document → what has to be told to stock: effects(after) - what was told before. */
import type { Row } from '../cdc/change.ts';
import type { StateView } from '../topology/topology.ts';
import { asContained, difference, normalized, type ToldEffect } from './effects.ts';
import type { DocumentMapping, EffectDraft, SourceDocument, SystemMapping } from './mapping.ts';
import { loadDocument } from './open-documents.ts';
import { resolverFor } from './resolver.ts';
import { documentId, sharing } from './rows.ts';
import { type AssertedEffect, type DocumentState, type IntakeState, keys } from './state.ts';

export type Computed =
  | { readonly kind: 'told'; readonly effects: readonly ToldEffect[] }
  | { readonly kind: 'waiting'; readonly lookup: string; readonly key: string }
  | { readonly kind: 'late'; readonly oldestAt: number };

export type ComputeContext = {
  readonly state: StateView<IntakeState>;
  readonly mapping: SystemMapping;
  readonly position: string;
  readonly committedAt: number;
  readonly isOpening: boolean;
  readonly isSnapshot: boolean;
};

/** Computes the document anew and writes down what is told now. */
export function computeDocument(
  document: DocumentMapping,
  id: string,
  context: ComputeContext,
): Computed {
  const { state, mapping } = context;
  const known = loadDocument(state, id);
  const resolver = resolverFor(mapping, state, known.resolved, context.committedAt);
  const current = counts(document, id, known, state)
    ? normalized(draftsOf(document, rowsNow(known), resolver))
    : [];
  const baseline =
    known.baseline === null
      ? []
      : normalized(draftsOf(document, baselineRows(known.baseline), resolver));
  const missing = resolver.missing();
  if (missing !== undefined) return wait(id, known, missing, state);

  const differenceContext = {
    document: `${mapping.system}|${id}`,
    position: context.position,
    committedAt: context.committedAt,
    isOpening: context.isOpening,
  };
  const opened = openingPart(known, baseline, differenceContext);
  const change = difference(opened.asserted, current, differenceContext);
  if (
    !context.isSnapshot &&
    change.oldestAt !== undefined &&
    context.committedAt - change.oldestAt > mapping.lateAfterMs
  ) {
    return { kind: 'late', oldestAt: change.oldestAt };
  }
  state.put(`d|${id}`, {
    ...known,
    asserted: change.asserted,
    resolved: resolver.resolved(),
    baseline: known.baseline === null ? null : { ...known.baseline, effects: opened.baseline },
    waitsFor: '',
  });
  return { kind: 'told', effects: [...opened.told, ...change.told] };
}

/**
 * What the snapshot's rows mean is in the opening balance: it counts as told. Only echoes are told, as contained, so
 * that stock knows which part of a sale the opening has already.
 */
function openingPart(
  known: DocumentState,
  baseline: readonly EffectDraft[],
  context: Parameters<typeof difference>[2],
): {
  readonly told: readonly ToldEffect[];
  readonly asserted: readonly AssertedEffect[];
  readonly baseline: readonly AssertedEffect[];
} {
  if (known.baseline === null) return { told: [], asserted: known.asserted, baseline: [] };
  const grown = difference(known.baseline.effects, baseline, context);
  const toldNow = grown.told.slice(grown.told.length - grown.fresh.length);
  return {
    told: asContained(toldNow),
    asserted: [...known.asserted, ...grown.fresh],
    baseline: grown.asserted,
  };
}

/** Does the document count? Of several with one business name only the one with the lowest id does. */
function counts(
  document: DocumentMapping,
  id: string,
  known: DocumentState,
  state: StateView<IntakeState>,
): boolean {
  const header = known.header?.row ?? null;
  if (header === null) return false;
  if (document.once === undefined) return true;
  const ids = sharing(document, document.once(header), state);
  return ids.every((other) => other === id || isLower(id, other));
}

/** Ids of one document mapping differ in the key alone: numbers of different length, or text. */
function isLower(one: string, other: string): boolean {
  return one.length === other.length ? one < other : one.length < other.length;
}

function draftsOf(
  document: DocumentMapping,
  rows: SourceDocument | null,
  resolver: Parameters<DocumentMapping['effects']>[1],
): readonly EffectDraft[] {
  return rows === null ? [] : document.effects(rows, resolver);
}

function rowsNow(known: DocumentState): SourceDocument | null {
  const header = known.header?.row ?? null;
  if (header === null) return null;
  const lines: Row[] = [];
  for (const { row } of known.lines.values()) if (row !== null) lines.push(row);
  return { header, lines };
}

function baselineRows(baseline: NonNullable<DocumentState['baseline']>): SourceDocument | null {
  if (baseline.header === null) return null;
  return { header: baseline.header, lines: [...baseline.lines.values()] };
}

/** Notes the document under the lookup that it needs; it is computed again when that row arrives. */
function wait(
  id: string,
  known: DocumentState,
  missing: { readonly lookup: string; readonly key: string },
  state: StateView<IntakeState>,
): Computed {
  const waitingKey = keys.waiting(missing.lookup, missing.key);
  const waiting = state.get(waitingKey);
  const documents = waiting?.kind === 'waiting' ? waiting.documents : [];
  if (!documents.includes(id)) {
    state.put(waitingKey, { kind: 'waiting', documents: [...documents, id] });
  }
  const waitsFor = `${missing.lookup} ${missing.key}`;
  if (known.waitsFor !== waitsFor) state.put(`d|${id}`, { ...known, waitsFor });
  return { kind: 'waiting', ...missing };
}

/** The mapping of a document id. */
export function documentOf(mapping: SystemMapping, id: string): DocumentMapping {
  const document = mapping.documents.find((one) => id.startsWith(documentId(one, '')));
  if (document === undefined) throw new Error(`no document of ${mapping.system} has the id ${id}`);
  return document;
}
