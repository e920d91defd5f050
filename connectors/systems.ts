/** The source systems that this installation captures: a folder beside this file each, named by STOCKLINE_SYSTEMS. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SystemMapping } from '../processors/intake/mapping.ts';

const ofTheDemonstration = 'erp,pos';

export const systems: readonly SystemMapping[] = await Promise.all(
  (process.env.STOCKLINE_SYSTEMS ?? ofTheDemonstration)
    .split(',')
    .map((name) => loadMapping(name.trim())),
);

/** The mapping that `connectors/<system>/mapping.ts` exports, whether this installation captures it or not. */
export async function loadMapping(system: string): Promise<SystemMapping> {
  const file = fileURLToPath(new URL(`${system}/mapping.ts`, import.meta.url));
  if (!/^[a-z][a-z0-9-]*$/.test(system) || !existsSync(file)) {
    throw new Error(`there is no mapping of ${system}: connectors/${system}/mapping.ts is needed`);
  }
  const blanks = blanksIn(readFileSync(file, 'utf8'));
  if (blanks.length > 0) {
    throw new Error(
      `connectors/${system}/mapping.ts has ${blanks.length} blanks to fill in:\n${blanks.map((one) => `  ${one}`).join('\n')}`,
    );
  }
  const exported = (await import(`./${system}/mapping.ts`)) as Readonly<Record<string, unknown>>;
  const mapping = Object.values(exported).find(
    (one) => typeof one === 'object' && one !== null && 'documents' in one,
  );
  if (mapping === undefined) throw new Error(`${file} exports no mapping`);
  return mapping as SystemMapping;
}

/** What a draft asks, with its lines. */
function blanksIn(text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, at) =>
      [...line.matchAll(/\bblank\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/g)].map(
        ([, question = '']) => `line ${at + 1}: ${question.slice(1, -1)}`,
      ),
    );
}
