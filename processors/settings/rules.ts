/** Rules of stock and bundles of one installation: a file of the user's, or none. */
import { readFileSync } from 'node:fs';
import { noBundles, parseBundles } from '../carts/bundles.ts';
import { noRules, parseStockRules } from '../stock/rules.ts';
import type { Rules } from '../topologies.ts';

export const ordinaryRules: Rules = { stock: noRules, bundles: noBundles };

/** Reads `{ "stock": { ... }, "bundles": { ... } }`, both optional; one error names every fault. */
export function loadRules(file: string | undefined): Rules {
  if (file === undefined) return ordinaryRules;
  const plain = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly stock?: unknown;
    readonly bundles?: unknown;
  };
  const stock = parseStockRules(plain.stock ?? {});
  const bundles = parseBundles(plain.bundles ?? {});
  const errors = [stock, bundles].flatMap((parsed) => ('errors' in parsed ? parsed.errors : []));
  if ('errors' in stock || 'errors' in bundles) {
    throw new Error(`the rules in ${file} are not right:\n  ${errors.join('\n  ')}`);
  }
  return { stock: stock.rules, bundles: bundles.bundles };
}
