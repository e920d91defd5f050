/** The rules of replenishment of one installation: a file of the user's, or the ordinary ones. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Replenishment } from '../forecasts/replenish.ts';
import type { ReplenishmentRules } from '../forecasts/run.ts';

const rule = z
  .object({
    leadTimeDays: z.number().positive().max(365),
    leadTimeDeviationDays: z.number().min(0).max(180),
    reviewDays: z.number().positive().max(90),
    serviceLevel: z.number().min(0.5).max(0.999),
    coverDays: z.number().min(0).max(365),
    pack: z.number().positive(),
  })
  .strict();

const shape = z
  .object({
    all: rule.partial().default({}),
    /** By location, over `all`; by SKU, over both. */
    locations: z.record(z.string(), rule.partial()).default({}),
    skus: z.record(z.string(), rule.partial()).default({}),
    approve: z
      .object({ quantityMax: z.number().positive(), perRunMax: z.number().int().positive() })
      .strict()
      .optional(),
  })
  .strict();

const ordinary: Replenishment = {
  leadTimeDays: 7,
  leadTimeDeviationDays: 2,
  reviewDays: 1,
  serviceLevel: 0.95,
  coverDays: 14,
  pack: 1,
};

export function loadReplenishment(file: string | undefined): ReplenishmentRules {
  const parsed = shape.safeParse(
    file === undefined ? {} : (JSON.parse(readFileSync(file, 'utf8')) as unknown),
  );
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`the replenishment rules in ${file} are not right:\n  ${faults.join('\n  ')}`);
  }
  const { all, locations, skus, approve } = parsed.data;
  return {
    ruleOf: (sku, location) =>
      ({ ...ordinary, ...all, ...locations[location], ...skus[sku] }) as Replenishment,
    approval: approve,
  };
}
