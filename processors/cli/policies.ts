/** The channel policies: the ones that come with Stockline, or a file of the user's. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ChannelPolicy, parsePolicies } from '../channels/policy.ts';

const own = fileURLToPath(new URL('../channels/policies.json', import.meta.url));

export function loadPolicies(file: string = own): readonly ChannelPolicy[] {
  const parsed = parsePolicies(JSON.parse(readFileSync(file, 'utf8')));
  if ('errors' in parsed) {
    throw new Error(
      `the channel policies in ${file} are not right:\n  ${parsed.errors.join('\n  ')}`,
    );
  }
  return parsed.policies;
}
