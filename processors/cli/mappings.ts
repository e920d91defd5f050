/** Mappings by name, for the command line: those in `connectors/`, whether this installation runs them or not. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { columnNames } from '../cdc/table.ts';
import { capturedTables, type SystemMapping } from '../intake/mapping.ts';
import type { WantedTable } from './source-findings.ts';

const folder = fileURLToPath(new URL('../../connectors', import.meta.url));

const connectorFile = (system: string, name: string): string => `${folder}/${system}/${name}`;

/** The mapping that `connectors/<system>/mapping.ts` exports. */
export async function loadMapping(system: string): Promise<SystemMapping> {
  const file = connectorFile(system, 'mapping.ts');
  if (!/^[a-z][a-z0-9-]*$/.test(system) || !existsSync(file)) {
    throw new Error(`there is no mapping of ${system}: connectors/${system}/mapping.ts is needed`);
  }
  const blanks = blanksIn(readFileSync(file, 'utf8'));
  if (blanks.length > 0) {
    throw new Error(
      `connectors/${system}/mapping.ts has ${blanks.length} blanks to fill in:\n${blanks.map((one) => `  ${one}`).join('\n')}`,
    );
  }
  const exported = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
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

/** What a mapping needs of the database. */
export function wantedTables(mapping: SystemMapping): readonly WantedTable[] {
  return capturedTables(mapping).map((table) => ({
    name: `${mapping.schema}.${table.name}`,
    primaryKey: table.primaryKey,
    columns: Object.entries(table.columns)
      .filter(([, column]) => typeof column === 'string' || column.absent === undefined)
      .map(([name, column]) => columnNames(name, column)),
  }));
}
