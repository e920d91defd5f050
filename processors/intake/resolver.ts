/** Answers what an effects function asks, and keeps the answers with the document. */
import { zone } from '../cdc/local-time.ts';
import type { StateView } from '../topology/topology.ts';
import type { Resolver, SystemMapping } from './mapping.ts';
import { type IntakeState, keys } from './state.ts';

export type RecordingResolver = Resolver & {
  /** `lookup|key` of the first lookup that had no answer; empty when all had. */
  readonly missing: () => { readonly lookup: string; readonly key: string } | undefined;
  readonly resolved: () => Readonly<Record<string, string | number>>;
};

export function resolverFor(
  mapping: SystemMapping,
  state: StateView<IntakeState>,
  known: Readonly<Record<string, string | number>>,
  committedAt: number,
): RecordingResolver {
  const local = zone(mapping.timeZone);
  const answers: Record<string, string | number> = { ...known };
  let missing: { readonly lookup: string; readonly key: string } | undefined;
  return {
    lookup: (lookup, key) => {
      const name = `${lookup}|${key}`;
      const answered = answers[name];
      if (answered !== undefined) return String(answered);
      const found = state.get(keys.lookup(lookup, key));
      if (found?.kind !== 'lookup') {
        missing ??= { lookup, key };
        return '';
      }
      answers[name] = found.value;
      return found.value;
    },
    instant: local.instantOf,
    dated: (day) => {
      const name = `date|${day}`;
      const answered = answers[name];
      if (answered !== undefined) return Number(answered);
      const at = local.dayOf(committedAt) === day ? committedAt : local.endOfDay(day);
      answers[name] = at;
      return at;
    },
    missing: () => missing,
    resolved: () => answers,
  };
}
