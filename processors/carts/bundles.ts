/** Bundles: SKUs that are sold as one and kept as their components. A validated file. */
import type { RequestLine } from '../../schemas/types.ts';

export type Component = { readonly sku: string; readonly quantity: number };

/** By the bundle's SKU; quantities in thousandths per bundle. */
export type Bundles = ReadonlyMap<string, readonly Component[]>;

export const noBundles: Bundles = new Map();

export type ParsedBundles = { readonly bundles: Bundles } | { readonly errors: readonly string[] };

/** Reads `{ "<bundle>": { "<sku>": units, ... } }`; tells every fault with its path. */
export function parseBundles(plain: unknown): ParsedBundles {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    return { errors: ['bundles: an object of bundles by SKU is needed'] };
  }
  const errors: string[] = [];
  const bundles = new Map<string, readonly Component[]>();
  for (const [bundle, parts] of Object.entries(plain as Record<string, unknown>)) {
    const components = Object.entries((parts ?? {}) as Record<string, unknown>);
    if (components.length === 0) errors.push(`bundles.${bundle}: it has no component`);
    bundles.set(
      bundle,
      components.map(([sku, units]) => {
        const quantity = typeof units === 'number' ? Math.round(units * 1000) : Number.NaN;
        if (!Number.isSafeInteger(quantity) || quantity <= 0) {
          errors.push(`bundles.${bundle}.${sku}: units, more than 0`);
        }
        if (sku in (plain as object)) errors.push(`bundles.${bundle}.${sku}: is a bundle itself`);
        return { sku, quantity };
      }),
    );
  }
  return errors.length > 0 ? { errors } : { bundles };
}

/**
 * The lines as they are kept: bundles as their components, and lines of one SKU and location as one, so that two
 * lines that share a component are decided together.
 */
export function explodeLines(
  lines: readonly RequestLine[],
  bundles: Bundles,
): readonly RequestLine[] {
  const sums = new Map<string, RequestLine>();
  const add = (line: RequestLine): void => {
    const key = JSON.stringify([line.sku, line.location]);
    const quantity = (sums.get(key)?.quantity ?? 0) + line.quantity;
    sums.set(key, { ...line, quantity });
  };
  for (const line of lines) {
    const components = bundles.get(line.sku);
    if (components === undefined) add(line);
    for (const { sku, quantity } of components ?? []) {
      // Bundles are counted in whole thousandths as well; a component of less than that rounds up.
      add({ ...line, sku, quantity: Math.ceil((line.quantity * quantity) / 1000) });
    }
  }
  return [...sums.values()];
}
