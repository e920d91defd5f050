/** Local time of Europe/Berlin, where this retailer has all its shops, by the rule in force since 1996. */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A calendar day as the number of days since 1970-01-01. */
export type Day = number;

const summerByYear = new Map<number, readonly [number, number]>();

/** Summer time runs from the last Sunday of March to the last of October, 01:00 UTC each. */
function summerOf(year: number): readonly [number, number] {
  const known = summerByYear.get(year);
  if (known !== undefined) return known;
  const lastSunday = (month: number): number => {
    const last = new Date(Date.UTC(year, month + 1, 0, 1));
    return last.getTime() - last.getUTCDay() * dayMs;
  };
  const bounds = [lastSunday(2), lastSunday(9)] as const;
  summerByYear.set(year, bounds);
  return bounds;
}

function isSummer(utcMs: number): boolean {
  const [begin, end] = summerOf(new Date(utcMs).getUTCFullYear());
  return utcMs >= begin && utcMs < end;
}

function offsetMs(utcMs: number): number {
  return isSummer(utcMs) ? 2 * hourMs : hourMs;
}

export function dayOf(utcMs: number): Day {
  return Math.floor((utcMs + offsetMs(utcMs)) / dayMs);
}

/** The instant of a local time, given as milliseconds since the day's local midnight. */
export function instantOf(day: Day, localMsOfDay: number): number {
  const localMs = day * dayMs + localMsOfDay;
  const inSummer = localMs - 2 * hourMs;
  return isSummer(inSummer) ? inSummer : localMs - hourMs;
}

/** The last millisecond of a day: when a date without time counts. */
export function endOfDayMs(day: Day): number {
  return instantOf(day, dayMs - 1);
}

/** `2026-03-01` */
export function dayText(day: Day): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** `2026-03-01 09:30:00.125`, local. */
export function localText(utcMs: number): string {
  return utcText(utcMs + offsetMs(utcMs));
}

/** `2026-03-01 08:30:00.125`, UTC. */
export function utcText(utcMs: number): string {
  return new Date(utcMs).toISOString().slice(0, 23).replace('T', ' ');
}

/** Moves an instant out of the hour that the end of summer time repeats: its local text would mean two instants. */
export function unambiguousMs(utcMs: number): number {
  const [, end] = summerOf(new Date(utcMs).getUTCFullYear());
  const repeated = utcMs >= end - hourMs && utcMs < end + hourMs;
  return repeated ? end - hourMs - 1000 + (utcMs % 1000) : utcMs;
}
