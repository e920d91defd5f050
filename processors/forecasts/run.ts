/** One run: what was sold and what is there → a forecast for each cell, and proposals to order. */
import type { Forecast, Proposal } from '../../schemas/types.ts';
import { meanOf, varianceOf } from './distribution.ts';
import { type Answers, knownOf, questions } from './history.ts';
import { daysAhead, outlookOf } from './outlook.ts';
import { pooledForecasts } from './pooled.ts';
import { type Approval, type Candidate, proposalsOf } from './propose.ts';
import type { Replenishment } from './replenish.ts';

export type ReplenishmentRules = {
  readonly ruleOf: (sku: string, location: string) => Replenishment;
  /** Absent: a person decides each. */
  readonly approval: Approval | undefined;
};

export type ForecastPorts = {
  /** Rows of one SELECT on the analysts' views. */
  readonly ask: (query: string) => Promise<readonly (readonly unknown[])[]>;
  /** The last record of each proposal. */
  readonly known: () => Promise<ReadonlyMap<string, Proposal>>;
  readonly writeForecast: (forecast: Forecast) => Promise<void>;
  readonly writeProposal: (proposal: Proposal) => Promise<void>;
};

export type ForecastRun = {
  readonly cells: number;
  readonly historyDays: number;
  readonly proposed: number;
  readonly approved: number;
  readonly superseded: number;
  /** Why there are no forecasts; empty when there are. */
  readonly reason: string;
};

const dayMs = 86_400_000;
const historyMax = 400;
/** Less than this says nothing about weekdays. */
const historyMin = 7;
const writtenTogether = 500;

/** `now`: forecasts begin at midnight UTC before it, since sales are known whole up to there. */
export async function runForecasts(
  ports: ForecastPorts,
  rules: ReplenishmentRules,
  now: number,
): Promise<ForecastRun> {
  const from = Math.floor(now / dayMs) * dayMs;
  const { panel, cells, positions } = knownOf(await askAll(ports), from);
  const days = panel.series[0]?.sold.length ?? 0;
  const none = { cells: 0, historyDays: days, proposed: 0, approved: 0, superseded: 0 };
  if (days < historyMin) {
    return {
      ...none,
      reason: `there are sales of ${days} whole days, and forecasts need ${historyMin}`,
    };
  }
  const made = pooledForecasts(panel, days);
  const candidates = cells.flatMap((cell, index): readonly Candidate[] => {
    const pooled = made[index];
    const position = positions[index];
    if (pooled === undefined || position === undefined) return [];
    const ahead = Array.from({ length: daysAhead }, (_, day) => pooled.ahead(day + 1));
    const per = (sum: number): number => sum / daysAhead;
    return [
      {
        forecast: outlookOf(cell, pooled, position, { madeAt: now, from }),
        demand: {
          mean: per(ahead.reduce((sum, day) => sum + meanOf(day), 0)),
          variance: per(ahead.reduce((sum, day) => sum + varianceOf(day), 0)),
          grain: cell.grain,
        },
        position,
        rule: rules.ruleOf(cell.sku, cell.location),
      },
    ];
  });
  const proposals = proposalsOf(candidates, await ports.known(), rules.approval, now);
  await inParts(candidates, ({ forecast }) => ports.writeForecast(forecast));
  await inParts(proposals, (proposal) => ports.writeProposal(proposal));
  const count = (state: Proposal['state']) =>
    proposals.filter((proposal) => proposal.state === state).length;
  return {
    cells: candidates.length,
    historyDays: days,
    proposed: count('proposed'),
    approved: count('approved'),
    superseded: count('superseded'),
    reason: '',
  };
}

async function askAll({ ask }: ForecastPorts): Promise<Answers> {
  return {
    sales: await ask(questions.sales(historyMax)),
    empty: await ask(questions.empty(historyMax)),
    hours: await ask(questions.hours(historyMax)),
    stock: await ask(questions.stock),
  };
}

async function inParts<T>(items: readonly T[], write: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += writtenTogether) {
    await Promise.all(items.slice(at, at + writtenTogether).map(write));
  }
}
