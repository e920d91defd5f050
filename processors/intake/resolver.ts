/** Answers what an effects function asks, and keeps the answers with the document. */
import { zone } from '../cdc/local-time.ts';
import type { StateView } from '../topology/topology.ts';
import type { Resolver, SystemMapping } from './mapping.ts';
import { type IntakeState, keys } from './state.ts';

/** Lookups and dates by what was asked. */
export type Answers = ReadonlyMap<string, string | number>;

export type RecordingResolver = Resolver & {
  /** The first lookup that had no answer. */
  readonly missing: () => { readonly lookup: string; readonly key: string } | undefined;
  readonly resolved: () => Answers;
};

export function resolverFor(
  mapping: SystemMapping,
  state: StateView<IntakeState>,
  known: Answers,
  committedAt: number,
): RecordingResolver {
  const local = zone(mapping.timeZone);
  const answers = new Map(known);
  let missing: { readonly lookup: string; readonly key: string } | undefined;
  return {
    lookup: (lookup, key) => {
      const name = `${lookup}|${key}`;
      const answered = answers.get(name);
      if (answered !== undefined) return String(answered);
      const found = state.get(keys.lookup(lookup, key));
      if (found?.kind !== 'lookup') {
        missing ??= { lookup, key };
        return '';
      }
      answers.set(name, found.value);
      return found.value;
    },
    instant: local.instantOf,
    dated: (day) => {
      const name = `date|${day}`;
      const answered = answers.get(name);
      if (answered !== undefined) return Number(answered);
      const at = local.dayOf(committedAt) === day ? committedAt : local.endOfDay(day);
      answers.set(name, at);
      return at;
    },
    missing: () => missing,
    resolved: () => answers,
  };
}
