/** Local times of a shop → instants. Offsets come from the time zone data of the JavaScript engine, cached by hour. */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export type Zone = {
  /** The instant of a local time that is written as if it were UTC. A time that occurs twice is the first one. */
  readonly instantOf: (localMs: number) => number;
  /** The local date of an instant, in days since the epoch. */
  readonly dayOf: (instantMs: number) => number;
  /** The last millisecond of a local date. */
  readonly endOfDay: (day: number) => number;
};

const zones = new Map<string, Zone>();

/** Throws a RangeError for a name that is no time zone. */
export function zone(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const made = makeZone(name);
  zones.set(name, made);
  return made;
}

function makeZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const offsets = new Map<number, number>();
  /** Local time minus UTC, in milliseconds, at the beginning of an hour. */
  const offsetAt = (instantMs: number): number => {
    const hour = Math.floor(instantMs / hourMs);
    const known = offsets.get(hour);
    if (known !== undefined) return known;
    const parts = Object.fromEntries(
      format.formatToParts(hour * hourMs).map((part) => [part.type, Number(part.value)]),
    );
    const { year = 0, month = 1, day = 1, hour: hours = 0, minute = 0 } = parts;
    const offset = Date.UTC(year, month - 1, day, hours, minute) - hour * hourMs;
    offsets.set(hour, offset);
    return offset;
  };
  const instantOf = (localMs: number): number => {
    // Before a change of clocks the larger offset holds in autumn and the smaller in spring: try the earlier instant first.
    const early = localMs - Math.max(offsetAt(localMs - dayMs), offsetAt(localMs + dayMs));
    if (early + offsetAt(early) === localMs) return early;
    return localMs - offsetAt(localMs - offsetAt(localMs));
  };
  return {
    instantOf,
    dayOf: (instantMs) => Math.floor((instantMs + offsetAt(instantMs)) / dayMs),
    endOfDay: (day) => instantOf((day + 1) * dayMs - 1),
  };
}
