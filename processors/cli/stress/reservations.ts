/** `stockline stress reservations`: many clients on few SKUs, with kills; judged by the topics alone. */
import { writeFileSync } from 'node:fs';
import type { Decision, LedgerEntry, Outcome } from '../../../schemas/types.ts';
import { type KafkaPlaces, readTopic } from '../../adapters/kafka/topic-reader.ts';
import { fingerprintOf } from '../../domain/hash.ts';
import type { Processors } from '../../processes/child-processes.ts';
import { decisions, ledger, outcomes } from '../../topics.ts';
import type { Topic } from '../../topology/topic.ts';
import { percentiles } from '../start/figures.ts';
import { type Ask, askAtRate, openCounter, shop } from './clients.ts';
import { heldByAnswers, plainRequest, type Range } from './shoppers.ts';
import { onStage, type Stage, tellResult } from './stage.ts';
import { createWitness, type Observed, type Witness } from './witness.ts';

export type StressOptions = {
  readonly commands: number;
  readonly clients: number;
  readonly skus: number;
  readonly kill: boolean;
  readonly seed: number;
  /** Requests per second at a steady pace instead of a crowd, for `seconds`. */
  readonly rate?: number;
  readonly seconds: number;
  readonly json?: string;
};

type Setting = Stage & { readonly range: Range };

const locations = ['L1', 'L2'];
const killEveryMs = 8_000;
/** Reservations with a short life have run out by then. */
const settleMs = 4_000;
/** The first requests find cold code and unopened connections. */
const warmUpSeconds = 5;

/** Prints the result; resolves with 0 when nothing is wrong, else 1. */
export async function stressReservations(options: StressOptions): Promise<number> {
  const range = rangeOf(options.skus);
  const brokers = process.env.STOCKLINE_KAFKA;
  const registryUrl = String(process.env.STOCKLINE_REGISTRY);
  return onStage(
    {
      processes: victims,
      environment: (directory) => ({ STOCKLINE_RULES: rulesFile(directory, range) }),
      ...(brokers === undefined ? {} : { given: { brokers, registryUrl } }),
    },
    async (stage) => {
      const result = await stress(options, { ...stage, range });
      tellResult(result, options.json);
      const { oversold, orphanHolds, unanswered, doubled, linearizable } = result;
      return oversold + orphanHolds + unanswered + doubled === 0 && linearizable ? 0 : 1;
    },
  );
}

/** SKUs, and bundles of three that share components. */
function rangeOf(count: number): Range {
  const skus = Array.from(
    { length: count },
    (_, index) => `S${String(index + 1).padStart(3, '0')}`,
  );
  const bundles = skus.slice(0, Math.max(1, count - 2)).map((_, index) => `B${index + 1}`);
  return { skus, bundles };
}

/** The bundles, as processors are told of them. */
function rulesFile(directory: string, { skus, bundles }: Range): string {
  const parts = bundles.map((bundle, index) => [
    bundle,
    Object.fromEntries(
      [0, 1, 2].flatMap((at) => (skus[index + at] === undefined ? [] : [[skus[index + at], 1]])),
    ),
  ]);
  const file = `${directory}/rules.json`;
  writeFileSync(file, JSON.stringify({ bundles: Object.fromEntries(parts) }));
  return file;
}

async function stress(options: StressOptions, setting: Setting) {
  const { places, range, processors, report } = setting;
  const counter = await openCounter(places);
  try {
    const opened = await openStock(options, range, counter.ask);
    report(`stock: ${range.skus.length} SKUs at ${locations.length} locations`);
    const { rate } = options;
    const warm =
      rate === undefined
        ? []
        : await askAtRate({ ...options, rate, seconds: warmUpSeconds, range, seed: 0 }, (one) =>
            counter.ask({ ...one, client: `early ${one.client}` }),
          );
    const killing = options.kill ? setInterval(() => killOne(processors), killEveryMs) : undefined;
    const beganAt = performance.now();
    const asked =
      rate === undefined
        ? await shop({ ...options, range, report }, counter.ask)
        : await askAtRate({ ...options, rate, range }, counter.ask);
    const tookMs = performance.now() - beganAt;
    clearInterval(killing);
    await new Promise((done) => setTimeout(done, settleMs));
    report('all answered; judging by the topics');
    return await verdictOf([...opened, ...warm], asked, places, tookMs);
  } finally {
    await counter.close();
  }
}

