/**
 * Anomalies of cells, from the ledger: what went below zero, fell at once, sold too much or not at all, was counted
 * otherwise, or is no longer told by its source. What a place sold goes on to `places` by slot of time.
 */
import type { Acknowledgement, Change, LedgerEntry } from '../../schemas/types.ts';
import { acknowledgements, activities } from '../topics.ts';
import { addToAgenda } from '../topology/agenda.ts';
import { type Emit, emit, type Step } from '../topology/topology.ts';
import { looks } from './cell-looks.ts';
import {
  type AnomaliesState,
  agenda,
  bucketed,
  type CellState,
  cellKey,
  cellOf,
  learningMs,
  lookEveryMs,
  newCell,
  perDay,
  type ShopState,
  type State,
  shopKey,
  shopOf,
  shopStart,
  slotMs,
  sourceStart,
} from './cell-state.ts';
import { chanceOfMore } from './chance.ts';
import {
  type AnomalyKind,
  acknowledged,
  evidence,
  type Finding,
  isoOf,
  keyOf,
  nowhere,
  over,
  placeOfId,
  seen,
} from './episode.ts';
import { dayMs, expectedLines, forgotten, hourMs, withLines } from './season.ts';

/** A spike is looked for at each sold line, but the looks of an hour or day are nearly the same one. */
const chancePerSale = 5e-5;
const units = (thousandths: number): string => `${thousandths / 1_000} units`;

export const cellStep: Step<AnomaliesState> = (input, state) => {
  if (input.kind === 'tick')
    return [...looks(state, input.nowMs), ...tellSlots(state, input.nowMs)];
  if (input.record.topic === acknowledgements.name) {
    return onAcknowledged(input.record.value as Acknowledgement | undefined, state);
  }
  const entry = input.record.value as LedgerEntry | undefined;
  if (entry === undefined) return [];
  const nowMs = Math.max(entry.cause.committedAt, input.record.timestampMs);
  const key = cellKey(entry.location, entry.sku);
  const cell = cellOf(state, key) ?? newCell(nowMs);
  const visit = new Visit(state, entry, cell, nowMs);
  for (const change of entry.changes) visit.take(change);
  visit.judgeStock();
  noteSource(state, entry.cause.system, nowMs);
  if (!visit.cell.scheduled) visit.schedule(key);
  state.put(key, visit.cell);
  return visit.emits;
};

function onAcknowledged(by: Acknowledgement | undefined, state: State): readonly Emit[] {
  if (by === undefined) return [];
  const { location, sku } = placeOfId(by.anomaly);
  const key = cellKey(location, sku);
  const cell = cellOf(state, key);
  if (cell === undefined) return [];
  const { episodes, emits } = acknowledged(cell.episodes, by);
  if (emits.length > 0) state.put(key, { ...cell, episodes });
  return emits;
}

/** Whatever a source told counts as a sign of its life. */
function noteSource(state: State, system: string, nowMs: number): void {
  if (system === '') return;
  const key = `${sourceStart}${system}`;
  const known = state.get(key);
  const slots = known?.kind === 'slots' ? known.slots : [];
  state.put(key, { kind: 'slots', slots: bucketed(slots, nowMs, '', false) });
}

/** One ledger entry, seen by the detectors one after the other. */
class Visit {
  readonly emits: Emit[] = [];
  readonly #state: State;
  readonly #entry: LedgerEntry;
  readonly #nowMs: number;
  cell: CellState;

  constructor(state: State, entry: LedgerEntry, cell: CellState, nowMs: number) {
    this.#state = state;
    this.#entry = entry;
    this.#nowMs = nowMs;
    this.cell = cell;
  }

  take(change: Change): void {
    // What an opening contains is long past.
    if (change.bucket !== 'onHand' || change.kind === 'contained') return;
    if (change.kind === 'count') this.#counted(change);
    else if (change.kind === 'level') this.#levelTold();
    else if (change.reason === 'sale') {
      if (change.quantity < 0) this.#sold(change);
    } else if (change.applied < 0 && change.kind === 'event') this.#fell(change);
  }

