/** Anomalies of places, tills and sources, from what they sold by slot of time. */
import type { Acknowledgement, Activity, TillActivity } from '../../schemas/types.ts';
import { acknowledgements } from '../topics.ts';
import { type AgendaState, addToAgenda, takeDue } from '../topology/agenda.ts';
import { packedCodec } from '../topology/packed.ts';
import type { Emit, StateCodec, Step, StepState } from '../topology/topology.ts';
import { slotMs as activitySlotMs } from './cell-state.ts';
import { chanceOfMore } from './chance.ts';
import {
  type AnomalyKind,
  acknowledged,
  type Episodes,
  evidence,
  type Finding,
  isoOf,
  nowhere,
  over,
  type Place,
  placeOfId,
  seen,
} from './episode.ts';
import {
  dayMs,
  daysCounted,
  hourMs,
  logChanceOfSilence,
  newSeason,
  type Season,
  withLines,
} from './season.ts';

/** A place is looked at every quarter of an hour. */
const chancePerLook = 1e-10;
const learningMs = 7 * dayMs;
/** A slot is told when it and the next one are over. */
const toldAfterMs = hourMs / 2;
const lookEveryMs = hourMs / 4;
const agenda = { name: 'places', slotMs: 60_000 };

/** A till of a place, or the one voice of a source. */
type Till = {
  /** When it sells: slots in which it sold something. */
  readonly season: Season;
  readonly lastSlot: number;
  readonly lastMs: number;
  readonly episodes: Episodes;
};
type PlaceState = {
  readonly kind: 'place';
  readonly tills: Readonly<Record<string, Till>>;
  /** All lines so far, and those that repeat another. */
  readonly lines: number;
  readonly twins: number;
  readonly hour: number;
  readonly linesInHour: number;
  readonly twinsInHour: number;
  readonly episodes: Episodes;
  readonly scheduled: boolean;
};
export type PlacesState = PlaceState | AgendaState;
export const placesStateCodec: StateCodec<PlacesState> = packedCodec({
  version: 2,
  words: ['kind', 'place', 'pending', 'slot', 'due', 'at', 'count', 'key'],
});

const silentKind = (system: string): AnomalyKind => (system === '' ? 'silentTill' : 'silentSource');

type Told = { readonly place: PlaceState; readonly emits: readonly Emit[] };

export const placeStep: Step<PlacesState> = (input, state) => {
  if (input.kind === 'tick') return looks(state, input.nowMs);
  if (input.record.topic === acknowledgements.name) {
    return onAcknowledged(input.record.value as Acknowledgement | undefined, state);
  }
  const activity = input.record.value as Activity | undefined;
  if (activity === undefined) return [];
  const nowMs = Math.max(input.record.timestampMs, activity.slot + activity.slotMs);
  const { location, system } = activity;
  const key = `place|${location}|${system}`;
  const known = state.get(key);
  let place: PlaceState =
    known?.kind === 'place'
      ? known
      : {
          kind: 'place',
          tills: {},
          lines: 0,
          twins: 0,
          hour: 0,
          linesInHour: 0,
          twinsInHour: 0,
          episodes: {},
          scheduled: false,
        };
  const emits: Emit[] = [];
  const tills = system === '' ? activity.tills : [{ till: '', lines: activity.lines, twins: 0 }];
  for (const till of tills) {
    const told = withTill(place, activity, till, nowMs);
    place = told.place;
    emits.push(...told.emits);
  }
  const judged = judgeTwins(place, activity, nowMs);
  emits.push(...judged.emits);
  place = { ...judged.place, lines: place.lines + activity.lines };
  state.put(key, scheduled(state, key, place, nowMs));
  return emits;
};

function onAcknowledged(
  by: Acknowledgement | undefined,
  state: StepState<PlacesState>,
): readonly Emit[] {
  if (by === undefined) return [];
  const { location, system, till } = placeOfId(by.anomaly);
  const key = `place|${location}|${system}`;
  const place = state.get(key);
  if (place?.kind !== 'place') return [];
  const own = acknowledged(place.episodes, by);
  if (own.emits.length > 0) {
    state.put(key, { ...place, episodes: own.episodes });
    return own.emits;
  }
  const known = place.tills[till];
  if (known === undefined) return [];
  const { episodes, emits } = acknowledged(known.episodes, by);
  if (emits.length > 0) {
    state.put(key, { ...place, tills: { ...place.tills, [till]: { ...known, episodes } } });
  }
  return emits;
}

