/** A touched document → what has to be told to stock: effects(after) - what was told before. */
import type { StateView } from '../topology/topology.ts';
import {
  containedEchoes,
  containedPast,
  type Difference,
  type DifferenceContext,
  difference,
  isSame,
  normalized,
  type ToldEffect,
} from './effects.ts';
import { readDocument, writeDocument } from './line-documents.ts';
import { countWaiting, loadSource } from './lineage.ts';
import type { DocumentMapping, EffectDraft, Resolver, SystemMapping } from './mapping.ts';
import { sharing } from './once.ts';
import { loadDocument } from './open-documents.ts';
import { resolverFor } from './resolver.ts';
import { rowsNow } from './snapshot-rows.ts';
import {
  type AssertedEffect,
  type DocumentState,
  type IntakeState,
  keys,
  type SnapshotRows,
  type Standing,
} from './state.ts';

export type Computed =
  | {
      readonly kind: 'told';
      readonly effects: readonly ToldEffect[];
      readonly contained: readonly ToldEffect[];
      readonly position: string;
    }
  | Waiting
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly reason: string };

type Waiting = { readonly kind: 'waiting'; readonly lookup: string; readonly key: string };

export type RefusalCode = 'LATE' | 'LOOKUP_MISSING' | 'EFFECT_UNUSABLE' | 'MAPPING_FAILED';

export type ComputeContext = {
  readonly state: StateView<IntakeState>;
  readonly mapping: SystemMapping;
  /** Of the row that touches the document; none: what it waited for has come, and it stands where it began to wait. */
  readonly position: string | undefined;
  readonly committedAt: number;
  readonly isSnapshot: boolean;
  /** Sent again by a person: what is late is told as of then. */
  readonly adjustAt?: number;
  /** Why the past is told anew; lookups are then asked again. */
  readonly restatement?: string;
};

/** Computes the document anew and writes down what is told now. */
export function computeDocument(
  document: DocumentMapping,
  id: string,
  context: ComputeContext,
): Computed {
  const { state, mapping } = context;
  const known = readDocument(state, id);
  const { position, committedAt } = standingOf(known, context);
  const answers = context.restatement === undefined ? known.resolved : datesOf(known.resolved);
  const resolver = resolverFor(mapping, state, answers, committedAt);
  const drafted = draft(document, id, known, resolver, state);
  if ('code' in drafted) return refuse(id, known, drafted, state);
  const missing = resolver.missing();
  if (missing !== undefined) return wait(id, known, missing, context);
  const fault = effectFault([...drafted.current, ...drafted.baseline]);
  if (fault !== undefined) {
    return refuse(id, known, { kind: 'refused', code: 'EFFECT_UNUSABLE', reason: fault }, state);
  }
  const openings = openingsOf(document, id, known, context);
  if (openings.kind === 'waiting') return wait(id, known, openings, context);
  if (openings.kind === 'refused' && context.adjustAt !== undefined) {
    return refuse(id, known, openings, state);
  }

  const { adjustAt, restatement } = context;
  const olderThan = committedAt - mapping.lateAfterMs;
  const differenceContext: DifferenceContext = {
    document: `${mapping.system}|${id}`,
    position,
    committedAt,
    ...(openings.kind === 'open' ? { opening: openings } : {}),
    ...(adjustAt === undefined ? {} : { adjustment: { olderThan, at: adjustAt } }),
    ...(restatement === undefined ? {} : { restatement: `restatement: ${restatement}` }),
  };
  const opened = openingPart(known, drafted.baseline, differenceContext);
  const current = withOpenings(drafted.current, openings);
  const change = difference(opened.asserted, current, differenceContext);
  const isLate = change.oldestAt !== undefined && change.oldestAt < olderThan;
  if (isLate && !context.isSnapshot && restatement === undefined) {
    const late = lateness(change, olderThan, adjustAt);
    if (late !== undefined) {
      return refuse(id, known, { kind: 'refused', code: 'LATE', reason: late }, state);
    }
  }
  if (known.waitsFor !== '') countWaiting(state, -1);
  const { opening: pending, waitsSince: _, ...kept } = known;
  writeDocument(state, id, {
    ...kept,
    asserted: change.asserted,
    resolved: resolver.resolved(),
    baseline: known.baseline && { ...known.baseline, effects: opened.baseline },
    ...(openings.kind === 'refused' && pending !== undefined ? { opening: pending } : {}),
    waitsFor: '',
  });
  return {
    kind: 'told',
    effects: [...containedEchoes(opened.told), ...change.told],
    contained: containedPast(opened.told, olderThan),
    position,
  };
}

