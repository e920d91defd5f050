/**
 * Stock as an auditor would compute it at the end of the year: from the list of all facts, in one pass, with nothing
 * kept between them. Written from the rules, apart from the code that it judges.
 */
import type { Effect } from '../../schemas/types.ts';

export type Fact = {
  readonly system: string;
  readonly effect: Effect;
  /** It was told as what the opening has already. */
  readonly isContained: boolean;
};
type Dated = { at: number; system: string; order: string; quantity: number };
/** What the opening has of it already counts only where the figure is another one than the opening's. */
type Passed = Dated & { isContained: boolean };

function later(one: Omit<Dated, 'quantity'>, other: Omit<Dated, 'quantity'>): boolean {
  if (one.at !== other.at) return one.at > other.at;
  if (one.order !== other.order) return one.order > other.order;
  return one.system > other.system;
}

function dated({ system, effect }: Fact): Dated {
  return { at: effect.occurredAt, system, order: effect.order, quantity: effect.quantity };
}

/** What stands of the facts: an assertion and its retraction cancel out. */
function standing(facts: readonly Fact[]): readonly Fact[] {
  const left: Fact[] = [];
  const name = ({ system, effect }: Fact, quantity: number): string => {
    const { kind, occurredAt, order, echo } = effect;
    return JSON.stringify([system, kind, occurredAt, order, quantity, echo?.key, echo?.role]);
  };
  const retracted = facts.filter(({ effect }) => !effect.asserted);
  const open = retracted.map((fact) =>
    name(fact, fact.effect.kind === 'count' ? fact.effect.quantity : -fact.effect.quantity),
  );
  for (const fact of facts.filter(({ effect }) => effect.asserted)) {
    const index = open.indexOf(name(fact, fact.effect.quantity));
    if (index === -1) left.push(fact);
    else open.splice(index, 1);
  }
  return left;
}

/** One sale told by the till and by the ERP → the dated quantities that count. */
function sale(facts: readonly Fact[]): readonly Dated[] {
  const till = facts.filter(({ effect }) => effect.echo?.role === 'till').map(dated);
  const postings = facts.filter(({ effect }) => effect.echo?.role === 'posting');
  const sum = (list: readonly { quantity: number }[]) =>
    list.reduce((total, one) => total + one.quantity, 0);
  const told = sum(till);
  const posted = sum(postings.map(dated));
  const rule = facts[0]?.effect.echo?.rule;
  const isComplete = postings.length > 0 && postings.every(({ effect }) => effect.echo?.complete);
  const larger = Math.abs(posted) > Math.abs(told) ? posted : told;
  const winner =
    postings.length === 0 ? told : rule === 'supersede' && isComplete ? posted : larger;
  const places = till.length > 0 ? till : postings.map(dated);
  const last = places.reduce<Dated | undefined>(
    (best, one) => (best === undefined || later(one, best) ? one : best),
    undefined,
  );
  const rest = winner - told;
  return rest === 0 || last === undefined ? till : [...till, { ...last, quantity: rest }];
}

/** Everything that has a time, counts apart. */
function passed(facts: readonly Fact[]): readonly Passed[] {
  const events = facts.filter(
    ({ effect }) => effect.kind === 'event' && effect.bucket === 'onHand',
  );
  const sales = new Map<string, Fact[]>();
  const found: Passed[] = [];
  for (const fact of events) {
    const { echo, quantity, asserted } = fact.effect;
    if (echo === null) found.push({ ...dated(fact), isContained: fact.isContained });
    else {
      const isSale = quantity < 0 === asserted;
      const name = `${echo.key}${isSale}`;
      sales.set(name, [...(sales.get(name) ?? []), fact]);
      if (!fact.isContained) continue;
      // Whatever becomes of the sale, the opening has had it.
      found.push({ ...dated(fact), isContained: true });
      found.push({ ...dated(fact), quantity: -quantity, isContained: false });
    }
  }
  for (const group of sales.values()) {
    for (const one of sale(standing(group))) found.push({ ...one, isContained: false });
  }
  return found;
}

/** onHand of one cell in thousandths. */
export function auditedOnHand(facts: readonly Fact[]): number {
  const counts = facts.filter(({ effect }) => effect.kind === 'count');
  const anchor = standing(counts)
    .map(dated)
    .reduce<Dated | undefined>(
      (best, one) => (best === undefined || later(one, best) ? one : best),
      undefined,
    );
  const isNews =
    anchor !== undefined &&
    standing(counts.filter(({ isContained }) => !isContained)).some(
      (one) => !later(dated(one), anchor) && !later(anchor, dated(one)),
    );
  const openings = standing(facts.filter(({ effect }) => effect.kind === 'opening'));
  const opened = openings.reduce((total, { effect }) => total + effect.quantity, 0);
  const after = passed(facts).filter((one) => {
    if (one.isContained && !isNews) return false;
    if (anchor === undefined || one.at !== anchor.at)
      return anchor === undefined || one.at > anchor.at;
    return one.system !== anchor.system || one.order > anchor.order;
  });
  return after.reduce((total, one) => total + one.quantity, isNews ? anchor.quantity : opened);
}
