/**
 * Weeks of a retailer's ledger with faults in it: shops with tills, hours and weekdays that sell differently, articles
 * that sell often and seldom, deliveries, nightly balances, counts, small losses. It knows nothing of the detectors.
 */

import type { Random } from '../../../connectors/simulator/random.ts';
import { chance, fraction, integer, seededRandom } from '../../../connectors/simulator/random.ts';
import type { Change, LedgerEntry } from '../../../schemas/types.ts';
import { noQuantities } from '../../domain/quantities.ts';
import type { Fault, Seller } from './faults.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const openFrom = 9;
const openTo = 20;
/** Morning, lunch, afternoon, evening. */
const hourWeights = [4, 6, 8, 10, 9, 7, 8, 10, 12, 11, 6];
const weekdayWeights = [0.8, 0.8, 0.9, 1, 1.3, 1.7, 0.5];
const tillsPerShop = 3;

type Cell = Seller & { onHand: number; soldToday: number; counted: number };
/** What happens at a moment to one cell, as the source means it. */
type Event = {
  readonly atMs: number;
  /** When the source commits it. */
  readonly toldMs: number;
  readonly cell: Cell;
  readonly change: (cell: Cell) => Partial<Change> & { readonly applied: number };
  readonly system: string;
};

export type World = {
  readonly beginMs: number;
  readonly sellers: readonly Seller[];
  readonly tills: readonly { readonly location: string; readonly till: string }[];
  /** Ledger entries in the order in which they are told, with the time at which they are. */
  readonly entries: (faults: readonly Fault[]) => Generator<{
    readonly toldMs: number;
    readonly entry: LedgerEntry;
  }>;
};

export function anomalyWorld(options: {
  readonly seed: number;
  readonly days: number;
  readonly shops: number;
  readonly articles: number;
}): World {
  const random = seededRandom(options.seed);
  // A Monday.
  const beginMs = Date.UTC(2026, 0, 5);
  const cells: Cell[] = [];
  for (let shop = 1; shop <= options.shops; shop += 1) {
    const size = 0.6 + fraction(random);
    for (let article = 1; article <= options.articles; article += 1) {
      const popularity = 14 / (1 + 0.25 * article);
      const linesPerDay = size * popularity * (0.6 + 0.8 * fraction(random));
      const location = `F${shop}`;
      const sku = `A${article}`;
      const onHand = Math.ceil(linesPerDay * 25) + 20;
      cells.push({ sku, location, linesPerDay, onHand, soldToday: 0, counted: 0 });
    }
  }
  const tills = Array.from({ length: options.shops * tillsPerShop }, (_, at) => ({
    location: `F${Math.floor(at / tillsPerShop) + 1}`,
    till: String((at % tillsPerShop) + 1),
  }));
  return {
    beginMs,
    sellers: [...cells].sort((one, other) => other.linesPerDay - one.linesPerDay),
    tills,
    entries: (faults) => play(cells, options.days, beginMs, faults, random),
  };
}

type Window = Fault & { readonly fromMs: number; readonly toMs: number };

function* play(
  cells: readonly Cell[],
  days: number,
  beginMs: number,
  faults: readonly Fault[],
  random: Random,
): ReturnType<World['entries']> {
  const windows: readonly Window[] = faults.map((fault) => {
    const fromMs = beginMs + fault.atHours * hourMs;
    return { ...fault, fromMs, toMs: fromMs + fault.hours * hourMs };
  });
  const counters = { receipt: 0, sequence: new Map<Cell, number>() };
  let late: Event[] = [];
  for (let day = 0; day < days; day += 1) {
    const dayStart = beginMs + day * dayMs;
    const mood = 0.85 + 0.3 * fraction(random);
    const events = [
      ...late,
      ...cells.flatMap((cell) => dayOfCell(cell, dayStart, mood, windows, counters, random)),
      ...oddities(cells, dayStart, windows),
    ].sort((one, other) => one.toldMs - other.toldMs);
    late = events.filter(({ toldMs }) => toldMs >= dayStart + dayMs);
    for (const event of events) {
      if (event.toldMs >= dayStart + dayMs) break;
      yield { toldMs: event.toldMs, entry: entryOf(event, counters.sequence) };
    }
  }
}

/** An ordinary day, and what lasting faults make of it. */
function dayOfCell(
  cell: Cell,
  dayStart: number,
  mood: number,
  windows: readonly Window[],
  counters: { receipt: number },
  random: Random,
): readonly Event[] {
  const events: Event[] = [];
  const at = (kind: Fault['kind'], atMs: number): Window | undefined =>
    windows.find(
      (one) =>
        one.kind === kind &&
        atMs >= one.fromMs &&
        atMs < one.toMs &&
        (one.sku === '' || one.sku === cell.sku) &&
        (one.location === '' || one.location === cell.location),
    );
  const weekday = Math.floor(dayStart / dayMs + 3) % 7;
  const weightSum = hourWeights.reduce((sum, weight) => sum + weight, 0);
  const ofDay = cell.linesPerDay * mood * (weekdayWeights[weekday] ?? 1);
  for (let hour = openFrom; hour < openTo; hour += 1) {
    const hourStart = dayStart + hour * hourMs;
    const boost = at('salesSpike', hourStart)?.size ?? 1;
    const mean = (boost * ofDay * (hourWeights[hour - openFrom] ?? 0)) / weightSum;
    for (let sold = poisson(random, mean); sold > 0; sold -= 1) {
      const atMs = hourStart + integer(random, 0, hourMs - 1);
      if (at('salesSilence', atMs) !== undefined) continue;
      const till = String(integer(random, 1, tillsPerShop));
      events.push(...sale(cell, atMs, till, at, counters, random));
    }
  }
  if (at('stuckLevel', dayStart + 23 * hourMs) === undefined) {
    events.push(balance(cell, dayStart + 23 * hourMs));
  }
  if (weekday === (cell.sku.length + cell.location.length) % 5) {
    const order = Math.ceil(cell.linesPerDay * 25) + 20;
    events.push(
      plain(cell, dayStart + 7 * hourMs, (now) => ({
        reason: 'receipt',
        applied: 1_000 * Math.max(0, order - now.onHand),
      })),
    );
  }
  if (chance(random, 0.02)) {
    events.push(
      plain(cell, dayStart + 8 * hourMs, (now) => ({
        reason: 'scrap',
        applied: now.onHand > 2 ? -1_000 : 0,
      })),
    );
  }
  if (chance(random, 0.03)) {
    const off = chance(random, 0.2) ? integer(random, -1, 1) : 0;
    events.push(count(cell, dayStart + 6 * hourMs, off));
  }
  return events;
}

