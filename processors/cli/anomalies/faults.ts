/** A fault file: what goes wrong in the simulated weeks, where, when, and how badly. No detector reads it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { integer, pick, type Random, seededRandom } from '../../../connectors/simulator/random.ts';
import type { AnomalyKind } from '../../anomalies/episode.ts';

export const faultKinds = [
  'negativeStock',
  'suddenDrop',
  'salesSpike',
  'salesSilence',
  'silentSource',
  'silentTill',
  'duplicateBurst',
  'stuckLevel',
  'countDiscrepancy',
] as const satisfies readonly AnomalyKind[];

const fault = z.strictObject({
  kind: z.enum(faultKinds),
  /** Hours after the beginning, which is a Monday at 00:00. */
  atHours: z.number().nonnegative(),
  /** For how long; facts have no length. */
  hours: z.number().nonnegative().default(0),
  /** Units missing or sold too much, or by how many times more is sold. */
  size: z.number().positive().default(1),
  sku: z.string().default(''),
  location: z.string().default(''),
  till: z.string().default(''),
  system: z.string().default(''),
});
export type Fault = z.infer<typeof fault>;

/** What a fault of each kind has to name. */
const needs: Readonly<Record<AnomalyKind, readonly ('sku' | 'location' | 'till' | 'system')[]>> = {
  negativeStock: ['sku', 'location'],
  suddenDrop: ['sku', 'location'],
  salesSpike: ['sku', 'location'],
  salesSilence: ['sku', 'location'],
  silentSource: ['system'],
  silentTill: ['location', 'till'],
  duplicateBurst: ['location'],
  stuckLevel: ['sku', 'location'],
  countDiscrepancy: ['sku', 'location'],
};

/** Throws with the place of each mistake. */
export function readFaults(file: string): readonly Fault[] {
  let plain: unknown;
  try {
    plain = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} is no JSON: ${String(error)}`);
  }
  const parsed = z.array(fault).safeParse(plain);
  if (!parsed.success) {
    throw new Error(`${file} is no fault file: ${z.prettifyError(parsed.error)}`);
  }
  parsed.data.forEach((one, at) => {
    const missing = needs[one.kind].filter((name) => one[name] === '');
    if (missing.length === 0) return;
    throw new Error(`${file}, fault ${at}: ${one.kind} has to name ${missing.join(' and ')}`);
  });
  return parsed.data;
}

/** Cells from the one that sells the most to the one that sells the least. */
export type Seller = {
  readonly sku: string;
  readonly location: string;
  readonly linesPerDay: number;
};

/** Faults of every kind at random places and times after ten days, each at a place of its own. */
export function drawFaults(
  seed: number,
  days: number,
  sellers: readonly Seller[],
  tills: readonly { readonly location: string; readonly till: string }[],
): readonly Fault[] {
  const random = seededRandom(seed ^ 0x5eed);
  const faults: Fault[] = [];
  const taken = new Set<Seller>();
  const usedTills = new Set<string>();
  const cell = (linesPerDay: number): Seller | undefined => {
    const open = sellers.filter((one) => one.linesPerDay >= linesPerDay && !taken.has(one));
    const found = pick(random, open);
    if (found !== undefined) taken.add(found);
    return found;
  };
  const atHours = (marginDays: number): number =>
    24 * integer(random, 10, days - 2 - marginDays) + integer(random, 9, 15);
  /** While a till or source is silent, what else happens there is not told. */
  const isHidden = (location: string, from: number, to: number): boolean =>
    faults.some(
      (one) =>
        (one.kind === 'silentTill' || one.kind === 'silentSource') &&
        (one.location === '' || location === '' || one.location === location) &&
        from <= one.atHours + one.hours + 1 &&
        to >= one.atHours - 1,
    );
  const add = (given: Partial<Fault> & Pick<Fault, 'kind'>, marginDays: number): void => {
    const base = { hours: 0, size: 1, sku: '', location: '', till: '', system: '', ...given };
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const hour = atHours(marginDays);
      if (isHidden(base.location, hour, hour + base.hours)) continue;
      faults.push({ ...base, atHours: hour });
      return;
    }
  };
  const inCell = (
    kind: AnomalyKind,
    linesPerDay: number,
    given: (random: Random, seller: Seller) => Pick<Fault, 'hours' | 'size'>,
    marginDays: number,
  ): void => {
    const found = cell(linesPerDay);
    if (found === undefined) return;
    const { sku, location } = found;
    add({ kind, sku, location, ...given(random, found) }, marginDays);
  };
  add({ kind: 'silentSource', system: 'pos', hours: integer(random, 4, 8) }, 1);
  for (let turn = 0; turn < 4; turn += 1) {
    const open = tills.filter((one) => !usedTills.has(one.location));
    const till = pick(random, open);
    if (till === undefined) break;
    usedTills.add(till.location);
    add({ kind: 'silentTill', ...till, hours: 24 * integer(random, 2, 3) }, 3);
    add({ kind: 'duplicateBurst', location: till.location, hours: 2 }, 1);
  }
  for (let turn = 0; turn < 6; turn += 1) {
    inCell('negativeStock', 0, () => ({ hours: 0, size: integer(random, 1, 6) }), 1);
    inCell('suddenDrop', 1, () => ({ hours: 0, size: 0.4 + integer(random, 0, 5) / 10 }), 1);
    inCell(
      'salesSpike',
      4,
      () => ({ hours: integer(random, 4, 8), size: integer(random, 8, 15) }),
      1,
    );
    inCell('salesSilence', 8, () => ({ hours: 24 * integer(random, 5, 7), size: 1 }), 6);
    inCell('stuckLevel', 4, () => ({ hours: 24 * integer(random, 6, 8), size: 1 }), 7);
    inCell('countDiscrepancy', 1, () => ({ hours: 0, size: integer(random, 8, 25) }), 1);
  }
  return faults;
}
