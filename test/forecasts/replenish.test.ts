/** When to order, how much, and what becomes of proposals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownOf } from '../../processors/forecasts/history.ts';
import { daysAhead } from '../../processors/forecasts/outlook.ts';
import { type Candidate, decide, proposalsOf } from '../../processors/forecasts/propose.ts';
import { orderOf } from '../../processors/forecasts/replenish.ts';
import { type ForecastPorts, runForecasts } from '../../processors/forecasts/run.ts';
import type { Forecast, Proposal } from '../../schemas/types.ts';
import { seededRandom } from '../support/seeded-random.ts';

const rule = {
  leadTimeDays: 7,
  leadTimeDeviationDays: 2,
  reviewDays: 1,
  serviceLevel: 0.95,
  coverDays: 14,
  pack: 1,
};
const today = Date.UTC(2026, 4, 20);
const dayMs = 86_400_000;
const dayOf = (daysAgo: number) => new Date(today - daysAgo * dayMs).toISOString().slice(0, 10);

describe('an order', () => {
  it('is for the demand of lead time and review with the service level asked for, by drawing it often', () => {
    const random = seededRandom(5);
    const normal = () =>
      Array.from({ length: 12 }, () => random(1_000_000) / 1_000_000).reduce((a, b) => a + b, -6);
    const demand = { mean: 20, variance: 60, grain: 1 };
    const { reorderPoint } = orderOf(demand, 0, rule);
    let met = 0;
    const draws = 20_000;
    for (let draw = 0; draw < draws; draw += 1) {
      const days = rule.leadTimeDays + rule.reviewDays + rule.leadTimeDeviationDays * normal();
      const total = demand.mean * days + Math.sqrt(demand.variance * Math.max(0, days)) * normal();
      if (total <= reorderPoint) met += 1;
    }
    expect(met / draws).toBeGreaterThan(0.94);
    expect(met / draws).toBeLessThan(0.97);
  });

  it('is whole packs, and brings the position to at least what is wanted and not a pack more', () => {
    const anyDemand = fc.record({
      mean: fc.double({ min: 0.01, max: 500, noNaN: true }),
      variance: fc.double({ min: 0.01, max: 5_000, noNaN: true }),
    });
    fc.assert(
      fc.property(
        anyDemand,
        fc.integer({ min: -50, max: 5_000 }),
        fc.integer({ min: 1, max: 48 }),
        (of, position, pack) => {
          const demand = { ...of, grain: 1 };
          const order = orderOf(demand, position, { ...rule, pack });
          expect(order.quantity % pack).toBe(0);
          if (position > order.reorderPoint) expect(order.quantity).toBe(0);
          else {
            expect(position + order.quantity).toBeGreaterThanOrEqual(order.orderUpTo - 1e-6);
            expect(position + order.quantity).toBeLessThan(order.orderUpTo + pack);
          }
          expect(order.stockOutProbability).toBeGreaterThanOrEqual(0);
          expect(order.stockOutProbability).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 200 },
    );
  });
});

function candidate(sku: string, available: number): Candidate {
  const forecast = { sku, location: 'L1', stockOutAt: null } as Forecast;
  const position = { onHand: available, available, incoming: 0 };
  return { forecast, demand: { mean: 10, variance: 20, grain: 1 }, position, rule };
}

const byId = (proposals: readonly Proposal[]) => new Map(proposals.map((one) => [one.id, one]));

describe('F3: proposals', () => {
  it('wait for a person, the most urgent first; enough is not proposed', () => {
    const told = proposalsOf(
      [candidate('A', 60_000), candidate('B', 0), candidate('C', 900_000)],
      new Map(),
      undefined,
      today,
    );
    expect(told.map(({ sku, state }) => `${sku} ${state}`)).toEqual(['B proposed', 'A proposed']);
  });

  it('made again on the same day leave what was decided as it was', () => {
    const first = proposalsOf([candidate('A', 0), candidate('B', 0)], new Map(), undefined, today);
    const rejected = decide(first[0], {
      state: 'rejected',
      by: 'maria',
      reason: 'delisted',
    }) as Proposal;
    const again = proposalsOf(
      [candidate('A', 0), candidate('B', 0)],
      byId([...first, rejected]),
      undefined,
      today + 1_000,
    );
    expect(again.map(({ sku, state }) => `${sku} ${state}`)).toEqual(['B proposed']);
    expect(decide(rejected, { state: 'approved', by: 'tom', reason: 'yes' })).toMatch(
      /is rejected already, by maria/,
    );
    expect(decide(undefined, { state: 'approved', by: 'tom', reason: 'yes' })).toMatch(
      /no such proposal/,
    );
  });

  it('of yesterday are superseded by those of today, or when there is enough again', () => {
    const old = byId(
      proposalsOf([candidate('A', 0), candidate('B', 0)], new Map(), undefined, today - dayMs),
    );
    const told = proposalsOf([candidate('A', 0), candidate('B', 900_000)], old, undefined, today);
    expect(told.map(({ sku, state }) => `${sku} ${state}`).sort()).toEqual([
      'A proposed',
      'A superseded',
      'B superseded',
    ]);
  });

  it('are approved by policy within its limits, and say so', () => {
    const all = ['A', 'B', 'C'].map((sku) => candidate(sku, 0));
    const told = proposalsOf(all, new Map(), { quantityMax: 1_000, perRunMax: 2 }, today);
    expect(told.map(({ state, decidedBy }) => `${state} ${decidedBy}`)).toEqual([
      'approved policy',
      'approved policy',
      'proposed ',
    ]);
    const large = proposalsOf(all, new Map(), { quantityMax: 10, perRunMax: 9 }, today);
    expect(large.every(({ state }) => state === 'proposed')).toBe(true);
  });
});

/** Four weeks of a SKU that sells ten a day on weekdays and thirty on Saturdays, in one shop. */
const sales = Array.from({ length: 28 }, (_, index) => {
  const day = dayOf(28 - index);
  return ['A', 'L1', day, new Date(day).getUTCDay() === 6 ? 30 : 10];
});