function sale(
  cell: Cell,
  atMs: number,
  till: string,
  at: (kind: Fault['kind'], atMs: number) => Window | undefined,
  counters: { receipt: number },
  random: Random,
): readonly Event[] {
  const quantity = chance(random, 0.85) ? 1 : integer(random, 2, 3);
  const change = (reference: string) => (now: Cell) => {
    const units = Math.min(quantity, Math.max(0, now.onHand));
    now.soldToday += units;
    return {
      reason: 'sale',
      reference,
      occurredAt: atMs,
      quantity: -1_000 * units,
      applied: -1_000 * units,
    };
  };
  counters.receipt += 1;
  const reference = (): string => `receipt/${cell.location}/${till}/${counters.receipt}`;
  const silentTill = at('silentTill', atMs);
  const isSilent = silentTill?.till === till;
  const source = at('silentSource', atMs);
  const heldUntil = Math.max(isSilent ? silentTill.toMs : 0, source?.toMs ?? 0);
  // Tills tell within a few seconds; what was held comes at once afterwards.
  const toldMs = Math.max(atMs + integer(random, 200, 5_000), heldUntil);
  const event = { atMs, toldMs, cell, system: 'pos' };
  const events: Event[] = [{ ...event, change: change(reference()) }];
  const burst = at('duplicateBurst', atMs);
  if (burst !== undefined || chance(random, 0.002)) {
    counters.receipt += 1;
    events.push({ ...event, toldMs: toldMs + 60_000, change: change(reference()) });
  }
  return events;
}

const plain = (cell: Cell, atMs: number, change: Event['change']): Event => ({
  atMs,
  toldMs: atMs + 1_000,
  cell,
  change,
  system: 'erp',
});

/** The ERP's nightly figure: it follows the sales, so it changes nothing that is not known. */
const balance = (cell: Cell, atMs: number): Event =>
  plain(cell, atMs, (now) => {
    const sold = now.soldToday;
    now.soldToday = 0;
    return {
      kind: 'level',
      reason: sold === 0 ? 'none' : 'balance',
      quantity: -1_000 * sold,
      applied: 0,
    };
  });

const count = (cell: Cell, atMs: number, off: number): Event =>
  plain(cell, atMs, (now) => {
    const found = Math.max(0, now.onHand + off);
    return {
      kind: 'count',
      reason: 'count',
      quantity: 1_000 * found,
      applied: 1_000 * (found - now.onHand),
    };
  });

/** Faults that are a single event. */
function oddities(
  cells: readonly Cell[],
  dayStart: number,
  windows: readonly Window[],
): readonly Event[] {
  return windows.flatMap((window): readonly Event[] => {
    const { fromMs, size } = window;
    if (fromMs < dayStart || fromMs >= dayStart + dayMs) return [];
    const cell = cells.find((one) => one.sku === window.sku && one.location === window.location);
    if (cell === undefined) return [];
    switch (window.kind) {
      case 'negativeStock':
        return [
          {
            ...plain(cell, fromMs, (now) => ({
              reason: 'sale',
              reference: 'order/1',
              quantity: -1_000 * (now.onHand + size),
              applied: -1_000 * (now.onHand + size),
            })),
            system: 'pos',
          },
        ];
      case 'suddenDrop':
        return [
          plain(cell, fromMs, (now) => ({
            reason: 'correction',
            applied: -1_000 * Math.max(1, Math.round(now.onHand * Math.min(size, 1))),
          })),
        ];
      case 'countDiscrepancy':
        return [count(cell, fromMs, -size)];
      default:
        return [];
    }
  });
}

function entryOf(event: Event, sequences: Map<Cell, number>): LedgerEntry {
  const { cell, atMs, toldMs, system } = event;
  const told = event.change(cell);
  cell.onHand += told.applied / 1_000;
  const sequence = (sequences.get(cell) ?? 0) + 1;
  sequences.set(cell, sequence);
  const onHand = Math.round(1_000 * cell.onHand);
  const change: Change = {
    bucket: 'onHand',
    kind: 'event',
    quantity: told.applied,
    occurredAt: atMs,
    reason: '',
    reference: '',
    effectId: '',
    expectedAt: null,
    ...told,
  };
  const isNothing = told.reason === 'none' || (told.applied === 0 && change.kind === 'event');
  return {
    sku: cell.sku,
    location: cell.location,
    sequence,
    cause: {
      kind: 'movement',
      id: `${cell.location} ${cell.sku} ${sequence}`,
      system,
      transaction: '',
      position: '',
      committedAt: toldMs,
    },
    changes: isNothing ? [] : [change],
    quantities: { ...noQuantities, onHand, available: onHand },
    restatement: null,
  };
}

/** Knuth; means are small. */
function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let product = fraction(random);
  let count = 0;
  while (product > limit) {
    product *= fraction(random);
    count += 1;
  }
  return count;
}
