/** The whole bench: rounds of contenders, ratios of the pairs of each round, medians and how far to trust them. */
import { bootstrap, type Interval, median } from './figures.ts';
import { type IntakeRun, intakeContest } from './intake-contest.ts';
import { seeded } from './random.ts';
import { type RestartResult, restartContest } from './restart.ts';
import type { Setting } from './setting.ts';
import { type StockContender, StockContest, type StockRun } from './stock-contest.ts';
import { prepareStreams } from './streams.ts';
import { sales, workloads } from './workload.ts';

export type Bench = { readonly workload: 'W1' | 'W2' | 'W3' | 'W4'; readonly quick: boolean };

/** Each is ours through theirs, so that more is better; but for CPU, where less is. */
export type Ratios = {
  readonly streamsRocksdb: number;
  readonly streamsMemory: number;
  readonly copyLoop: number;
  readonly atLeastOnce: number;
  readonly twoProcesses: number;
  /** Our CPU per event through that of the leaner of the two on Kafka Streams. */
  readonly cpuPerEvent: number;
  /** CPU per change with 90 % duplicates through that without. */
  readonly duplicates90Cpu: number;
};

const everyRound: readonly StockContender[] = [
  'ours',
  'copyLoop',
  'streamsRocksdb',
  'streamsMemory',
];
const someRounds: readonly StockContender[] = ['atLeastOnce', 'twoProcesses'];

export async function runBench(setting: Setting, bench: Bench) {
  const { report } = setting;
  const size = bench.quick
    ? { events: 200_000, rounds: 2, extraRounds: 1, receipts: 12_000, cells: 100_000 }
    : { events: 600_000, rounds: 5, extraRounds: 3, receipts: 60_000, cells: 1_000_000 };
  const streams = await prepareStreams(report);
  const workload = workloads[bench.workload === 'W4' ? 'W1' : bench.workload];
  const contest = new StockContest(
    setting,
    sales(workload, { count: size.events, seed: 1 }),
    streams,
  );
  report(`${workload.name}: ${workload.what}, ${await contest.preload()} movements`);
  const rounds: Partial<Record<StockContender, StockRun>>[] = [];
  for (let round = 0; round < size.rounds; round += 1) {
    const names = round < size.extraRounds ? [...everyRound, ...someRounds] : everyRound;
    const results: Partial<Record<StockContender, StockRun>> = {};
    for (const name of order(names, round)) {
      results[name] = await contest.run(name);
      report(`  ${line(results[name] as StockRun)}`);
    }
    rounds.push(results);
  }
  const intakes: IntakeRun[] = [];
  for (const [at, repeats] of [1, 10].entries()) {
    const receipts = repeats === 1 ? size.receipts : Math.ceil(size.receipts / 5);
    intakes.push(await intakeContest(setting, { receipts, repeats, id: `bench-intake-${at}` }));
    report(`  ${line(intakes.at(-1) as IntakeRun)}`);
  }
  const restart = await restartContest(setting, { cells: size.cells, id: 'bench-restart' });
  return summary(rounds, intakes, restart);
}

/** The order turns from round to round; ours always comes first in the first one, since it measures the shares. */
function order(names: readonly StockContender[], round: number): readonly StockContender[] {
  const at = round % names.length;
  return [...names.slice(at), ...names.slice(0, at)];
}

function line(run: {
  readonly contender: string;
  readonly perSecond: number;
  readonly cpuMicrosPerEvent: number;
  readonly brokerCpuMicrosPerEvent: number;
  readonly faults: readonly string[];
  readonly changesPerSecond?: number;
}): string {
  const changes =
    run.changesPerSecond === undefined ? '' : `, ${Math.round(run.changesPerSecond)} changes/s`;
  const faults = run.faults.length === 0 ? '' : `; WRONG: ${run.faults.join('; ')}`;
  return (
    `${run.contender}: ${Math.round(run.perSecond)} records/s${changes}, CPU ${run.cpuMicrosPerEvent.toFixed(1)} us ` +
    `and broker ${run.brokerCpuMicrosPerEvent.toFixed(1)} us per record${faults}`
  );
}

type Rounds = readonly Partial<Record<StockContender, StockRun>>[];

/** Of each round that has both: the first's figure through the second's. */
function pairs(
  rounds: Rounds,
  one: StockContender,
  other: StockContender,
  of: (run: StockRun) => number,
): readonly number[] {
  return rounds.flatMap((round) => {
    const [above, below] = [round[one], round[other]];
    return above === undefined || below === undefined ? [] : [of(above) / of(below)];
  });
}

function summary(rounds: Rounds, intakes: readonly IntakeRun[], restart: RestartResult) {
  const [plain, storm] = intakes as [IntakeRun, IntakeRun];
  const rate = (run: StockRun): number => run.perSecond;
  const cpu = (run: StockRun): number => run.cpuMicrosPerEvent;
  const samples = {
    streamsRocksdb: pairs(rounds, 'ours', 'streamsRocksdb', rate),
    streamsMemory: pairs(rounds, 'ours', 'streamsMemory', rate),
    copyLoop: pairs(rounds, 'ours', 'copyLoop', rate),
    atLeastOnce: pairs(rounds, 'ours', 'atLeastOnce', rate),
    twoProcesses: pairs(rounds, 'twoProcesses', 'ours', rate),
    cpuPerEvent: rounds.map((round) => {
      const { ours, streamsRocksdb, streamsMemory } = round as Record<StockContender, StockRun>;
      return cpu(ours) / Math.min(cpu(streamsRocksdb), cpu(streamsMemory));
    }),
    duplicates90Cpu: [storm.cpuMicrosPerChange / plain.cpuMicrosPerChange],
  } satisfies Record<keyof Ratios, readonly number[]>;
  const random = seeded(1);
  const intervals = Object.fromEntries(
    Object.entries(samples).map(([name, values]) => [name, bootstrap(values, random)]),
  ) as Record<keyof Ratios, Interval>;
  const ratios = Object.fromEntries(
    Object.entries(samples).map(([name, values]) => [name, median(values)]),
  ) as Ratios;
  const runs = [...rounds.flatMap((round) => Object.values(round)), ...intakes];
  return {
    oracleEqual: runs.every(({ faults }) => faults.length === 0),
    ratios,
    intakePerSecond: plain.changesPerSecond,
    bytesPerKey: restart.storeBytesPerCell,
    restore: { withStoreMs: restart.withStoreMs, withoutStoreMs: restart.withoutStoreMs },
    intervals,
    samples,
    restart,
    rounds,
    intakes,
  };
}
