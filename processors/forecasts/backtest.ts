/** Rolling-origin backtest: each method forecasts from what was known then, and is judged by what came. Pure. */
import { covered, type Distribution, pinball, quantile } from './distribution.ts';
import { intermittent, naive, seasonalNaive } from './methods.ts';
import type { Panel } from './panel.ts';
import { pooledForecasts } from './pooled.ts';

export const methodNames = ['pooled', 'naive', 'seasonalNaive', 'croston', 'sba', 'tsb'] as const;
export type MethodName = (typeof methodNames)[number];

/** The bars are about these; the others are shown beside them. */
const rivals: readonly MethodName[] = ['naive', 'seasonalNaive', 'sba'];
const nominalCoverages = [0.8, 0.9, 0.95] as const;
/** The quantile that stands for what would be kept on the shelf. */
const serviceTarget = 0.95;
const coverageToleranceMax = 0.03;

const judgedLevels = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975];
const horizonDays = 7;

export type MethodScore = {
  /** Mean pinball loss over levels, cells and days, in units. */
  readonly pinball: number;
  /** Share of days whose demand the 95 percent quantile would have met. */
  readonly serviceLevel: number;
  /** By nominal coverage: the share that lay within, discrete demand counted by parts. */
  readonly coverage: Readonly<Record<string, number>>;
};

export type BacktestResult = {
  readonly cells: number;
  readonly days: number;
  readonly origins: number;
  readonly judged: number;
  readonly methods: Readonly<Record<MethodName, MethodScore>>;
  /** One sentence per bar that was missed. */
  readonly missed: readonly string[];
};

/** The first judged day of each round: the last `rounds` weeks of the panel. */
function originsOf(days: number, rounds: number): readonly number[] {
  return Array.from({ length: rounds }, (_, round) => days - horizonDays * (rounds - round)).filter(
    (origin) => origin >= 4 * horizonDays,
  );
}

export function backtest(panel: Panel, rounds = 6): BacktestResult {
  const days = panel.series[0]?.sold.length ?? 0;
  const origins = originsOf(days, rounds);
  const tallies = Object.fromEntries(methodNames.map((name) => [name, newTally()])) as Record<
    MethodName,
    Tally
  >;
  for (const origin of origins) {
    const pooled = pooledForecasts(panel, origin);
    panel.series.forEach((series, index) => {
      const flat = (['croston', 'sba', 'tsb'] as const).map(
        (name) => [name, intermittent(series, origin, name)] as const,
      );
      for (let ahead = 1; ahead <= horizonDays; ahead++) {
        const day = origin + ahead - 1;
        if (series.stocked[day] === false) continue;
        const seen = Math.max(0, series.sold[day] ?? 0);
        const ours = pooled[index]?.ahead(ahead);
        if (ours !== undefined) score(tallies.pooled, ours, seen);
        score(tallies.naive, naive(series, origin, ahead), seen);
        score(tallies.seasonalNaive, seasonalNaive(series, origin, ahead), seen);
        for (const [name, told] of flat) score(tallies[name], told, seen);
      }
    });
  }
  const methods = Object.fromEntries(
    methodNames.map((name) => [name, scoreOf(tallies[name])]),
  ) as Record<MethodName, MethodScore>;
  return {
    cells: panel.series.length,
    days,
    origins: origins.length,
    judged: tallies.pooled.count,
    methods,
    missed: barsMissed(methods, tallies.pooled.count),
  };
}

export function barsMissed(
  methods: Readonly<Record<MethodName, MethodScore>>,
  judged: number,
): readonly string[] {
  if (judged === 0) return ['nothing could be judged: the history is too short'];
  const ours = methods.pooled;
  const losses = rivals
    .filter((name) => !(ours.pinball < methods[name].pinball))
    .map(
      (name) =>
        `pinball ${ours.pinball.toFixed(4)} is not below that of ${name}, ${methods[name].pinball.toFixed(4)}`,
    );
  const intervals = nominalCoverages
    .filter((one) => Math.abs((ours.coverage[one] ?? 0) - one) > coverageToleranceMax)
    .map(
      (one) =>
        `${one * 100} percent intervals hold ${((ours.coverage[one] ?? 0) * 100).toFixed(1)}`,
    );
  const service =
    ours.serviceLevel < serviceTarget - coverageToleranceMax
      ? [`service level ${ours.serviceLevel.toFixed(3)} is below ${serviceTarget}`]
      : [];
  return [...losses, ...intervals, ...service];
}

type Tally = { count: number; loss: number; met: number; covered: number[] };

function newTally(): Tally {
  return { count: 0, loss: 0, met: 0, covered: nominalCoverages.map(() => 0) };
}

function score(tally: Tally, told: Distribution, seen: number): void {
  tally.count += 1;
  for (const level of judgedLevels) {
    tally.loss += pinball(quantile(told, level), seen, level) / judgedLevels.length;
  }
  if (seen <= quantile(told, serviceTarget) + 1e-9) tally.met += 1;
  nominalCoverages.forEach((nominal, index) => {
    tally.covered[index] = (tally.covered[index] ?? 0) + covered(told, seen, nominal);
  });
}

function scoreOf({ count, loss, met, covered: inside }: Tally): MethodScore {
  const of = (sum: number): number => sum / Math.max(1, count);
  return {
    pinball: of(loss),
    serviceLevel: of(met),
    coverage: Object.fromEntries(
      nominalCoverages.map((nominal, index) => [nominal, of(inside[index] ?? 0)]),
    ),
  };
}
