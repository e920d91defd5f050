/** Forecasts and proposals of the running pipeline: made, shown, decided. */
import type { Forecast, Proposal } from '../../../schemas/types.ts';
import { recordWriter, writeRecord } from '../../adapters/kafka/record-writer.ts';
import { type KafkaPlaces, readTopic } from '../../adapters/kafka/topic-reader.ts';
import { ProposalDesk } from '../../forecasts/desk.ts';
import { type ForecastRun, type ReplenishmentRules, runForecasts } from '../../forecasts/run.ts';
import { readKafkaPlaces } from '../../settings/places.ts';
import { loadReplenishment } from '../../settings/replenishment.ts';
import { forecasts, proposals } from '../../topics.ts';
import type { Topic } from '../../topology/topic.ts';
import { layOut } from '../screen.ts';
import { askAnalytics } from '../sql.ts';

type Where = { readonly directory: string };

/** Asks analytics, and writes what comes of it; safe to repeat. */
export async function makeForecasts(
  places: KafkaPlaces,
  runDirectory: string,
  rules: ReplenishmentRules,
): Promise<ForecastRun> {
  const forecastWriter = await recordWriter(places, forecasts);
  const proposalWriter = await recordWriter(places, proposals);
  try {
    return await runForecasts(
      {
        ask: async (query) => {
          const text = await askAnalytics(runDirectory, query, 'JSONCompactEachRow');
          const lines = text.split('\n').filter((line) => line !== '');
          return lines.map((line) => JSON.parse(line) as readonly unknown[]);
        },
        known: async () => (await proposalDesk(places)).byId(),
        writeForecast: (forecast) => forecastWriter.write(cellKey(forecast), forecast),
        writeProposal: (proposal) => proposalWriter.write(cellKey(proposal), proposal),
      },
      rules,
      Date.now(),
    );
  } finally {
    await Promise.all([forecastWriter.close(), proposalWriter.close()]);
  }
}

export function sentenceOf({ reason, ...run }: ForecastRun): string {
  if (reason !== '') return `no forecasts: ${reason}`;
  const { cells, historyDays, proposed, approved, superseded } = run;
  return (
    `${cells} cells from ${historyDays} days of sales; proposals: ${proposed} wait for a person, ` +
    `${approved} approved by policy, ${superseded} superseded`
  );
}

export async function forecastRun(
  options: Where & { readonly rules?: string; readonly json: boolean },
): Promise<number> {
  const places = readKafkaPlaces(process.env, options.directory);
  const rules = loadReplenishment(options.rules);
  const run = await makeForecasts(places, `${options.directory}/run`, rules);
  process.stdout.write(`${options.json ? JSON.stringify(run) : sentenceOf(run)}\n`);
  return run.reason === '' ? 0 : 1;
}

export async function forecastShow(
  sku: string,
  location: string | undefined,
  options: Where & { readonly json: boolean },
): Promise<number> {
  const found = new Map<string, Forecast>();
  await readTopic(readKafkaPlaces(process.env, options.directory), untyped(forecasts), {
    onRecord: ({ value }) => {
      const one = value as Forecast | undefined;
      if (one?.sku !== sku || (location !== undefined && one.location !== location)) return;
      found.set(one.location, one);
    },
  });
  if (found.size === 0) {
    process.stderr.write(
      `there is no forecast of ${sku}: it was not sold, or none was made (\`stockline forecast run\`)\n`,
    );
    return 1;
  }
  for (const forecast of found.values()) {
    const text = options.json ? JSON.stringify(forecast) : shown(forecast);
    process.stdout.write(`${text}\n`);
  }
  return 0;
}

function shown(forecast: Forecast): string {
  const { sku, location, method, historyDays, stockOutDays, dailyDemand } = forecast;
  const units = (thousandths: number): string => String(thousandths / 1_000);
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  const rows = forecast.steps
    .filter(({ hours }) => hours > 1)
    .map((step) => [
      day(step.start),
      units(step.expected),
      units(step.median),
      `${units(step.lower80)} to ${units(step.upper80)}`,
      `${units(step.lower95)} to ${units(step.upper95)}`,
    ]);
  const out =
    forecast.stockOutAt === null
      ? `stock lasts for the days forecast`
      : `stock more likely than not runs out on ${day(forecast.stockOutAt)}`;
  return [
    `${sku} at ${location}: ${units(dailyDemand)} a day (${method}, ${historyDays} days of history, ` +
      `${stockOutDays} of them without stock); ${out}`,
    ...layOut([['day', 'expected', 'median', 'in 80 %', 'in 95 %'], ...rows]),
  ].join('\n');
}

export async function proposalList(
  options: Where & { readonly all: boolean; readonly json: boolean },
): Promise<number> {
  const desk = await proposalDesk(readKafkaPlaces(process.env, options.directory));
  const told = desk
    .all()
    .filter(({ state }) => options.all || state === 'proposed')
    .sort((one, other) => other.stockOutProbability - one.stockOutProbability);
  if (options.json) {
    for (const proposal of told) process.stdout.write(`${JSON.stringify(proposal)}\n`);
    return 0;
  }
  const rows = told.map((one) => [
    one.id,
    one.state,
    String(one.quantity / 1_000),
    `${Math.round(one.stockOutProbability * 100)} %`,
    one.decidedBy,
    one.reason,
  ]);
  const head = ['proposal', 'state', 'units', 'runs out', 'decided by', 'why'];
  process.stdout.write(`${layOut([head, ...rows]).join('\n')}\n`);
  return 0;
}

export async function proposalDecide(
  id: string,
  state: 'approved' | 'rejected',
  options: Where & { readonly by: string; readonly reason: string },
): Promise<number> {
  const places = readKafkaPlaces(process.env, options.directory);
  const desk = await proposalDesk(places);
  const decision = { state, by: options.by, reason: options.reason };
  const decided = await desk.decide(id, decision, (proposal) =>
    writeRecord(places, proposals, cellKey(proposal), proposal),
  );
  if (typeof decided === 'string') {
    process.stderr.write(`${decided}\n`);
    return 1;
  }
  process.stdout.write(`${id} is ${state}\n`);
  return 0;
}

async function proposalDesk(places: KafkaPlaces): Promise<ProposalDesk> {
  const desk = new ProposalDesk();
  await readTopic(places, untyped(proposals), {
    onRecord: ({ value }) => {
      if (value !== undefined) desk.take(value as Proposal);
    },
  });
  return desk;
}

function cellKey({ sku, location }: { readonly sku: string; readonly location: string }) {
  return { sku, location };
}

function untyped(topic: unknown): Topic<never, never> {
  return topic as Topic<never, never>;
}
