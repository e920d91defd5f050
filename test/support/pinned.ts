/** Versions of the JVM parts, as connectors/pom.xml pins them. */
import { readFileSync } from 'node:fs';

const pom = readFileSync(new URL('../../connectors/pom.xml', import.meta.url), 'utf8');

/** Of a property such as `kafka.version`; empty when there is none. */
export const pinned = (property: string): string =>
  new RegExp(`<${property}>(.+)</${property}>`).exec(pom)?.[1] ?? '';