function portsOf(
  rows: readonly (readonly unknown[])[],
  empty: readonly (readonly unknown[])[] = [],
) {
  const forecasts: Forecast[] = [];
  const proposals: Proposal[] = [];
  const ports: ForecastPorts = {
    ask: async (query) => {
      if (query.includes('sales_daily')) return rows;
      if (query.includes('stock_intervals')) return empty;
      if (query.includes('sales_hourly'))
        return [
          ['L1', 10, 60],
          ['L1', 16, 140],
        ];
      return [['A', 'L1', '50000', '50000', '0']];
    },
    known: async () => new Map(),
    writeForecast: async (forecast) => void forecasts.push(forecast),
    writeProposal: async (proposal) => void proposals.push(proposal),
  };
  return { ports, forecasts, proposals };
}

const rules = { ruleOf: () => rule, approval: undefined };

describe('a run', () => {
  it('tells the days and hours of the week as they are sold, and when stock runs out', async () => {
    const { ports, forecasts, proposals } = portsOf(sales);
    const run = await runForecasts(ports, rules, today + 3_600_000);
    expect(run).toMatchObject({ cells: 1, historyDays: 28, proposed: 1, reason: '' });
    const [forecast] = forecasts;
    const days = forecast?.steps.filter(({ hours }) => hours === 24) ?? [];
    const hours = forecast?.steps.filter(({ hours: length }) => length === 1) ?? [];
    expect(days).toHaveLength(daysAhead);
    expect(hours).toHaveLength(24);
    const of = (weekday: number) =>
      days.filter(({ start }) => new Date(start).getUTCDay() === weekday)[0]?.expected ?? 0;
    expect(of(6)).toBeGreaterThan(1.8 * of(3));
    expect((hours[16]?.expected ?? 0) / (hours[10]?.expected ?? 1)).toBeCloseTo(140 / 60, 1);
    const sum = hours.reduce((total, { expected }) => total + expected, 0);
    expect(sum / (days[0]?.expected ?? 1)).toBeCloseTo(1, 1);
    // 20 May 2026 is a Wednesday: 10, 10, 10, 30.
    expect(forecast?.stockOutAt).toBe(today + 3 * dayMs);
    expect(proposals[0]).toMatchObject({ id: 'A|L1|2026-05-20', state: 'proposed' });
  });

  it('reads days without stock as days that say nothing', () => {
    const half = sales.map(([sku, location, day, units], index) => [
      sku,
      location,
      day,
      index >= 14 ? 0 : units,
    ]);
    const since = String(today - 14 * dayMs);
    const answers = {
      sales: half,
      empty: [['A', 'L1', since, String(today)]],
      hours: [],
      stock: [],
    };
    const { panel, cells } = knownOf(answers, today);
    expect(cells[0]).toMatchObject({ historyDays: 28, stockOutDays: 14 });
    expect(panel.series[0]?.stocked.slice(12, 16)).toEqual([true, true, false, false]);
  });

  it('says why there are no forecasts when there is too little to go on', async () => {
    const { ports, forecasts } = portsOf(sales.slice(-3));
    const run = await runForecasts(ports, rules, today);
    expect(run.reason).toMatch(/3 whole days, and forecasts need 7/);
    expect(forecasts).toEqual([]);
  });
});
