/** What is remembered of a cell and of a place; bounded for each of them. */
import type { TillActivity } from '../../schemas/types.ts';
import type { AgendaState } from '../topology/agenda.ts';
import { packedCodec } from '../topology/packed.ts';
import type { StateCodec } from '../topology/topology.ts';
import type { Episodes } from './episode.ts';
import type { Season } from './season.ts';

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
  version: 1,
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
