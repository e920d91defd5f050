/** Connectors as they shall be: the templates of connectors/<system>/connector.json, filled in and converged. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { convergeConnector, waitUntilRunning } from '../adapters/connect-rest.ts';

const connectorsFolder = fileURLToPath(new URL('../../connectors', import.meta.url));
const connectDeadlineMs = 60_000;

/** Values of the placeholders `${name}` in a template. Kafka Connect's own `${dir:...}` references stay as they are. */
export type Placeholders = Readonly<Record<string, string>>;

/** PostgreSQL: how the slot and the publication of a system are called. */
export const slotName = (system: string): string => `stockline_${system.replaceAll('-', '_')}`;

export function fillTemplate(template: string, values: Placeholders): Record<string, string> {
  const missing = new Set<string>();
  const text = template.replace(/\$\{([a-zA-Z]+)\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined) missing.add(name);
    return value ?? '';
  });
  if (missing.size > 0) {
    throw new Error(`the connector template needs values for: ${[...missing].join(', ')}`);
  }
  const parsed = JSON.parse(text) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, String(value)]));
}

/** A secret that only files know: made once, or as `given`, read by Kafka Connect through its directory provider. */
export function secret(directory: string, name: string, given?: string): string {
  const file = `${directory}/${name}`;
  if (given !== undefined || !existsSync(file)) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(file, given ?? randomBytes(24).toString('hex'), { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}

/** Registers or changes the connector of each system and waits until it runs. */
export async function applyConnectors(options: {
  readonly connectUrl: string;
  readonly systems: Readonly<Record<string, Placeholders>>;
  readonly report: (line: string) => void;
}): Promise<void> {
  await Promise.all(
    Object.entries(options.systems).map(async ([system, values]) => {
      const template = readFileSync(`${connectorsFolder}/${system}/connector.json`, 'utf8');
      const outcome = await convergeConnector(
        options.connectUrl,
        system,
        fillTemplate(template, values),
        { deadlineMs: connectDeadlineMs },
      );
      await waitUntilRunning(options.connectUrl, system, connectDeadlineMs);
      options.report(`connector ${system}: ${outcome}, running`);
    }),
  );
}
