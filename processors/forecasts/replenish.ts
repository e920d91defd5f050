/**
 * When to order and how much: order-up-to by periodic review. Demand until the next chance to receive has the mean
 * d(L+R) and the variance (L+R)σ² + d²σ_L² (Silver, Pyke & Thomas, Inventory and Production Management, 4th ed., 6.10).
 */
import { atMost, counted, quantile } from './distribution.ts';

export type Replenishment = {
  /** Mean days from an order to the shelf, and their standard deviation. */
  readonly leadTimeDays: number;
  readonly leadTimeDeviationDays: number;
  /** Days between two looks at the cell. */
  readonly reviewDays: number;
  /** Wanted probability that demand until the next receipt is met. */
  readonly serviceLevel: number;
  /** An order lasts so many days beyond the reorder point. */
  readonly coverDays: number;
  /** Units in a pack: only whole packs are ordered. */
  readonly pack: number;
};

/** Units a day. */
export type DailyDemand = {
  readonly mean: number;
  readonly variance: number;
  readonly grain: number;
};

/** Units. */
export type Order = {
  readonly reorderPoint: number;
  readonly orderUpTo: number;
  /** 0: there is enough. */
  readonly quantity: number;
  /** How likely stock runs out before an order of today arrives. */
  readonly stockOutProbability: number;
};

/** `position`: available and incoming together, in units; negative when oversold. */
export function orderOf(demand: DailyDemand, position: number, rule: Replenishment): Order {
  const over = (days: number) =>
    counted(
      demand.mean * days,
      demand.variance * days + (demand.mean * rule.leadTimeDeviationDays) ** 2,
      demand.grain,
    );
  const reorderPoint = quantile(over(rule.leadTimeDays + rule.reviewDays), rule.serviceLevel);
  const orderUpTo = reorderPoint + demand.mean * rule.coverDays;
  const stockOutProbability = 1 - atMost(over(rule.leadTimeDays), position);
  const packs = position <= reorderPoint ? Math.ceil((orderUpTo - position) / rule.pack - 1e-9) : 0;
  return { reorderPoint, orderUpTo, quantity: Math.max(0, packs) * rule.pack, stockOutProbability };
}
