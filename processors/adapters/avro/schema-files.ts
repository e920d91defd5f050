/** Our schemas as they lie in schemas/. */
import { readFileSync } from 'node:fs';

const cache = new Map<string, unknown>();

/** The schema `name`.avsc as parsed JSON. */
export function schemaFile(name: string): unknown {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const file = new URL(`../../../schemas/${name}.avsc`, import.meta.url);
  const schema: unknown = JSON.parse(readFileSync(file, 'utf8'));
  cache.set(name, schema);
  return schema;
}