  judgeStock(): void {
    const { onHand, available } = this.#entry.quantities;
    const isBack = this.cell.onHand <= 0 && onHand > 0;
    const lastSaleMs = isBack ? this.#nowMs : this.cell.lastSaleMs;
    this.cell = { ...this.cell, onHand, lastSaleMs };
    if (onHand >= 0) {
      this.#over('negativeStock');
      return;
    }
    this.#seen('negativeStock', {
      severity: 'critical',
      message: 'more has left than was there',
      expected: '0 units or more',
      seen: units(onHand),
      expectedValue: 0,
      seenValue: onHand / 1_000,
      probability: 0,
      threshold: 0,
      evidence: evidence({ sequence: this.#entry.sequence, available: units(available) }),
    });
  }

  schedule(key: string): void {
    addToAgenda(agenda, this.#state, this.#nowMs + lookEveryMs, key);
    this.cell = { ...this.cell, scheduled: true };
  }

  #sold(change: Change): void {
    const atMs = change.occurredAt;
    const { location } = this.#entry;
    const shop = shopOf(this.#state, location, this.#nowMs);
    this.#over('salesSilence');
    this.#judgeRate(shop, atMs);
    const isTwin = this.#isTwin(change);
    this.#state.put(shopKey(location), {
      ...shop,
      season: withLines(shop.season, atMs, 1),
      lastSaleMs: Math.max(shop.lastSaleMs, atMs),
      slots: bucketed(shop.slots, atMs, tillOf(change.reference), isTwin),
    });
    const { cell } = this;
    this.cell = {
      ...cell,
      lines: forgotten(cell.lines, atMs - cell.linesAtMs) + 1,
      linesAtMs: Math.max(cell.linesAtMs, atMs),
      lastSaleMs: Math.max(cell.lastSaleMs, atMs),
      soldSinceLevel: cell.soldSinceLevel + 1,
      soldSinceCount: cell.soldSinceCount + 1,
    };
  }

  /** Sales of this hour and of this day beside what was expected of the whole hour and day. */
  #judgeRate(shop: ShopState, atMs: number): void {
    const hour = Math.floor(atMs / hourMs) * hourMs;
    const day = Math.floor(atMs / dayMs) * dayMs;
    const inHour = this.cell.hour === hour ? this.cell.inHour + 1 : 1;
    const inDay = 1 + (this.cell.days.find(([one]) => one === day)?.[1] ?? 0);
    const others = this.cell.days.filter(([one]) => one !== day).slice(-3);
    this.cell = { ...this.cell, hour, inHour, days: [...others, [day, inDay]] };
    if (atMs - shop.season.sinceMs < learningMs || atMs - this.cell.sinceMs < learningMs) return;
    const rate = Math.max(0.1, perDay(this.cell));
    for (const [count, fromMs, spanMs] of [
      [inHour, hour, hourMs],
      [inDay, day, dayMs],
    ] as const) {
      const mean = expectedLines(shop.season, rate, fromMs, fromMs + spanMs);
      const probability = chanceOfMore(count, mean);
      if (count < 5 || probability > chancePerSale) continue;
      this.#seen('salesSpike', {
        severity: 'warning',
        message: 'far more is sold than usual',
        expected: `${mean.toFixed(1)} lines from ${isoOf(fromMs)} on`,
        seen: `${count} lines`,
        expectedValue: mean,
        seenValue: count,
        probability,
        threshold: chancePerSale,
        evidence: evidence({ from: isoOf(fromMs), linesPerDay: rate.toFixed(2) }),
      });
      return;
    }
  }

  #isTwin(change: Change): boolean {
    const mark = `${Math.floor(change.occurredAt / 1_000)} ${change.quantity}`;
    const { recent } = this.cell;
    const isTwin = recent.some((one) => one.mark === mark && one.reference !== change.reference);
    const kept = [...recent, { mark, reference: change.reference }].slice(-24);
    this.cell = { ...this.cell, recent: kept };
    return isTwin;
  }

  #fell(change: Change): void {
    if (['shipment', 'transfer', 'fulfil', 'receipt', 'dispatch'].includes(change.reason)) return;
    const fallen = -change.applied;
    const before = this.#entry.quantities.onHand + fallen;
    const aDay = perDay(this.cell) * 1_000;
    if (fallen < Math.max(5_000, 0.3 * before, 2 * aDay)) return;
    this.#seen('suddenDrop', {
      severity: 'warning',
      message: `the stock fell at once, and not by sales (${change.reason})`,
      expected: `about ${units(before)}`,
      seen: units(before - fallen),
      expectedValue: before / 1_000,
      seenValue: (before - fallen) / 1_000,
      probability: 0,
      threshold: 0,
      evidence: evidence({ reason: change.reason, reference: change.reference }),
    });
  }

  #counted(change: Change): void {
    const before = this.#entry.quantities.onHand - change.applied;
    const off = Math.abs(change.applied);
    const usual = Math.max(
      3_000,
      0.02 * Math.abs(before),
      500 * Math.sqrt(this.cell.soldSinceCount),
    );
    this.cell = { ...this.cell, soldSinceCount: 0 };
    if (off <= usual) {
      this.#over('countDiscrepancy');
      return;
    }
    this.#seen('countDiscrepancy', {
      severity: 'warning',
      message: 'a count differs from the figure by more than usual',
      expected: `${units(before)} within ${units(usual)}`,
      seen: units(before + change.applied),
      expectedValue: before / 1_000,
      seenValue: (before + change.applied) / 1_000,
      probability: 0,
      threshold: 0,
      evidence: evidence({ reference: change.reference, difference: units(change.applied) }),
    });
  }

  #levelTold(): void {
    const { cell } = this;
    this.#over('stuckLevel');
    this.cell = {
      ...this.cell,
      levels: cell.levels + 1,
      soldPerLevel: Math.max(cell.soldPerLevel, cell.soldSinceLevel),
      soldSinceLevel: 0,
      lastLevelMs: this.#nowMs,
    };
  }

  #seen(kind: AnomalyKind, finding: Finding): void {
    this.#told(seen(this.cell.episodes, kind, this.#place(), finding, this.#nowMs));
  }

  #over(kind: AnomalyKind): void {
    this.#told(over(this.cell.episodes, kind, this.#nowMs));
  }

  #told({ episodes, emits }: ReturnType<typeof over>): void {
    this.cell = { ...this.cell, episodes };
    this.emits.push(...emits);
  }

  #place() {
    const { sku, location } = this.#entry;
    return { ...nowhere, sku, location };
  }
}

