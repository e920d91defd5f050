/** The life of an anomaly: at most one episode of a subject is open; its records tell when it opened and closed. */
import type { Acknowledgement, Anomaly, Evidence } from '../../schemas/types.ts';
import { anomalies } from '../topics.ts';
import { type Emit, emit } from '../topology/topology.ts';

export type AnomalyKind =
  | 'negativeStock'
  | 'suddenDrop'
  | 'salesSpike'
  | 'salesSilence'
  | 'silentSource'
  | 'silentTill'
  | 'duplicateBurst'
  | 'stuckLevel'
  | 'countDiscrepancy';

/** What is known when an episode opens; the rest of its record follows from it. */
export type Finding = Pick<
  Anomaly,
  'expected' | 'seen' | 'expectedValue' | 'seenValue' | 'probability' | 'threshold' | 'severity'
> & { readonly message: string; readonly evidence: readonly Evidence[] };

export type Place = Pick<Anomaly, 'sku' | 'location' | 'till' | 'system'>;

/** An open episode: its record, and when it was last seen. */
export type Episode = { readonly anomaly: Anomaly; readonly seenMs: number };
/** By kind. */
export type Episodes = Readonly<Partial<Record<AnomalyKind, Episode>>>;

export const nowhere: Place = { sku: '', location: '', till: '', system: '' };

function subjectOf(kind: AnomalyKind, { sku, location, till, system }: Place): string {
  return [kind, sku, location, till, system].join('|');
}

/** As the topic is keyed: the SKU of a cell, else the location or `system|<system>`. */
export function keyOf({ sku, location, system }: Place): string {
  if (sku !== '') return sku;
  return location === '' ? `system|${system}` : location;
}

export type Told = { readonly episodes: Episodes; readonly emits: readonly Emit[] };

/** Opens an episode, or notes that the open one is still seen. */
export function seen(
  episodes: Episodes,
  kind: AnomalyKind,
  place: Place,
  finding: Finding,
  nowMs: number,
): Told {
  const known = episodes[kind];
  if (known !== undefined) {
    return { episodes: { ...episodes, [kind]: { ...known, seenMs: nowMs } }, emits: [] };
  }
  const subject = subjectOf(kind, place);
  const anomaly: Anomaly = {
    id: `${subject}|${nowMs}`,
    subject,
    kind,
    state: 'open',
    ...place,
    ...finding,
    openedAt: nowMs,
    observedAt: nowMs,
    closedAt: null,
    acknowledgedBy: '',
    note: '',
  };
  return {
    episodes: { ...episodes, [kind]: { anomaly, seenMs: nowMs } },
    emits: [emit(anomalies, keyOf(place), anomaly)],
  };
}

/** Closes the open episode, if there is one. */
export function over(episodes: Episodes, kind: AnomalyKind, nowMs: number): Told {
  const known = episodes[kind];
  if (known === undefined) return { episodes, emits: [] };
  const { [kind]: _, ...left } = episodes;
  const closed: Anomaly = {
    ...known.anomaly,
    state: 'closed',
    observedAt: nowMs,
    closedAt: nowMs,
  };
  return { episodes: left, emits: [emit(anomalies, keyOf(known.anomaly), closed)] };
}

/** A person looks after it: said once more, with who and why. Nothing where it is not open, or not of these. */
export function acknowledged(episodes: Episodes, by: Acknowledgement): Told {
  const kind = by.anomaly.slice(0, by.anomaly.indexOf('|')) as AnomalyKind;
  const known = episodes[kind];
  if (known?.anomaly.id !== by.anomaly) return { episodes, emits: [] };
  const anomaly: Anomaly = {
    ...known.anomaly,
    state: 'acknowledged',
    observedAt: by.at,
    acknowledgedBy: by.actor,
    note: by.note,
  };
  return {
    episodes: { ...episodes, [kind]: { ...known, anomaly } },
    emits: [emit(anomalies, keyOf(anomaly), anomaly)],
  };
}

/** What an id is about: `kind|sku|location|till|system|opened`. */
export function placeOfId(id: string): Place {
  const [, sku = '', location = '', till = '', system = ''] = id.split('|');
  return { sku, location, till, system };
}

export function evidence(values: Readonly<Record<string, string | number>>): readonly Evidence[] {
  return Object.entries(values).map(([name, value]) => ({ name, value: String(value) }));
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();
