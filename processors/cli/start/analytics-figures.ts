/** The figures of the analysts' views, asked from the running analytics process. */
import { readTotals, type Totals } from '../../analytics/totals.ts';
import { askAnalytics } from '../sql.ts';

export type AnalyticsFigures = Totals;

export function analyticsFigures(runDirectory: string): Promise<AnalyticsFigures> {
  return readTotals(async (query) => {
    const text = await askAnalytics(runDirectory, query, 'JSONCompactEachRow');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as readonly unknown[]);
  });
}