/** So much that something is left for most of the run, and not for all of it; at a steady pace there is enough. */
async function openStock(
  { commands, skus, rate, seconds }: StressOptions,
  range: Range,
  ask: Ask,
): Promise<readonly Observed[]> {
  const wanted = rate === undefined ? commands * 1.5 : rate * (seconds + warmUpSeconds) * 100;
  const units = Math.ceil(wanted / skus / locations.length) + 5;
  const adjustments = range.skus.flatMap((sku) =>
    locations.map((location) => ({ sku, location, quantity: units * 1000 })),
  );
  return Promise.all(
    adjustments.map((line, index) =>
      ask({
        ...plainRequest('stress', `open ${index}`, Date.now()),
        kind: 'adjust',
        lines: [line],
      }),
    ),
  );
}

const victims = ['carts', 'stock'] as const;
let turn = 0;

/** Both are back from the last kill before the next one: on a machine at its limits nothing else would happen. */
function killOne({ status, signal }: Processors): void {
  if (victims.some((name) => !status.has(name))) return;
  turn += 1;
  signal(turn % 2 === 0 ? 'carts' : 'stock', 'SIGKILL');
}

/** Reads the topics record by record; of each only what the judgement needs is kept. */
async function verdictOf(
  before: readonly Observed[],
  asked: readonly Observed[],
  places: KafkaPlaces,
  tookMs: number,
) {
  const witness = createWitness();
  let decided = 0;
  await readTopic(places, decisions as unknown as Topic<never, never>, {
    onRecord: ({ value }) => {
      decided += 1;
      witness.decided(value as Decision);
    },
  });
  await readTopic(places, ledger as unknown as Topic<never, never>, {
    onRecord: ({ value }) => witness.stepped(value as LedgerEntry),
  });
  const answers = new Map<string, string>();
  const contradicted = new Set<string>();
  await readTopic(places, outcomes as unknown as Topic<never, never>, {
    onRecord: ({ key, value }) => {
      const name = String(key);
      const answer = fingerprintOf(value as Outcome);
      if ((answers.get(name) ?? answer) !== answer) contradicted.add(name);
      answers.set(name, answer);
    },
  });
  for (const one of before) witness.observed(one);
  for (const one of asked) witness.observed(one);
  const { oversold, doubled, unanswered, faults } = witness.verdict();
  const latencies = asked.flatMap(({ askedAt, answeredAt }) =>
    answeredAt === undefined ? [] : [answeredAt - askedAt],
  );
  return {
    requests: asked.length,
    accepted: asked.filter(({ outcome }) => outcome?.accepted).length,
    oversold,
    orphanHolds: orphans([...before, ...asked], witness),
    unanswered,
    doubled: doubled + contradicted.size,
    linearizable: faults.length === 0,
    faults: faults.slice(0, 10),
    perSecond: Math.round((asked.length * 1000) / tookMs),
    decisionsPerSecond: Math.round((decided * 1000) / tookMs),
    latencyMs: percentiles(latencies),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Units that are reserved at the end beyond what clients were told they hold, or that are missing. */
function orphans(asked: readonly Observed[], witness: Witness): number {
  const reserved = witness.reserved();
  const answered = asked.flatMap(({ request, outcome }) =>
    outcome === undefined ? [] : [{ request, outcome }],
  );
  const held = heldByAnswers(answered, Date.now());
  let units = 0;
  for (const cell of new Set([...reserved.keys(), ...held.keys()])) {
    units += Math.abs((reserved.get(cell) ?? 0) - (held.get(cell) ?? 0)) / 1000;
  }
  return units;
}
