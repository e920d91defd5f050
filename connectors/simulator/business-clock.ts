/** The business clock: days pass as transactions do, fast in quiet hours and slowly in a rush, never beyond the real now. */

import { type Day, dayOf, instantOf, unambiguousMs } from './local-time.ts';
import { cumulate } from './random.ts';

export type Schedule = {
  /** Day zero: the history before capture. */
  readonly startDay: Day;
  readonly historyTransactions: number;
  readonly transactionsPerDay: number;
};

export type Phase = 'night' | 'morning' | 'open' | 'evening';

export type ScheduledMoment = {
  /** Days since day zero. */
  readonly dayIndex: number;
  readonly phase: Phase;
  readonly atMs: number;
};

/** Share of a day's transactions by hour. None in the hour that summer time skips or repeats. */
const hourWeights = [
  10, 10, 0, 10, 10, 20, 60, 100, 130, 150, 170, 190, 220, 170, 150, 150, 170, 220, 200, 130, 60,
  110, 120, 60,
];
const cumulated = cumulate(hourWeights);
const total = cumulated.at(-1) ?? 0;

/** Where the schedule stands when so many transactions have been. */
export function scheduledMoment(schedule: Schedule, transactions: number): ScheduledMoment {
  const { historyTransactions, transactionsPerDay } = schedule;
  const days =
    transactions < historyTransactions
      ? transactions / historyTransactions
      : 1 + (transactions - historyTransactions) / transactionsPerDay;
  const dayIndex = Math.floor(days);
  const msOfDay = Math.floor(msOfDayAt(days - dayIndex));
  return {
    dayIndex,
    phase: phaseAt(msOfDay / 3_600_000),
    atMs: instantOf(schedule.startDay + dayIndex, msOfDay),
  };
}

/** The business time: as scheduled, but neither later than the real now nor earlier than it already was. */
export function businessTimeMs(input: {
  readonly scheduledMs: number;
  readonly realMs: number;
  readonly previousMs: number;
}): number {
  const possible = Math.min(input.scheduledMs, input.realMs);
  return Math.max(input.previousMs, unambiguousMs(Math.floor(possible)));
}

/** The schedule of a retailer whose day zero lies so many days before the real now. */
export function scheduleFrom(
  realMs: number,
  options: {
    readonly daysBack: number;
    readonly historyTransactions: number;
    readonly transactionsPerDay: number;
  },
): Schedule {
  return {
    startDay: dayOf(realMs) - options.daysBack,
    historyTransactions: options.historyTransactions,
    transactionsPerDay: options.transactionsPerDay,
  };
}

function msOfDayAt(share: number): number {
  const wanted = share * total;
  const hour = cumulated.findIndex((sum) => sum > wanted);
  const weight = hourWeights[hour] ?? 1;
  const before = (cumulated[hour] ?? 0) - weight;
  return (hour + (wanted - before) / weight) * 3_600_000;
}

function phaseAt(hour: number): Phase {
  if (hour < 6) return 'night';
  if (hour < 8) return 'morning';
  return hour < 21 ? 'open' : 'evening';
}