/** Where the document stands: at the row that touches it, or at the last one that came while it waited. */
function standingOf(
  { header, waitsSince }: DocumentState,
  { position, committedAt, restatement }: ComputeContext,
): Standing {
  const isOfRow = position !== undefined && restatement === undefined;
  if (!isOfRow && waitsSince !== undefined) return waitsSince;
  return { position: position ?? header?.position ?? '', committedAt };
}

type Openings =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'open'; readonly drafts: readonly EffectDraft[] } & Standing)
  | Waiting
  | Refused;

/** What opens cells: what the initial snapshot's rows say, not what has become of them until all was there to tell it. */
function openingsOf(
  document: DocumentMapping,
  id: string,
  known: DocumentState,
  { mapping, state }: ComputeContext,
): Openings {
  const { opening } = known;
  if (opening === undefined || !counts(document, id, known, state)) return { kind: 'none' };
  const { position, committedAt } = opening;
  const resolver = resolverFor(mapping, state, known.resolved, committedAt);
  const drafted = drafts(document, opening, resolver);
  if ('code' in drafted) return drafted;
  const openings = drafted.filter(({ kind }) => kind === 'opening');
  const missing = openings.length === 0 ? undefined : resolver.missing();
  if (missing !== undefined) return { kind: 'waiting', ...missing };
  const reason = effectFault(openings);
  if (reason !== undefined) return { kind: 'refused', code: 'EFFECT_UNUSABLE', reason };
  return { kind: 'open', drafts: openings, position, committedAt };
}

function withOpenings(current: readonly EffectDraft[], openings: Openings): readonly EffectDraft[] {
  if (openings.kind !== 'open') return current;
  return [...current.filter(({ kind }) => kind !== 'opening'), ...openings.drafts];
}

type Refused = Extract<Computed, { kind: 'refused' }>;

/** What is refused waits no longer. */
function refuse(
  id: string,
  known: DocumentState,
  refused: Refused,
  state: StateView<IntakeState>,
): Refused {
  if (known.waitsFor !== '') {
    countWaiting(state, -1);
    const { waitsSince: _, ...kept } = known;
    writeDocument(state, id, { ...kept, waitsFor: '' });
  }
  return refused;
}

type Drafted = {
  readonly current: readonly EffectDraft[];
  readonly baseline: readonly EffectDraft[];
};

/** What the mapping says of the rows now, and of those of the initial snapshot. */
function draft(
  document: DocumentMapping,
  id: string,
  known: DocumentState,
  resolver: Resolver,
  state: StateView<IntakeState>,
): Drafted | Refused {
  const current = counts(document, id, known, state)
    ? drafts(document, rowsNow(known), resolver)
    : [];
  if ('code' in current) return current;
  const baseline = known.baseline === null ? [] : drafts(document, known.baseline, resolver);
  return 'code' in baseline ? baseline : { current, baseline };
}

