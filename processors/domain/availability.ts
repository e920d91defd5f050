/** Available to promise by day, as Dynamics 365 defines it: the least that is projected from that day on. */

export const promiseDaysMax = 180;

/** Quantities in thousandths; days count from 1970-01-01 in UTC. */
export type Schedule = {
  /** What can be sold today, everything reserved taken off, dated demand included. */
  readonly available: number;
  /** The dated part of what is reserved: it leaves on its day, not today. */
  readonly demand: ReadonlyMap<number, number>;
  /** What comes in by day. Supply of a day that has passed has not come and is not counted on. */
  readonly supply: ReadonlyMap<number, number>;
};

/** What may be promised on `today` and each of the days after it. */
export function availableToPromise(
  schedule: Schedule,
  today: number,
  days: number,
): readonly number[] {
  if (!Number.isInteger(days) || days < 1 || days > promiseDaysMax) {
    throw new Error(`available to promise is known for 1 to ${promiseDaysMax} days, not ${days}`);
  }
  const projected = projectedByDay(schedule, today, days);
  const promised: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const quantity of [...projected].reverse()) {
    least = Math.min(least, quantity);
    promised.push(least);
  }
  return promised.reverse();
}

function projectedByDay(schedule: Schedule, today: number, days: number): readonly number[] {
  let level = schedule.available;
  // Demand that is overdue may be asked for at any moment; only that of later days is put off.
  for (const [day, quantity] of schedule.demand) if (day > today) level += quantity;
  return Array.from({ length: days }, (_, index) => {
    const day = today + index;
    level += schedule.supply.get(day) ?? 0;
    if (index > 0) level -= schedule.demand.get(day) ?? 0;
    return level;
  });
}
