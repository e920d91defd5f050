/** Forecasts a while after the start, and then shortly after each midnight UTC, when a day's sales are whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { ForecastRun } from '../forecasts/run.ts';
import type { Telemetry } from '../runtime/ports.ts';
import { makeForecasts, sentenceOf } from './forecast-run.ts';
import { loadReplenishment } from './replenishment.ts';

export type ForecastProcess = {
  readonly done: Promise<void>;
  readonly status: () => { readonly runs: number; readonly last: ForecastRun | undefined };
};

const dayMs = 86_400_000;
/** Analytics loads what is new first. */
const afterStartMs = 120_000;
const afterMidnightMs = 10 * 60_000;
const againMs = 60_000;

export function startForecasts(
  config: Config,
  telemetry: Telemetry,
  signal: AbortSignal,
): ForecastProcess {
  const rules = loadReplenishment(config.replenishmentFile);
  const places = { brokers: config.brokers, registryUrl: config.registryUrl };
  let runs = 0;
  let last: ForecastRun | undefined;
  const work = async (): Promise<void> => {
    let waitMs = afterStartMs;
    for (;;) {
      await sleep(waitMs, undefined, { signal });
      try {
        last = await makeForecasts(places, config.runDirectory, rules);
        runs += 1;
        telemetry.log('info', sentenceOf(last), {});
        waitMs = untilNextRun(Date.now());
      } catch (error) {
        telemetry.log('warn', 'forecasts wait for analytics', { error: String(error) });
        waitMs = againMs;
      }
    }
  };
  const done = work().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return { done, status: () => ({ runs, last }) };
}

function untilNextRun(nowMs: number): number {
  const midnight = Math.floor(nowMs / dayMs) * dayMs;
  const today = midnight + afterMidnightMs;
  return (today > nowMs ? today : today + dayMs) - nowMs;
}
