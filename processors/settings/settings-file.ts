/** A JSON file of settings, parsed at the border: one error names every fault, with its path. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** `what`: what the file is of, for people. */
export function readSettings<T>(file: string | undefined, shape: z.ZodType<T>, what: string): T {
  const plain: unknown = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'));
  const parsed = shape.safeParse(plain);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((one) => `${one.path.join('.')}: ${one.message}`);
  throw new Error(`${what} in ${file} are not right:\n  ${faults.join('\n  ')}`);
}

/** Throws when a name of the file is there twice. */
export function refuseTwice(
  names: readonly string[],
  what: string,
  file: string | undefined,
): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`${file}: ${what} ${twice} is there twice`);
}
