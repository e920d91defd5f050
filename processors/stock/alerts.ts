/** What a step makes of a cell that a person should look at: each alert opens once and closes once. */
import type { Alert, Cause, LedgerEntry } from '../../schemas/types.ts';
import type { CellQuantities } from '../domain/quantities.ts';
import { lowOf, type StockRules } from './rules.ts';

type Context = { readonly sku: string; readonly cause: Cause; readonly rules: StockRules };

/** A condition on a cell's figures; the alert is open while it holds. */
type Condition = {
  readonly kind: string;
  readonly severity: Alert['severity'];
  readonly holds: (quantities: CellQuantities) => boolean;
  readonly opened: string;
  readonly closed: string;
  readonly expected: string;
};

const negativeAvailable: Condition = {
  kind: 'negativeAvailable',
  severity: 'critical',
  holds: ({ available }) => available < 0,
  opened: 'is oversold',
  closed: 'is no longer oversold',
  expected: '0 or more',
};

/** Goods that somebody was promised have gone: reserved, and not there any more. */
const oversell: Condition = {
  kind: 'oversell',
  severity: 'critical',
  holds: ({ available, reserved }) => available < 0 && reserved > 0,
  opened: 'has less than is reserved',
  closed: 'covers what is reserved again',
  expected: 'what is reserved is there',
};

const out: Condition = {
  kind: 'stockOut',
  severity: 'warning',
  holds: ({ available }) => available <= 0,
  opened: 'is out of stock',
  closed: 'is back in stock',
  expected: 'more than 0',
};

const always: readonly Condition[] = [negativeAvailable, oversell];

export function cellAlerts(
  context: Context,
  location: string,
  before: CellQuantities,
  entry: LedgerEntry,
): readonly Alert[] {
  const { sku, rules } = context;
  const after = entry.quantities;
  const low = lowOf(rules, sku);
  if (before.available === after.available && before.reserved === after.reserved) {
    return entry.restatement === null ? none : [restated(context, location, entry)];
  }
  const conditions = low === undefined ? always : [...always, out, lowCondition(low)];
  const found: Alert[] = [];
  for (const condition of conditions) {
    const holds = condition.holds(after);
    // A cell that has had no step yet has no figures to be low or out by.
    const held = entry.sequence > 1 && condition.holds(before);
    if (holds !== held) {
      const { available } = after;
      found.push(alertOf(context, location, condition, { available, open: holds }));
    }
  }
  if (entry.restatement !== null) found.push(restated(context, location, entry));
  return found;
}

const none: readonly Alert[] = [];

function lowCondition(low: number): Condition {
  return {
    kind: 'stockLow',
    severity: 'info',
    holds: ({ available }) => available > 0 && available <= low,
    opened: 'is low',
    closed: 'is not low any more',
    expected: `more than ${low / 1000}`,
  };
}

function alertOf(
  { sku, cause }: Context,
  location: string,
  condition: Condition,
  after: { readonly available: number; readonly open: boolean },
): Alert {
  return {
    id: `${condition.kind}|${sku}|${location}`,
    kind: condition.kind,
    severity: condition.severity,
    sku,
    location,
    system: cause.system,
    message: `${sku} at ${location} ${after.open ? condition.opened : condition.closed}`,
    expected: condition.expected,
    seen: String(after.available / 1000),
    raisedAt: cause.committedAt,
    open: after.open,
  };
}

/** Tells once that a past figure was wrong; there is nothing to wait for, so it does not stay open. */
function restated({ sku, cause }: Context, location: string, entry: LedgerEntry): Alert {
  const { old, new: now, from } = entry.restatement ?? { old: 0, new: 0, from: 0 };
  return {
    id: `restatement|${sku}|${location}|${entry.sequence}`,
    kind: 'restatement',
    severity: 'info',
    sku,
    location,
    system: cause.system,
    message: `${sku} at ${location} has been different since ${new Date(from).toISOString()} by what was told late`,
    expected: String(old / 1000),
    seen: String(now / 1000),
    raisedAt: cause.committedAt,
    open: false,
  };
}
