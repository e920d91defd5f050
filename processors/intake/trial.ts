/**
 * A mapping tried on rows that stand as they are: documents with their effects, without a log and without state. For looking at
 * a mapping before it runs, and for golden rows. Pure.
 */

import { keyOfColumns, type Row } from '../cdc/change.ts';
import { zone } from '../cdc/local-time.ts';
import { effectFault } from './documents.ts';
import type {
  DocumentMapping,
  EffectDraft,
  Resolver,
  SourceDocument,
  SystemMapping,
} from './mapping.ts';

export type TriedDocument = {
  readonly document: string;
  readonly key: string;
  readonly header: Row;
  readonly lines: readonly Row[];
  readonly effects: readonly EffectDraft[];
  /** Why it would be refused, or would have to wait; empty: neither. */
  readonly fault: string;
};

/** Answers by lookup and key. */
export type LookupValues = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** `now`: dates without time that lie on its day are of that time, as of a change that is committed then. */
export function tryDocument(
  mapping: SystemMapping,
  document: DocumentMapping,
  { header, lines }: { readonly header: Row; readonly lines: readonly Row[] },
  lookups: LookupValues,
  now: number,
): TriedDocument {
  const local = zone(mapping.timeZone);
  const missing: string[] = [];
  const resolver: Resolver = {
    lookup: (name, key) => {
      const value = lookups.get(name)?.get(key);
      if (value === undefined) missing.push(`${name} has no ${key}`);
      return value ?? `?${name}:${key}`;
    },
    instant: local.instantOf,
    dated: (day) => (local.dayOf(now) === day ? now : local.endOfDay(day)),
  };
  const key = keyOfColumns(document.header.primaryKey, header);
  const tried = { document: document.name, key, header, lines };
  try {
    const effects = document.effects({ header, lines }, resolver);
    const fault = missing[0] ?? effectFault(effects) ?? apartFault(document, tried, resolver) ?? '';
    return { ...tried, effects, fault };
  } catch (error) {
    return { ...tried, effects: [], fault: `the mapping fails: ${(error as Error).message}` };
  }
}

/** Why its lines cannot be kept apart as the mapping says; undefined when they can. */
function apartFault(
  { lines, effects }: DocumentMapping,
  rows: SourceDocument,
  resolver: Resolver,
): string | undefined {
  if (lines?.apart !== true) return undefined;
  const byLine = rows.lines.flatMap((line) => effects({ ...rows, lines: [line] }, resolver));
  return JSON.stringify(byLine) === JSON.stringify(effects(rows, resolver))
    ? undefined
    : 'its lines cannot be kept apart: one of its effects is not of one line alone';
}

/** Faults that no row shows by itself, from what the documents say over all. */
export function contradictions(
  mapping: SystemMapping,
  tried: readonly TriedDocument[],
): readonly string[] {
  const faults: string[] = [];
  const of = (name: string): readonly EffectDraft[] =>
    tried.filter(({ document }) => document === name).flatMap(({ effects }) => effects);
  const opening = mapping.documents.filter(({ name }) =>
    of(name).some(({ kind }) => kind === 'opening'),
  );
  for (const { name, containedInOpening } of mapping.documents) {
    const effects = of(name);
    if (containedInOpening && opening.length === 0 && effects.length > 0) {
      faults.push(
        `${name} is contained in the opening, and no document gives an opening: its rows would count nowhere`,
      );
    }
    if (
      !containedInOpening &&
      effects.some(
        ({ kind, bucket, echo }) => kind === 'event' && bucket === 'onHand' && echo === undefined,
      )
    ) {
      if (opening.length > 0) {
        faults.push(
          `${name} adds rows that were there before the snapshot to an opening that may contain them: say containedInOpening, or give it an echo`,
        );
      }
    }
    const signs = new Set(
      effects.filter(({ reason }) => reason === 'sale').map(({ quantity }) => Math.sign(quantity)),
    );
    if (signs.has(1) && !signs.has(-1)) {
      faults.push(`${name}: every sale adds to stock: is the sign wrong?`);
    }
    const echoes = effects.flatMap(({ echo }) => (echo === undefined ? [] : [echo]));
    if (new Set(echoes.map(({ netted }) => netted === true)).size > 1) {
      faults.push(`${name}: some echoes are netted and some are not`);
    }
  }
  const cells = opening
    .flatMap(({ name }) => of(name))
    .map(({ sku, location }) => `${sku} at ${location}`);
  const twice = cells.find((cell, index) => cells.indexOf(cell) !== index);
  if (twice !== undefined) faults.push(`two rows open ${twice}: only one of them would count`);
  return faults;
}
