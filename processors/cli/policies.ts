/** The channel policies: the ones that come with Stockline, or a file of the user's. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Guard } from '../channels/guard.ts';
import { type ChannelPolicy, type ParsedPolicies, parsePolicies } from '../channels/policy.ts';

const own = fileURLToPath(new URL('../channels/policies.json', import.meta.url));

export function loadPolicies(file?: string): readonly ChannelPolicy[] {
  return parsed(file).policies;
}

/** Undefined: everything is told at once. */
export function loadGuard(file?: string): Guard | undefined {
  return parsed(file).guard;
}

function parsed(file: string = own): Extract<ParsedPolicies, { readonly policies: unknown }> {
  const found = parsePolicies(JSON.parse(readFileSync(file, 'utf8')));
  if ('errors' in found) {
    throw new Error(
      `the channel policies in ${file} are not right:\n  ${found.errors.join('\n  ')}`,
    );
  }
  return found;
}
