/** How stock is kept where it is not the same everywhere: a validated file. Quantities in thousandths. */
import type { Authority } from '../domain/echo.ts';

export type StockRules = {
  /** Locations where the ERP's balance is the figure of onHand; everywhere else it is counts and movements. */
  readonly balanceLocations: ReadonlySet<string>;
  /** How far below zero a reservation may take available, by SKU; `backOrderDefault` for all others. */
  readonly backOrder: ReadonlyMap<string, number>;
  readonly backOrderDefault: number;
  /** At or below this a cell raises `stockLow`, and at 0 `stockOut`, by SKU; undefined: no such alerts. */
  readonly low: ReadonlyMap<string, number>;
  readonly lowDefault: number | undefined;
  /** By how much the till and the ERP may differ on a sale without an alert. */
  readonly echoTolerance: number;
  /** A till's sale that the ERP has not posted for this long raises `echoOpen`. */
  readonly echoOpenAfterMs: number;
  /** A committed reservation that nobody has fulfilled or booked for this long raises an alert. */
  readonly reservationOpenAfterMs: number;
};

const hourMs = 3_600_000;

export const noRules: StockRules = {
  balanceLocations: new Set(),
  backOrder: new Map(),
  backOrderDefault: 0,
  low: new Map(),
  lowDefault: undefined,
  echoTolerance: 0,
  echoOpenAfterMs: 48 * hourMs,
  reservationOpenAfterMs: 48 * hourMs,
};

export function authorityAt(rules: StockRules, location: string): Authority {
  return rules.balanceLocations.has(location) ? 'balance' : 'ledger';
}

export function backOrderOf(rules: StockRules, sku: string): number {
  return rules.backOrder.get(sku) ?? rules.backOrderDefault;
}

export function lowOf(rules: StockRules, sku: string): number | undefined {
  return rules.low.get(sku) ?? rules.lowDefault;
}

export type ParsedRules = { readonly rules: StockRules } | { readonly errors: readonly string[] };

const fields = [
  'balanceLocations',
  'backOrder',
  'low',
  'echoTolerance',
  'echoOpenAfterHours',
  'reservationOpenAfterHours',
];

/** Reads rules from plain JSON, units as people write them; tells every fault with its path. */
export function parseStockRules(plain: unknown): ParsedRules {
  if (typeof plain !== 'object' || plain === null)
    return { errors: ['stock: an object is needed'] };
  const given = plain as Readonly<Record<string, unknown>>;
  const errors = Object.keys(given)
    .filter((name) => !fields.includes(name))
    .map((name) => `stock.${name}: is not known`);
  const amount = (value: unknown, path: string, scale: number): number => {
    const scaled = typeof value === 'number' ? Math.round(value * scale) : Number.NaN;
    if (Number.isSafeInteger(scaled) && scaled >= 0) return scaled;
    errors.push(`stock.${path}: a number, 0 or more`);
    return 0;
  };
  const locations = given.balanceLocations ?? [];
  if (!Array.isArray(locations) || !locations.every((one) => typeof one === 'string')) {
    errors.push('stock.balanceLocations: a list of locations');
  }
  const bySku = (name: string) => {
    const table = (given[name] ?? {}) as { readonly default?: unknown; readonly skus?: object };
    return {
      fallback:
        table.default === undefined ? undefined : amount(table.default, `${name}.default`, 1000),
      skus: new Map(
        Object.entries(table.skus ?? {}).map(([sku, value]) => [
          sku,
          amount(value, `${name}.skus.${sku}`, 1000),
        ]),
      ),
    };
  };
  const backOrder = bySku('backOrder');
  const low = bySku('low');
  const hours = (name: string, otherwise: number): number =>
    given[name] === undefined ? otherwise : amount(given[name], name, hourMs);
  const rules: StockRules = {
    balanceLocations: new Set(Array.isArray(locations) ? (locations as string[]) : []),
    backOrder: backOrder.skus,
    backOrderDefault: backOrder.fallback ?? 0,
    low: low.skus,
    lowDefault: low.fallback,
    echoTolerance:
      given.echoTolerance === undefined ? 0 : amount(given.echoTolerance, 'echoTolerance', 1000),
    echoOpenAfterMs: hours('echoOpenAfterHours', noRules.echoOpenAfterMs),
    reservationOpenAfterMs: hours('reservationOpenAfterHours', noRules.reservationOpenAfterMs),
  };
  return errors.length > 0 ? { errors } : { rules };
}