function drafts(
  document: DocumentMapping,
  { header, lines }: SnapshotRows,
  resolver: Resolver,
): readonly EffectDraft[] | Refused {
  if (header === null) return [];
  try {
    return normalized(document.effects({ header, lines: [...lines.values()] }, resolver));
  } catch (error) {
    const reason = `the mapping fails at it: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'refused', code: 'MAPPING_FAILED', reason };
  }
}

function datesOf(resolved: DocumentState['resolved']): DocumentState['resolved'] {
  return new Map([...resolved].filter(([asked]) => asked.startsWith('date|')));
}

const nameCharactersMax = 200;

/** Why stock could not use them; undefined when it can. */
export function effectFault(drafts: readonly EffectDraft[]): string | undefined {
  for (const { sku, location, quantity, occurredAt, kind } of drafts) {
    if (sku === '' || sku.length > nameCharactersMax) return `${sku.slice(0, 40)} is no SKU`;
    if (location === '' || location.length > nameCharactersMax) {
      return `${location.slice(0, 40)} is no location, for ${sku}`;
    }
    if (!Number.isSafeInteger(quantity))
      return `${quantity} thousandths is no quantity, for ${sku}`;
    if (!Number.isSafeInteger(occurredAt)) return `${occurredAt} is no time, for ${sku}`;
    if (kind === 'count' && quantity < 0) return `${sku} cannot be counted below nothing`;
  }
  return undefined;
}

/** Why it cannot be told so late; undefined when a person lets it in, and it is no count. */
function lateness(
  { fresh, gone, oldestAt = 0 }: Difference,
  olderThan: number,
  adjustAt: number | undefined,
): string | undefined {
  const count = [...fresh, ...gone].find((one) => one.kind === 'count' && one.toldAt < olderThan);
  if (adjustAt !== undefined && count === undefined) return undefined;
  const what = count === undefined ? 'a business time' : 'a count';
  return `it has ${what} of ${new Date(oldestAt).toISOString()}: later than the mapping allows, so none of it was applied`;
}

/** What the snapshot's rows mean is in the opening balance: it counts as asserted, and is told as contained. */
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
  return {
    told: grown.told,
    asserted: [...without(known.asserted, grown.gone), ...grown.fresh],
    baseline: grown.asserted,
  };
}

/** Effects less those that a snapshot which began anew did not show again. */
function without(
  effects: readonly AssertedEffect[],
  gone: readonly AssertedEffect[],
): readonly AssertedEffect[] {
  const left = [...effects];
  for (const one of gone) {
    const at = left.findIndex((other) => isSame(other, one));
    if (at >= 0) left.splice(at, 1);
  }
  return left;
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
  const own = known.headerId ?? id;
  const ids = sharing(document, document.once(header), state);
  return ids.every((other) => other === own || isLower(own, other));
}

/** Ids of one document mapping differ in the key alone: numbers of different length, or text. */
function isLower(one: string, other: string): boolean {
  return one.length === other.length ? one < other : one.length < other.length;
}

const waitingMaxDefault = 10_000;
const lookupCharactersMax = 400;

/** Notes the document under the lookup that it needs; it is computed again when that row arrives. */
function wait(
  id: string,
  known: DocumentState,
  missing: { readonly lookup: string; readonly key: string },
  context: ComputeContext,
): Computed {
  const { mapping, state } = context;
  const { waitingMax = waitingMaxDefault } = mapping;
  const waitsFor = `${missing.lookup} ${missing.key}`;
  const waitsSince = standingOf(known, context);
  const { headerId } = known;
  if (headerId !== undefined && loadDocument(state, headerId).waitsFor === waitsFor) {
    // It is computed again with its header, so it need not be noted by itself.
    writeDocument(state, id, { ...known, waitsSince });
    return { kind: 'waiting', ...missing };
  }
  const noted = { ...known, waitsFor, waitsSince };
  if (known.waitsFor === waitsFor) {
    writeDocument(state, id, noted);
    return { kind: 'waiting', ...missing };
  }
  const isTooLong = missing.key.length > lookupCharactersMax;
  if (isTooLong || (known.waitsFor === '' && loadSource(state).waiting >= waitingMax)) {
    const reason = isTooLong
      ? `${missing.lookup} has no ${missing.key.slice(0, 40)}..., which is too long for a key`
      : `${missing.lookup} has no ${missing.key}, and ${waitingMax} documents wait already`;
    return { kind: 'refused', code: 'LOOKUP_MISSING', reason };
  }
  const waitingKey = keys.waiting(missing.lookup, missing.key);
  const waiting = state.get(waitingKey);
  const documents = waiting?.kind === 'waiting' ? waiting.documents : [];
  if (!documents.includes(id)) {
    state.put(waitingKey, { kind: 'waiting', documents: [...documents, id] });
  }
  if (known.waitsFor === '') countWaiting(state, 1);
  writeDocument(state, id, noted);
  return { kind: 'waiting', ...missing };
}
