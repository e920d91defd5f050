/** Forecasts a while after the start, and then shortly after each midnight UTC, when a day's sales are whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import { makeForecasts, sentenceOf } from '../cli/forecast/run.ts';
import { loadReplenishment } from '../settings/replenishment.ts';
import type { Start } from './running.ts';

const dayMs = 86_400_000;
/** Analytics loads what is new first. */
const afterStartMs = 120_000;
const afterMidnightMs = 10 * 60_000;
const againMs = 60_000;

export const startForecasts: Start = (config, { places, telemetry, signal }) => {
  const rules = loadReplenishment(config.replenishmentFile);
  const work = async (): Promise<void> => {
    let waitMs = afterStartMs;
    for (;;) {
      await sleep(waitMs, undefined, { signal });
      try {
        const made = await makeForecasts(places, config.runDirectory, rules);
        telemetry.log('info', sentenceOf(made), {});
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
  return { name: 'forecasts', done, ready: () => true };
};

function untilNextRun(nowMs: number): number {
  const midnight = Math.floor(nowMs / dayMs) * dayMs;
  const today = midnight + afterMidnightMs;
  return (today > nowMs ? today : today + dayMs) - nowMs;
}
