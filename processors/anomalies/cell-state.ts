/** What is remembered of a cell and of a place; bounded for each of them. */
import type { TillActivity } from '../../schemas/types.ts';
import type { AgendaState } from '../topology/agenda.ts';
import { packedCodec } from '../topology/packed.ts';
import type { StateCodec, StepState } from '../topology/topology.ts';
import type { Episodes } from './episode.ts';
import { dayMs, daysCounted, hourMs, newSeason, type Season } from './season.ts';

/** The grain in which places tell what they sold. */
export const slotMs = 15 * 60_000;

export type CellState = {
  readonly kind: 'cell';
  readonly sinceMs: number;
  /** Sold lines, forgotten over time, as of `linesAtMs`. */
  readonly lines: number;
  readonly linesAtMs: number;
  /** The last sold line, or when the cell had stock again. */
  readonly lastSaleMs: number;
  /** Stock after the last entry, in thousandths of a unit. */
  readonly onHand: number;
  readonly hour: number;
  readonly inHour: number;
  /** Lines of the last days: what was held back somewhere comes late. */
  readonly days: readonly (readonly [day: number, lines: number])[];
  /** The last sold lines, to know one that comes again under another document. */
  readonly recent: readonly { readonly mark: string; readonly reference: string }[];
  readonly levels: number;
  readonly lastLevelMs: number;
  readonly soldSinceLevel: number;
  /** The most lines between two balances. */
  readonly soldPerLevel: number;
  readonly soldSinceCount: number;
  readonly episodes: Episodes;
  /** The agenda holds a next look. */
  readonly scheduled: boolean;
};

export type SlotState = { readonly slot: number; readonly tills: readonly TillActivity[] };

export type ShopState = {
  readonly kind: 'shop';
  readonly season: Season;
  readonly lastSaleMs: number;
  readonly slots: readonly SlotState[];
};

/** What a source told. */
export type SourceState = { readonly kind: 'slots'; readonly slots: readonly SlotState[] };

export type AnomaliesState = CellState | ShopState | SourceState | AgendaState;

export const anomaliesStateCodec: StateCodec<AnomaliesState> = packedCodec({
  version: 2,
  words: ['kind', 'cell', 'shop', 'pending', 'slot', 'due', 'at', 'count', 'key'],
});

export function newCell(nowMs: number): CellState {
  return {
    kind: 'cell',
    sinceMs: nowMs,
    lines: 0,
    linesAtMs: nowMs,
    lastSaleMs: nowMs,
    onHand: 0,
    hour: 0,
    inHour: 0,
    days: [],
    recent: [],
    levels: 0,
    lastLevelMs: nowMs,
    soldSinceLevel: 0,
    soldPerLevel: 0,
    soldSinceCount: 0,
    episodes: {},
    scheduled: false,
  };
}

/** Adds a sold line to the slot in which it was sold. */
export function bucketed(
  slots: readonly SlotState[],
  atMs: number,
  till: string,
  isTwin: boolean,
): readonly SlotState[] {
  const slot = Math.floor(atMs / slotMs) * slotMs;
  const known = slots.find((one) => one.slot === slot);
  const tills = known?.tills ?? [];
  const before = tills.find((one) => one.till === till) ?? { till, lines: 0, twins: 0 };
  const after = { till, lines: before.lines + 1, twins: before.twins + (isTwin ? 1 : 0) };
  const others = tills.filter((one) => one !== before);
  return [...slots.filter((one) => one !== known), { slot, tills: [...others, after] }];
}

export type State = StepState<AnomaliesState>;

/** So long a cell and a shop are only watched. */
export const learningMs = 7 * dayMs;
/** What shows only by nothing happening is looked for so often. */
export const lookEveryMs = 6 * hourMs;
/** When each cell is looked at next. */
export const agenda = { name: 'cells', slotMs: 15 * 60_000 };
export const cellKey = (location: string, sku: string): string => `cell|${location}|${sku}`;
export const shopStart = 'shop|';
export const shopKey = (location: string): string => `${shopStart}${location}`;
export const sourceStart = 'source|';

export function cellOf(state: State, key: string): CellState | undefined {
  const known = state.get(key);
  return known?.kind === 'cell' ? known : undefined;
}

export function shopOf(state: State, location: string, nowMs: number): ShopState {
  const known = state.get(shopKey(location));
  if (known?.kind === 'shop') return known;
  return { kind: 'shop', season: newSeason(nowMs), lastSaleMs: nowMs, slots: [] };
}

/** Lines of a cell on an average day, as of its last sale: a silence must not make itself expected. */
export const perDay = (cell: CellState): number =>
  cell.lines / Math.max(1, daysCounted(cell.sinceMs, cell.linesAtMs));
