import { expect, it } from 'vitest';
import { dailySales } from '../../connectors/simulator/sales-history.ts';
import { csvPanel } from '../../processors/cli/forecast/data.ts';
import { backtest, barsMissed, methodNames } from '../../processors/forecasts/backtest.ts';
import { quantile } from '../../processors/forecasts/distribution.ts';
import { intermittent, naive, seasonalNaive } from '../../processors/forecasts/methods.ts';
import type { Panel } from '../../processors/forecasts/panel.ts';
import { pooledForecasts } from '../../processors/forecasts/pooled.ts';

const panel: Panel = {
  firstWeekday: 1,
  series: dailySales({ seed: 4242, days: 70, articles: 20, transactionsPerDay: 300 }).map(
    (one) => ({
      ...one,
      stocked: one.sold.map((_, day) => day % 13 !== 5),
    }),
  ),
};
const levels = [0.05, 0.5, 0.95];

/** Every figure that any method tells from the origin on. */
function told(from: Panel, origin: number): readonly number[] {
  const pooled = pooledForecasts(from, origin);
  return from.series.flatMap((series, index) =>
    [1, 4, 7].flatMap((ahead) =>
      [
        pooled[index]?.ahead(ahead),
        naive(series, origin, ahead),
        seasonalNaive(series, origin, ahead),
        intermittent(series, origin, 'sba'),
        intermittent(series, origin, 'tsb'),
      ].flatMap((one) => levels.map((level) => (one === undefined ? -1 : quantile(one, level)))),
    ),
  );
}

it('F1: changing the future changes no forecast', () => {
  const origin = 49;
  const changed: Panel = {
    ...panel,
    series: panel.series.map((series) => ({
      ...series,
      sold: series.sold.map((units, day) => (day >= origin ? units * 7 + 100 : units)),
      stocked: series.stocked.map((stocked, day) => (day >= origin ? !stocked : stocked)),
    })),
  };
  expect(told(changed, origin)).toEqual(told(panel, origin));
});

it('F2: on sales it was not tuned on, ours has a smaller loss than the rivals and intervals that hold what they say', () => {
  const result = backtest(panel, 4);
  expect(Object.keys(result.methods)).toEqual([...methodNames]);
  expect(result.missed).toEqual([]);
});

it('a bar that is missed is told', () => {
  const score = (pinball: number) => ({
    pinball,
    serviceLevel: 0.95,
    coverage: { 0.8: 0.8, 0.9: 0.94, 0.95: 0.95 },
  });
  const methods = {
    pooled: score(0.2),
    naive: score(0.3),
    seasonalNaive: score(0.3),
    croston: score(0.3),
    sba: score(0.1),
    tsb: score(0.3),
  };
  expect(barsMissed(methods, 10)).toEqual([
    'pinball 0.2000 is not below that of sba, 0.1000',
    '90 percent intervals hold 94.0',
  ]);
});

it('a file of sales is read by its columns; days that it does not name sold nothing', () => {
  const read = csvPanel(
    'date,sku,location,units,stocked\n2026-01-05,A,10,2,1\n2026-01-07,A,10,0,0\n',
  );
  expect(read).toEqual({
    firstWeekday: 1,
    series: [{ sku: 'A', location: '10', sold: [2, 0, 0], stocked: [true, true, false] }],
  });
  expect(() => csvPanel('date,sku\n2026-01-05,A')).toThrow('no column location');
});
