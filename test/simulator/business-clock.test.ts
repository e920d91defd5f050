import { describe, expect, it } from 'vitest';
import {
  businessTimeMs,
  scheduledMoment,
  scheduleFrom,
} from '../../connectors/simulator/business-clock.ts';
import {
  dayOf,
  dayText,
  endOfDayMs,
  instantOf,
  localText,
  unambiguousMs,
} from '../../connectors/simulator/local-time.ts';

const hourMs = 3_600_000;
const endOfSummer = Date.UTC(2026, 9, 25, 1);

const berlin = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Europe/Berlin',
  dateStyle: 'short',
  timeStyle: 'medium',
});

describe('local time', () => {
  it('is what the time zone database says, in every hour of two years', () => {
    for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2028, 0, 1); ms += hourMs) {
      expect(localText(ms).slice(0, 19)).toBe(berlin.format(ms));
    }
  });

  it('a day ends a millisecond before the next, also when it has 23 or 25 hours', () => {
    for (let day = dayOf(Date.UTC(2026, 0, 1)); day < dayOf(Date.UTC(2027, 0, 1)); day++) {
      expect(endOfDayMs(day) + 1).toBe(instantOf(day + 1, 0));
      expect(localText(endOfDayMs(day))).toBe(`${dayText(day)} 23:59:59.999`);
    }
  });

  it('no time falls into the hour that the end of summer time repeats', () => {
    for (let ms = endOfSummer - 3 * hourMs; ms < endOfSummer + 3 * hourMs; ms += 60_000) {
      expect(localText(unambiguousMs(ms)).slice(0, 13)).not.toBe('2026-10-25 02');
    }
  });
});

describe('business clock', () => {
  const schedule = scheduleFrom(Date.UTC(2026, 10, 10, 12), {
    daysBack: 25,
    historyTransactions: 200,
    transactionsPerDay: 2500,
  });

  it('begins at local midnight 25 days ago, with the history as its first day', () => {
    expect(localText(scheduledMoment(schedule, 0).atMs)).toBe('2026-10-16 00:00:00.000');
    expect(localText(scheduledMoment(schedule, 200).atMs)).toBe('2026-10-17 00:00:00.000');
    expect(localText(scheduledMoment(schedule, 2700).atMs)).toBe('2026-10-18 00:00:00.000');
  });

  it('never goes back, and skips the hour that summer time repeats', () => {
    let before = 0;
    for (let transactions = 0; transactions < 40_000; transactions++) {
      const { atMs } = scheduledMoment(schedule, transactions);
      expect(atMs).toBeGreaterThanOrEqual(before);
      expect(unambiguousMs(atMs)).toBe(atMs);
      before = atMs;
    }
  });

  it('is slow in a rush: more transactions at noon than in the early morning', () => {
    const hours = Array.from({ length: 24 }, () => 0);
    for (let transactions = 200; transactions < 2700; transactions++) {
      const hour = Number(localText(scheduledMoment(schedule, transactions).atMs).slice(11, 13));
      hours[hour] = (hours[hour] ?? 0) + 1;
    }
    expect(hours[12]).toBeGreaterThan(10 * (hours[4] ?? 0));
  });

  it('is never later than the real now nor earlier than it was', () => {
    const realMs = Date.UTC(2026, 10, 10, 12);
    expect(businessTimeMs({ scheduledMs: realMs + 1, realMs, previousMs: 0 })).toBe(realMs);
    expect(businessTimeMs({ scheduledMs: realMs - 9, realMs, previousMs: realMs - 5 })).toBe(
      realMs - 5,
    );
  });
});
