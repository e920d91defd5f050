/** `stockline anomalies evaluate`: are the anomalies real? Plants faults in simulated weeks and compares what is told. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Activity, Anomaly, LedgerEntry } from '../../schemas/types.ts';
import { cellAnomaliesTopology, placeAnomaliesTopology } from '../anomalies/topology.ts';
import { activities, anomalies, ledger } from '../topics.ts';
import type { Emit, StepState, Topology } from '../topology/topology.ts';
import { drawFaults, type Fault, faultKinds, readFaults } from './anomalies/faults.ts';
import { anomalyAcknowledge, anomalyList } from './anomalies/list.ts';
import { anomalyWorld } from './anomalies/world.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How long after a fault has begun and ended an anomaly still belongs to it. */
const graceMs = 12 * hourMs;

export type Evaluation = {
  readonly precision: number;
  readonly recall: number;
  readonly perKind: Readonly<
    Record<string, { faults: number; found: number; told: number; wrong: number }>
  >;
  readonly medianDetectMs: number;
  readonly falseAlarmsPer1000CellDays: number;
  readonly told: number;
  readonly missed: readonly Fault[];
  /** What was told without a fault. */
  readonly wrong: readonly Readonly<Record<string, string>>[];
};

type Options = {
  readonly seed: number;
  readonly days: number;
  readonly shops: number;
  readonly articles: number;
  readonly faults?: string;
};

export function anomaliesCommand(): Command {
  const command = new Command('anomalies').description('what does not look right');
  command
    .command('evaluate')
    .description(
      'plant faults of each kind in simulated weeks, and judge what is told: 0 when precision and recall are 0.9 or more',
    )
    .option('--seed <n>', 'seed of the weeks, and of the faults unless a file names them', whole, 1)
    .option('--days <n>', 'how many days, at least 21', whole, 30)
    .option('--shops <n>', 'how many shops', whole, 6)
    .option('--articles <n>', 'how many articles each of them sells', whole, 50)
    .option(
      '--faults <file>',
      `JSON: [{"kind", "atHours", "hours", "size", "sku", "location", "till", "system"}]; kinds: ${faultKinds.join(', ')}; ` +
        'articles are A1 (sells most) to A50, shops F1 to F6, tills 1 to 3, the system pos',
    )
    .option('--json <file>', 'write the result here')
    .action((options: Options & { readonly json?: string }) => {
      if (options.days < 21) throw new InvalidArgumentError('at least 21 days are needed.');
      const result = evaluate(options);
      const text = JSON.stringify(result, null, 2);
      process.stdout.write(`${text}\n`);
      if (options.json !== undefined) writeFileSync(resolve(options.json), `${text}\n`);
      process.exitCode = result.precision >= 0.9 && result.recall >= 0.9 ? 0 : 1;
    });
  const directory = ['--directory <path>', 'where the running pipeline keeps its data'] as const;
  command
    .command('list')
    .description('what is not over yet, the newest first')
    .option('--all', 'also what is over', false)
    .option('--json', 'one JSON object per line', false)
    .option(...directory, '.stockline')
    .action(async (options) => {
      process.exitCode = await anomalyList(options);
    });
  command
    .command('acknowledge')
    .description('a person looks after it: boards and records name who and why')
    .argument('<id>', 'as `anomalies list` names it')
    .requiredOption('--by <name>', 'who')
    .requiredOption('--note <text>', 'why, or what is done about it')
    .option(...directory, '.stockline')
    .action(async (id, options) => {
      process.exitCode = await anomalyAcknowledge(id, options);
    });
  return command;
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a whole number above zero is needed.');
}

/** Runs the processors' own steps over the weeks and scores what they tell. */
export function evaluate(options: Options): Evaluation {
  const world = anomalyWorld(options);
  const faults =
    options.faults === undefined
      ? drawFaults(options.seed, options.days, world.sellers, world.tills)
      : readFaults(options.faults);
  const told: Anomaly[] = [];
  const cells = inMemory(cellAnomaliesTopology());
  const places = inMemory(placeAnomaliesTopology());
  const take = (emits: readonly Emit[]): void => {
    for (const one of emits) {
      if (one.kind !== 'record') continue;
      if (one.topic.name === anomalies.name) {
        const anomaly = one.value as Anomaly;
        if (anomaly.state === 'open') told.push(anomaly);
      } else if (one.topic.name === activities.name) {
        take(places.apply(activities.name, one.value as Activity, clockMs));
      }
    }
  };
  let clockMs = world.beginMs;
  const until = (ms: number): void => {
    while (clockMs + tickEveryMs <= ms) {
      clockMs += tickEveryMs;
      take(cells.tick(clockMs));
      take(places.tick(clockMs));
    }
  };
  for (const { toldMs, entry } of world.entries(faults)) {
    until(toldMs);
    take(cells.apply(ledger.name, entry, toldMs));
  }
  until(world.beginMs + options.days * dayMs);
  return score(told, faults, world.beginMs, options);
}

