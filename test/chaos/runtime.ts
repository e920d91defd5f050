/** `npm run chaos:runtime`: seeded chaos on a real broker, until so many runs count. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startChaosKafka } from './chaos-kafka.ts';
import { type ChaosResult, runChaos } from './chaos-run.ts';
import { type FaultKind, faultKinds } from './faults.ts';

const usage = `npm run chaos:runtime -- [--runs 50] [--seed 1] [--first 1] [--json f.json]

Runs a counting processor in one to four processes under load with duplicates, on a Kafka of its own, and does to it
what the seed says: kill -9 at named points, processes stopped and woken after their successors have begun, a delayed
end of a transaction, broker restarts, processes that come and go, local stores deleted or cut short. Then everything
written must be exactly what the inputs ask for: nothing lost, doubled, out of order or left open.

  --runs    so many runs must count; one in which a planned fault had no effect does not, and is repeated
  --seed    another seed, other runs
  --first   begin at this run: what was stopped after run 20 goes on with --first 21
  --json    write runs, faults, effectiveFaults, violations and more there
`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '1' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const attemptsMax = 4;
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

if (values.help) process.stdout.write(usage);
else {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupt.abort(new Error('interrupted')));
  }
  try {
    const results = await runAll(interrupt.signal);
    process.exitCode = summary(results).violations.length === 0 ? 0 : 1;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

async function runAll(signal: AbortSignal): Promise<readonly ChaosResult[]> {
  const [runs, seed, first] = [wholeNumber('runs'), wholeNumber('seed'), wholeNumber('first')];
  const results: ChaosResult[] = [];
  const kafka = await startChaosKafka(say);
  try {
    for (let run = first; run < first + runs; run++) {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const runSeed = seed * 1_000_000 + run * 10 + attempt;
        const result = await runChaos(kafka, runSeed, { report: say, signal });
        results.push(result);
        say(`run ${run} of ${first + runs - 1}: ${line(result)}`);
        for (const violation of result.violations) say(`  VIOLATION: ${violation}`);
        if (counts(result)) break;
      }
      if (values.json !== undefined) {
        writeFileSync(values.json, `${JSON.stringify(summary(results), null, 2)}\n`);
      }
    }
  } finally {
    await kafka.close();
  }
  const { violations, ...rest } = summary(results);
  say(JSON.stringify(rest));
  say(violations.length === 0 ? 'no violation' : `${violations.length} violations`);
  return results;
}

function counts(result: ChaosResult): boolean {
  return result.faults.every(({ ineffective }) => ineffective === undefined);
}

function line(result: ChaosResult): string {
  const verdict = result.violations.length === 0 ? 'exact' : 'NOT EXACT';
  const repeated = counts(result) ? '' : ', does not count';
  return `${verdict}, ${result.records} records, ${result.seconds.toFixed(0)} s, seed ${result.seed}${repeated}`;
}

function summary(results: readonly ChaosResult[]) {
  const all = results.flatMap(({ faults }) => faults);
  const ofKind = (kind: FaultKind) => all.filter(({ fault }) => fault.kind === kind);
  const effective = (faults: typeof all) =>
    faults.filter(({ ineffective }) => ineffective === undefined).length;
  return {
    runs: results.filter(counts).length,
    repeated: results.filter((result) => !counts(result)).length,
    faults: all.length,
    effectiveFaults: effective(all),
    byKind: Object.fromEntries(
      faultKinds.map((kind) => [
        kind,
        { planned: ofKind(kind).length, effective: effective(ofKind(kind)) },
      ]),
    ),
    records: results.reduce((sum, { records }) => sum + records, 0),
    seconds: Math.round(results.reduce((sum, { seconds }) => sum + seconds, 0)),
    violations: results.flatMap(({ seed, violations }) =>
      violations.map((violation) => `seed ${seed}: ${violation}`),
    ),
  };
}

function wholeNumber(name: 'runs' | 'seed' | 'first'): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} must be a whole number above 0, not ${values[name]}`);
}
