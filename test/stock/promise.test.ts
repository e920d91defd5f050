/** Available to promise as a cell's own level tells it: the days of Dynamics 365's documentation, told by an ERP. */
import { expect, it } from 'vitest';
import { availableToPromise } from '../../processors/domain/availability.ts';
import type { Effect, StockLevel } from '../../schemas/types.ts';
import { noon, shop } from '../carts/shop.ts';

const dayMs = 86_400_000;
const firstDay = Math.floor(noon / dayMs);
const at = (day: number): number => noon + (day - 1) * dayMs;

const demand = (day: number, units: number): Partial<Effect> => ({
  ...{ kind: 'level', bucket: 'reserved', quantity: units * 1000, expectedAt: at(day) },
});
const supply = (day: number, units: number): Partial<Effect> => ({
  ...{ kind: 'level', bucket: 'incoming', quantity: units * 1000, expectedAt: at(day) },
});
const shipped = (units: number): Partial<Effect> => ({ quantity: -units * 1000, occurredAt: noon });

/** What may be promised on `days` days from `day` on, in units. */
function promised(level: StockLevel | undefined, day = 1, days = 7): readonly number[] {
  const schedule = level?.schedule ?? [];
  const byDay = (of: 'incoming' | 'reserved') =>
    new Map(schedule.map((one) => [one.day, one[of]] as const));
  const available = level?.quantities.available ?? 0;
  const known = { available, demand: byDay('reserved'), supply: byDay('incoming') };
  return availableToPromise(known, firstDay + day - 1, days).map((units) => units / 1000);
}

it('D365: 20 on hand, demand and supply by day, told as levels', () => {
  const made = shop();
  const steps: readonly (readonly [readonly Partial<Effect>[], readonly number[], number])[] = [
    [[{ kind: 'opening', quantity: 20_000 }], [20, 20, 20, 20, 20, 20, 20], 20],
    [[demand(1, 3)], [17, 17, 17, 17, 17, 17, 17], 20],
    [[supply(3, 10)], [17, 17, 27, 27, 27, 27, 27], 20],
    [[demand(4, 15), supply(5, 1), supply(6, 3)], [12, 12, 12, 12, 13, 16, 16], 20],
    [[demand(1, -3), shipped(3)], [12, 12, 12, 12, 13, 16, 16], 17],
  ];
  for (const [effects, promise, onHand] of steps) {
    made.move('A', effects);
    expect(promised(made.level('A'))).toEqual(promise);
    expect(made.cell('A').onHand).toBe(onHand);
  }
  // On day 4 the 10 have not come.
  expect(promised(made.level('A'), 4)).toEqual([2, 3, 6, 6, 6, 6, 6]);
});

it('180 days ahead, goods that come in parts, and our own reservations', () => {
  const made = shop();
  made.move('A', [{ kind: 'opening', quantity: 5_000 }, supply(30, 10), supply(179, 4)]);
  made.ask('cart', { lines: [{ sku: 'A', quantity: 2_000, location: 'L1' }] });
  const days = promised(made.level('A'), 1, 180);
  expect([days[0], days[28], days[29], days[177], days[178], days[179]]).toEqual([
    3, 3, 13, 13, 17, 17,
  ]);
  // Four of the ten come, the rest a month later.
  made.move('A', [
    supply(30, -10),
    supply(60, 6),
    { quantity: 4_000, occurredAt: noon, order: '2' },
  ]);
  const later = promised(made.level('A'), 1, 180);
  expect([later[0], later[58], later[59]]).toEqual([7, 7, 13]);
});
