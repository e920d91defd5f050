/** When a place sells: shares by hour of the day and by day of the week, learned with forgetting. Times in UTC. */

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
/** After so long what was seen counts a e-th of what is seen now. */
const memoryMs = 14 * dayMs;

export type Season = {
  /** 24 and 7 weights. */
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly total: number;
  readonly sinceMs: number;
  /** The time to which the weights have been forgotten. */
  readonly atMs: number;
};

export function newSeason(nowMs: number): Season {
  const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);
  return { hours: zeros(24), days: zeros(7), total: 0, sinceMs: nowMs, atMs: nowMs };
}

const hourOf = (ms: number): number => Math.floor(ms / hourMs) % 24;
/** Monday is 0: 1970-01-01 was a Thursday. */
const dayOf = (ms: number): number => (Math.floor(ms / dayMs) + 3) % 7;

export function forgotten(weight: number, passedMs: number): number {
  return passedMs <= 0 ? weight : weight * Math.exp(-passedMs / memoryMs);
}

export function withLines(season: Season, ms: number, lines: number): Season {
  const passedMs = ms - season.atMs;
  const faded = (weights: readonly number[], at: number): readonly number[] =>
    weights.map((weight, place) => forgotten(weight, passedMs) + (place === at ? lines : 0));
  return {
    hours: faded(season.hours, hourOf(ms)),
    days: faded(season.days, dayOf(ms)),
    total: forgotten(season.total, passedMs) + lines,
    sinceMs: Math.min(season.sinceMs, ms),
    atMs: Math.max(season.atMs, ms),
  };
}

/** How many days a forgetting count of something that began at `sinceMs` stands for. */
export function daysCounted(sinceMs: number, nowMs: number): number {
  return (memoryMs * (1 - Math.exp(-Math.max(0, nowMs - sinceMs) / memoryMs))) / dayMs;
}

/** Of a week's lines, the part that falls into the hour of `ms`; the week's parts sum to 1. Half a line is added per hour and day, so that nothing is impossible. */
export function shareOfHour(season: Season, ms: number): number {
  const added = 0.02 * season.total;
  const day = ((season.days[dayOf(ms)] ?? 0) + added / 7) / (season.total + added);
  const hour = ((season.hours[hourOf(ms)] ?? 0) + added / 24) / (season.total + added);
  return season.total === 0 ? 1 / 168 : day * hour;
}

/** Lines expected from `fromMs` to `toMs` at `perDay` lines on an average day. */
export function expectedLines(
  season: Season,
  perDay: number,
  fromMs: number,
  toMs: number,
): number {
  let sum = 0;
  for (let ms = fromMs; ms < toMs; ) {
    const next = Math.min(toMs, (Math.floor(ms / hourMs) + 1) * hourMs);
    sum += shareOfHour(season, ms) * ((next - ms) / hourMs);
    ms = next;
  }
  return sum * perDay * 7;
}

/** ln of the chance that nothing came from `fromMs` to `toMs`, where `perDay` of a day's slots have something. */
export function logChanceOfSilence(
  season: Season,
  perDay: number,
  slotMs: number,
  fromMs: number,
  toMs: number,
): number {
  let log = 0;
  for (let ms = fromMs; ms + slotMs <= toMs; ms += slotMs) {
    const share = Math.min(0.95, (shareOfHour(season, ms) * perDay * 7 * slotMs) / hourMs);
    log += Math.log1p(-share);
  }
  return log;
}