/** `receipt/<shop>/<till>/<number>`; empty where the reference has another form. */
function tillOf(reference: string): string {
  const parts = reference.split('/');
  return parts[0] === 'receipt' && parts.length === 4 ? (parts[2] as string) : '';
}

/** Tells what places sold, and sources told, in the slots that are over. */
function tellSlots(state: State, nowMs: number): readonly Emit[] {
  const emits: Emit[] = [];
  for (const key of [...state.keys(shopStart), ...state.keys(sourceStart)]) {
    const known = state.get(key);
    if (known?.kind !== 'shop' && known?.kind !== 'slots') continue;
    const done = known.slots.filter(({ slot }) => slot + 2 * slotMs <= nowMs);
    if (done.length === 0) continue;
    const name = key.slice(key.indexOf('|') + 1);
    const place =
      known.kind === 'shop' ? { location: name, system: '' } : { location: '', system: name };
    for (const { slot, tills } of done) {
      const lines = tills.reduce((sum, till) => sum + till.lines, 0);
      const told = known.kind === 'shop' ? tills : [];
      const activity = { ...place, slot, slotMs, lines, tills: told };
      emits.push(emit(activities, keyOf({ ...nowhere, ...place }), activity));
    }
    state.put(key, { ...known, slots: known.slots.filter((one) => !done.includes(one)) });
  }
  return emits;
}
