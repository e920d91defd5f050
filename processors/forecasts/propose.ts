/** Proposals to order: new ones, what becomes of those that wait, and what a policy approves by itself. Pure. */
import type { Forecast, Proposal } from '../../schemas/types.ts';
import type { Position } from './outlook.ts';
import { type DailyDemand, orderOf, type Replenishment } from './replenish.ts';

/** What may be ordered without asking a person. */
export type Approval = {
  /** Units of one order at most. */
  readonly quantityMax: number;
  /** Orders of one run at most, the most urgent first. */
  readonly perRunMax: number;
};

export type Candidate = {
  readonly forecast: Forecast;
  readonly demand: DailyDemand;
  readonly position: Position;
  readonly rule: Replenishment;
};

/**
 * `known`: the last record of each proposal. A day's proposal that is decided stays as it was decided; one that waits
 * is replaced, and superseded when another day has come or there is enough again.
 */
export function proposalsOf(
  candidates: readonly Candidate[],
  known: ReadonlyMap<string, Proposal>,
  approval: Approval | undefined,
  now: number,
): readonly Proposal[] {
  const day = new Date(now).toISOString().slice(0, 10);
  const waiting = new Map<string, Proposal[]>();
  for (const proposal of known.values()) {
    if (proposal.state !== 'proposed') continue;
    const cell = cellOf(proposal);
    waiting.set(cell, [...(waiting.get(cell) ?? []), proposal]);
  }
  const wanted = candidates
    .map((candidate) => draftOf(candidate, day, now))
    .filter(({ id }) => (known.get(id)?.state ?? 'proposed') === 'proposed')
    .sort((one, other) => other.stockOutProbability - one.stockOutProbability);
  let approved = 0;
  const told: Proposal[] = [];
  for (const draft of wanted) {
    const earlier = waiting.get(cellOf(draft)) ?? [];
    const isWanted = draft.quantity > 0;
    for (const one of earlier) {
      if (isWanted && one.id === draft.id) continue;
      const reason = isWanted ? `${draft.id} stands in its place` : 'there is enough again';
      told.push({ ...one, state: 'superseded', decidedBy: 'forecasts', reason });
    }
    if (!isWanted) continue;
    const isWithin =
      approval !== undefined &&
      approved < approval.perRunMax &&
      draft.quantity <= approval.quantityMax * 1_000;
    if (isWithin) approved += 1;
    told.push(isWithin ? approvedByPolicy(draft, approval) : draft);
  }
  return told;
}

/** A person's decision; a sentence where it cannot be taken. */
export function decide(
  proposal: Proposal | undefined,
  decision: {
    readonly state: 'approved' | 'rejected';
    readonly by: string;
    readonly reason: string;
  },
): Proposal | string {
  if (proposal === undefined)
    return 'there is no such proposal: `stockline proposal list` names them';
  if (proposal.state !== 'proposed') {
    return `${proposal.id} is ${proposal.state} already, by ${proposal.decidedBy}: ${proposal.reason}`;
  }
  const { state, by, reason } = decision;
  return { ...proposal, state, decidedBy: by, reason };
}

function cellOf({ sku, location }: { readonly sku: string; readonly location: string }): string {
  return `${sku}|${location}`;
}

function draftOf(
  { forecast, demand, position, rule }: Candidate,
  day: string,
  now: number,
): Proposal {
  const { sku, location, stockOutAt } = forecast;
  const order = orderOf(demand, (position.available + position.incoming) / 1_000, rule);
  const lead = Math.ceil(rule.leadTimeDays + rule.reviewDays);
  return {
    id: `${sku}|${location}|${day}`,
    sku,
    location,
    state: 'proposed',
    madeAt: now,
    ...position,
    dailyDemand: thousandthsOf(demand.mean),
    leadTimeDays: rule.leadTimeDays,
    leadTimeDeviationDays: rule.leadTimeDeviationDays,
    reviewDays: rule.reviewDays,
    serviceLevel: rule.serviceLevel,
    stockOutAt,
    stockOutProbability: order.stockOutProbability,
    reorderPoint: thousandthsOf(order.reorderPoint),
    orderUpTo: thousandthsOf(order.orderUpTo),
    quantity: thousandthsOf(order.quantity),
    decidedBy: '',
    reason:
      `${position.available / 1_000} available and ${position.incoming / 1_000} coming are not above ` +
      `${order.reorderPoint}, which meets the demand of ${lead} days with ${rule.serviceLevel * 100} %`,
  };
}

function approvedByPolicy(draft: Proposal, { quantityMax }: Approval): Proposal {
  const reason = `${draft.reason}; at most ${quantityMax} units are ordered without asking`;
  return { ...draft, state: 'approved', decidedBy: 'policy', reason };
}

const thousandthsOf = (units: number): number => Math.round(units * 1_000);