function withTill(
  place: PlaceState,
  { slot, slotMs, system }: Activity,
  { till, lines }: TillActivity,
  nowMs: number,
): Told {
  const known = place.tills[till] ?? {
    season: newSeason(slot),
    lastSlot: Number.NEGATIVE_INFINITY,
    lastMs: slot,
    episodes: {},
  };
  // A line without a till, such as a web order's, says nothing of any.
  if (lines === 0 || (system === '' && till === '')) return { place, emits: [] };
  const { episodes, emits } = over(known.episodes, silentKind(system), nowMs);
  const isNew = slot > known.lastSlot;
  const next: Till = {
    ...known,
    season: isNew ? withLines(known.season, slot, 1) : known.season,
    lastSlot: Math.max(known.lastSlot, slot),
    lastMs: Math.max(known.lastMs, slot + slotMs),
    episodes,
  };
  return { place: { ...place, tills: { ...place.tills, [till]: next } }, emits };
}

function judgeTwins(place: PlaceState, activity: Activity, nowMs: number): Told {
  const twins = activity.tills.reduce((sum, till) => sum + till.twins, 0);
  const hour = Math.floor(activity.slot / hourMs) * hourMs;
  const isSame = place.hour === hour;
  const twinsInHour = (isSame ? place.twinsInHour : 0) + twins;
  const linesInHour = (isSame ? place.linesInHour : 0) + activity.lines;
  const share = place.lines === 0 ? 0 : place.twins / place.lines;
  const mean = Math.max(0.1, share * linesInHour);
  const probability = chanceOfMore(twinsInHour, mean);
  const next = { ...place, twins: place.twins + twins, hour, linesInHour, twinsInHour };
  if (twinsInHour < 5 || probability > chancePerLook) return { place: next, emits: [] };
  const finding: Finding = {
    severity: 'warning',
    message: 'many sold lines come twice, under other documents',
    expected: `${mean.toFixed(2)} lines that repeat another`,
    seen: `${twinsInHour} lines`,
    expectedValue: mean,
    seenValue: twinsInHour,
    probability,
    threshold: chancePerLook,
    evidence: evidence({ hour: isoOf(hour), lines: linesInHour }),
  };
  const at: Place = { ...nowhere, location: activity.location };
  const told = seen(place.episodes, 'duplicateBurst', at, finding, nowMs);
  return { place: { ...next, episodes: told.episodes }, emits: told.emits };
}

/** Slots of an average day in which it has something to tell, as of the last one. */
const slotsPerDay = ({ season }: Till): number =>
  season.total / Math.max(1, daysCounted(season.sinceMs, season.atMs));

function scheduled(
  state: StepState<PlacesState>,
  key: string,
  place: PlaceState,
  nowMs: number,
): PlaceState {
  if (place.scheduled) return place;
  addToAgenda(agenda, state, nowMs + lookEveryMs, key);
  return { ...place, scheduled: true };
}

function looks(state: StepState<PlacesState>, nowMs: number): readonly Emit[] {
  const emits: Emit[] = [];
  for (const key of takeDue(agenda, state, nowMs)) {
    const known = state.get(key);
    if (known?.kind !== 'place') continue;
    const [, location = '', system = ''] = key.split('|');
    const told = silentTills({ ...known, scheduled: false }, { location, system }, nowMs);
    emits.push(...told.emits);
    let { place } = told;
    const burst = place.episodes.duplicateBurst;
    if (burst !== undefined && nowMs - burst.seenMs >= dayMs / 4) {
      const closed = over(place.episodes, 'duplicateBurst', nowMs);
      emits.push(...closed.emits);
      place = { ...place, episodes: closed.episodes };
    }
    state.put(key, scheduled(state, key, place, nowMs));
  }
  return emits;
}

function silentTills(
  place: PlaceState,
  { location, system }: Pick<Place, 'location' | 'system'>,
  nowMs: number,
): Told {
  const silent = Object.entries(place.tills).flatMap(([name, till]) => {
    const { season, lastMs } = till;
    const isLearning = nowMs - season.sinceMs < learningMs;
    if (isLearning || Object.keys(till.episodes).length > 0) return [];
    // What was sold just now is told a little later.
    const toMs = nowMs - toldAfterMs;
    const log = logChanceOfSilence(season, slotsPerDay(till), activitySlotMs, lastMs, toMs);
    const probability = Math.exp(log);
    return probability > chancePerLook ? [] : [{ name, till, probability }];
  });
  const emits: Emit[] = [];
  const tills = { ...place.tills };
  for (const { name, till, probability } of silent) {
    const kind = silentKind(system);
    const finding: Finding = {
      severity: 'warning',
      message: system === '' ? 'a till tells nothing' : 'a source tells nothing',
      expected: `something in ${slotsPerDay(till).toFixed(1)} quarters of an hour a day`,
      seen: `nothing since ${isoOf(till.lastMs)}`,
      expectedValue: slotsPerDay(till),
      seenValue: 0,
      probability,
      threshold: chancePerLook,
      evidence: evidence({ lastLine: isoOf(till.lastMs) }),
    };
    const at: Place = { ...nowhere, location, till: name, system };
    const told = seen(till.episodes, kind, at, finding, nowMs);
    tills[name] = { ...till, episodes: told.episodes };
    emits.push(...told.emits);
  }
  return { place: { ...place, tills }, emits };
}
