/** Available to promise by day: the scenario of Dynamics 365's own documentation, as a table. */
import { describe, expect, it } from 'vitest';
import { availableToPromise, promiseDaysMax } from '../../processors/domain/availability.ts';

type Days = Readonly<Record<number, number>>;
const byDay = (days: Days) =>
  new Map(Object.entries(days).map(([day, units]) => [Number(day), units]));

/** On hand, demand and supply by day → what may be promised on each of seven days, in units. */
const promise = (onHand: number, demand: Days, supply: Days, today = 1, days = 7) =>
  availableToPromise(
    {
      available: onHand - Object.values(demand).reduce((sum, units) => sum + units, 0),
      demand: byDay(demand),
      supply: byDay(supply),
    },
    today,
    days,
  );

describe('available to promise', () => {
  it.each([
    ['nothing planned', 20, {}, {}, [20, 20, 20, 20, 20, 20, 20]],
    ['demand 3 on day 1', 20, { 1: 3 }, {}, [17, 17, 17, 17, 17, 17, 17]],
    ['supply 10 on day 3', 20, { 1: 3 }, { 3: 10 }, [17, 17, 27, 27, 27, 27, 27]],
    [
      'demand 15 on day 4, supply 1 on day 5 and 3 on day 6',
      20,
      { 1: 3, 4: 15 },
      { 3: 10, 5: 1, 6: 3 },
      [12, 12, 12, 12, 13, 16, 16],
    ],
    ['the 3 are shipped', 17, { 4: 15 }, { 3: 10, 5: 1, 6: 3 }, [12, 12, 12, 12, 13, 16, 16]],
  ] as const)('%s', (_name, onHand, demand, supply, promised) => {
    expect(promise(onHand, demand, supply)).toEqual(promised);
  });

  it('on day 4, when the 10 have not come: they are not counted on', () => {
    expect(promise(17, { 4: 15 }, { 3: 10, 5: 1, 6: 3 }, 4)).toEqual([2, 3, 6, 6, 6, 6, 6]);
  });

  it('demand that is overdue is owed today', () => {
    expect(promise(10, { 1: 4 }, {}, 3, 2)).toEqual([6, 6]);
  });

  it('goes 180 days ahead and says so when asked for more', () => {
    expect(promise(5, { 179: 2 }, {}, 1, promiseDaysMax)).toHaveLength(180);
    expect(() => promise(5, {}, {}, 1, 181)).toThrow('1 to 180 days');
  });
});
