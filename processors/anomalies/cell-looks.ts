/** What shows only by nothing happening: each cell is looked at now and then, whether anything was told or not. */
import { addToAgenda, takeDue } from '../topology/agenda.ts';
import type { Emit } from '../topology/topology.ts';
import {
  agenda,
  type CellState,
  cellOf,
  learningMs,
  lookEveryMs,
  perDay,
  type State,
  shopOf,
} from './cell-state.ts';
import { chanceOfNone } from './chance.ts';
import { evidence, type Finding, isoOf, nowhere, over, seen } from './episode.ts';
import { dayMs, daysCounted, expectedLines } from './season.ts';

/** A look that finds something by chance this seldom: a thousand cells look some hundred thousand times a month. */
const chancePerLook = 1e-5;
/** Facts and sudden falls are closed after a day in which nothing like them came again. */
const quietMs = dayMs;

/** Looks at the cells whose time has come. */
export function looks(state: State, nowMs: number): readonly Emit[] {
  const emits: Emit[] = [];
  for (const key of takeDue(agenda, state, nowMs)) {
    const cell = cellOf(state, key);
    if (cell === undefined) continue;
    const [, location = '', sku = ''] = key.split('|');
    let now: CellState = cell;
    const told = [
      ...(['suddenDrop', 'countDiscrepancy', 'salesSpike'] as const).flatMap((kind) => {
        const isQuiet = nowMs - (cell.episodes[kind]?.seenMs ?? nowMs) >= quietMs;
        return isQuiet ? [(at: CellState) => over(at.episodes, kind, nowMs)] : [];
      }),
      ...silence(state, location, sku, cell, nowMs),
      ...stuck(location, sku, cell, nowMs),
    ];
    for (const tell of told) {
      const { episodes, emits: more } = tell(now);
      now = { ...now, episodes };
      emits.push(...more);
    }
    addToAgenda(agenda, state, nowMs + lookEveryMs, key);
    state.put(key, { ...now, scheduled: true });
  }
  return emits;
}

type Tell = (cell: CellState) => ReturnType<typeof over>;

function silence(
  state: State,
  location: string,
  sku: string,
  cell: CellState,
  nowMs: number,
): readonly Tell[] {
  const shop = shopOf(state, location, nowMs);
  if (nowMs - Math.max(shop.season.sinceMs, cell.sinceMs) < learningMs) return [];
  // A place that sells nothing at all is told of once, as a whole.
  const shopPerDay = shop.season.total / Math.max(1, daysCounted(shop.season.sinceMs, nowMs));
  if (expectedLines(shop.season, shopPerDay, shop.lastSaleMs, nowMs) > 8) return [];
  if (cell.onHand <= 0) return [];
  const rate = perDay(cell);
  const mean = expectedLines(shop.season, rate, cell.lastSaleMs, nowMs);
  const probability = chanceOfNone(mean);
  if (probability > chancePerLook) return [];
  const finding: Finding = {
    severity: 'warning',
    message: 'nothing is sold, although there is stock',
    expected: `${mean.toFixed(1)} lines since ${isoOf(cell.lastSaleMs)}`,
    seen: '0 lines',
    expectedValue: mean,
    seenValue: 0,
    probability,
    threshold: chancePerLook,
    evidence: evidence({ lastSale: isoOf(cell.lastSaleMs), linesPerDay: rate.toFixed(2) }),
  };
  return [(at) => seen(at.episodes, 'salesSilence', { ...nowhere, sku, location }, finding, nowMs)];
}

function stuck(location: string, sku: string, cell: CellState, nowMs: number): readonly Tell[] {
  const soldMax = Math.max(8, 1.5 * cell.soldPerLevel);
  const isStuck =
    cell.levels >= 5 && nowMs - cell.lastLevelMs >= 2 * dayMs && cell.soldSinceLevel >= soldMax;
  if (!isStuck) return [];
  const finding: Finding = {
    severity: 'warning',
    message: 'the source no longer changes its balance, although there are sales',
    expected: `a new balance within ${cell.soldPerLevel} lines`,
    seen: `${cell.soldSinceLevel} lines since ${isoOf(cell.lastLevelMs)}`,
    expectedValue: cell.soldPerLevel,
    seenValue: cell.soldSinceLevel,
    probability: 0,
    threshold: 0,
    evidence: evidence({ lastBalance: isoOf(cell.lastLevelMs), balances: cell.levels }),
  };
  return [(at) => seen(at.episodes, 'stuckLevel', { ...nowhere, sku, location }, finding, nowMs)];
}