/** Coarser than in operation, which changes nothing but the time that it takes. */
const tickEveryMs = 5 * 60_000;

function inMemory<S>(topology: Topology<S>) {
  const values = new Map<string, S>();
  const state: StepState<S> = {
    get: (key) => values.get(key),
    put: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
    keys: (beginning) => [...values.keys()].filter((key) => key.startsWith(beginning)).sort(),
  };
  let offset = 0n;
  return {
    apply: (topic: string, value: LedgerEntry | Activity, timestampMs: number) => {
      offset += 1n;
      const record = { topic, partition: 0, offset, timestampMs, key: '', value, headers: [] };
      return topology.step({ kind: 'record', record }, state);
    },
    tick: (nowMs: number) => topology.step({ kind: 'tick', nowMs }, state),
  };
}

function score(
  told: readonly Anomaly[],
  faults: readonly Fault[],
  beginMs: number,
  { days, shops, articles }: Options,
): Evaluation {
  const found = new Map<Fault, number>();
  const perKind: Record<string, { faults: number; found: number; told: number; wrong: number }> =
    Object.fromEntries(
      faultKinds.map((kind) => [kind, { faults: 0, found: 0, told: 0, wrong: 0 }]),
    );
  const wrong: Record<string, string>[] = [];
  const missed: Fault[] = [];
  for (const anomaly of told) {
    const of = perKind[anomaly.kind] as (typeof perKind)[string];
    of.told += 1;
    const causes = faults.filter((fault) => isCauseOf(fault, anomaly, beginMs));
    if (causes.length === 0) {
      const { subject, openedAt, expected, seen } = anomaly;
      wrong.push({ subject, openedAt: new Date(openedAt).toISOString(), expected, seen });
      of.wrong += 1;
    }
    for (const fault of causes) {
      if (fault.kind !== anomaly.kind) continue;
      const afterMs = anomaly.openedAt - (beginMs + fault.atHours * hourMs);
      found.set(fault, Math.min(found.get(fault) ?? Number.POSITIVE_INFINITY, afterMs));
    }
  }
  for (const fault of faults) {
    const of = perKind[fault.kind] as (typeof perKind)[string];
    of.faults += 1;
    if (found.has(fault)) of.found += 1;
    else missed.push(fault);
  }
  const times = [...found.values()].sort((one, other) => one - other);
  return {
    precision: told.length === 0 ? 0 : 1 - wrong.length / told.length,
    recall: faults.length === 0 ? 1 : found.size / faults.length,
    perKind,
    medianDetectMs: times[Math.floor(times.length / 2)] ?? 0,
    falseAlarmsPer1000CellDays: (1_000 * wrong.length) / (days * shops * articles),
    told: told.length,
    missed,
    wrong,
  };
}

/** Kinds that a fault shows itself in besides its own. */
const alsoShownAs: Readonly<Partial<Record<Fault['kind'], readonly string[]>>> = {
  silentSource: ['silentTill', 'salesSilence'],
  silentTill: ['salesSilence'],
  duplicateBurst: ['salesSpike'],
  negativeStock: ['salesSpike', 'countDiscrepancy'],
};

function isCauseOf(fault: Fault, anomaly: Anomaly, beginMs: number): boolean {
  const isKind =
    fault.kind === anomaly.kind || alsoShownAs[fault.kind]?.includes(anomaly.kind) === true;
  const fromMs = beginMs + fault.atHours * hourMs;
  const isTime =
    anomaly.openedAt >= fromMs && anomaly.openedAt <= fromMs + fault.hours * hourMs + graceMs;
  const isPlace = (['sku', 'location', 'till', 'system'] as const).every(
    (name) => fault[name] === '' || anomaly[name] === '' || fault[name] === anomaly[name],
  );
  return isKind && isTime && isPlace;
}
