/** `npm start`: the whole path on this machine, from two legacy databases to channel topics and ClickHouse. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunOptions } from '../../connectors/simulator/simulator.ts';
import { openScreen, type Screen } from './screen.ts';
import { type Demonstration, openDemonstration } from './start/demonstration.ts';
import { type Result, resultTable, settleAndCompare } from './start/settle.ts';
import { statusScreen } from './start/status-screen.ts';

export type StartOptions = {
  readonly transactions?: number;
  readonly rate?: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly exit: boolean;
  readonly json?: string;
  readonly directory: string;
};

const drawEveryMs = 500;
const idleRate = 20;
/** Warmed up: what a source commits is published within this, as a rule, for a whole step. */
const warmP50Ms = 250;
const warmUpStepSeconds = 15;
/** First steps at a third of the rate: compilers work through them without leaving a backlog behind. */
const warmUpEasySteps = 5;
const warmUpStepsMin = 7;
const warmUpStepsMax = 16;
const measureSeconds = 120;

/** Resolves with the exit code. */
export async function start(options: StartOptions): Promise<number> {
  const directory = resolve(options.directory);
  mkdirSync(directory, { recursive: true });
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  // Not `once`: a terminal and its launcher may each send the signal, and the second one must not cut the ending short.
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  let demonstration: Demonstration | undefined;
  let screen: Screen | undefined;
  let lost: Error | undefined;
  try {
    demonstration = await openDemonstration({
      directory,
      seed: options.seed,
      report,
      signal: interrupt.signal,
      onLost: (sentence) => {
        lost ??= new Error(sentence);
        interrupt.abort();
      },
    });
    screen = options.exit ? openScreen(process.stderr) : openScreen(process.stdout);
    const code = await run(options, demonstration, screen, interrupt.signal);
    if (lost !== undefined) throw lost;
    return code;
  } catch (error) {
    if (lost !== undefined) throw lost;
    if (interrupt.signal.aborted) return 130;
    throw error;
  } finally {
    screen?.end();
    report('ending ...');
    await demonstration?.close();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function run(
  options: StartOptions,
  demonstration: Demonstration,
  screen: Screen,
  signal: AbortSignal,
): Promise<number> {
  const drawing = setInterval(statusScreen(screen, demonstration), drawEveryMs);
  demonstration.onNote((text) => screen.note(text));
  try {
    const transactions = await simulate(options, demonstration, signal);
    if (signal.aborted) return 130;
    if (!options.exit) {
      screen.note(`${transactions} transactions done; the pipeline goes on until Ctrl-C`);
      await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
      return 0;
    }
    const result = await settleAndCompare(demonstration, transactions, signal);
    clearInterval(drawing);
    process.stdout.write(`${resultTable(result)}\n`);
    if (options.json !== undefined) writeResult(options.json, result);
    return Object.values(result.mismatches).every((count) => count === 0) ? 0 : 1;
  } finally {
    clearInterval(drawing);
  }
}

/** The source transactions that were made; with a rate, latency is measured after a warm-up. */
async function simulate(
  options: StartOptions,
  demonstration: Demonstration,
  signal: AbortSignal,
): Promise<number> {
  const { simulator, figures } = demonstration;
  const onCommit = figures.noteCommit.bind(figures);
  const common = { signal, onCommit };
  if (options.rate === undefined && options.transactions !== undefined) {
    const summary = await simulator.run({ ...common, transactions: options.transactions });
    return summary.transactions;
  }
  if (options.rate === undefined) {
    const summary = await simulator.run({ ...common, rate: idleRate });
    return summary.transactions;
  }
  const rate = options.rate;
  const warmUpTransactions = await warmUp(rate, demonstration, common);
  const seconds =
    options.seconds ??
    (options.transactions === undefined ? measureSeconds : Math.ceil(options.transactions / rate));
  const measured = await simulator.run({ ...common, rate, seconds });
  return warmUpTransactions + measured.transactions;
}

/** Runs at the rate until compilers are done and the backlog of the start is worked off. */
async function warmUp(
  rate: number,
  { simulator, figures }: Demonstration,
  common: Pick<RunOptions, 'signal' | 'onCommit'>,
): Promise<number> {
  let transactions = 0;
  for (let step = 1; step <= warmUpStepsMax && common.signal?.aborted !== true; step += 1) {
    figures.startMeasuring();
    const stepRate = step <= warmUpEasySteps ? Math.ceil(rate / 3) : rate;
    const options = { ...common, rate: stepRate, seconds: warmUpStepSeconds };
    transactions += (await simulator.run(options)).transactions;
    const { p50, count } = figures.latency().all;
    if (step >= warmUpStepsMin && count > 0 && p50 <= warmP50Ms) break;
  }
  figures.startMeasuring();
  return transactions;
}

function writeResult(file: string, result: Result): void {
  writeFileSync(resolve(file), `${JSON.stringify(result, null, 2)}\n`);
}
