/** The channel policies: the ones that come with Stockline, or a file of the user's. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type KafkaPlaces, readTable } from '../adapters/kafka/topic-reader.ts';
import type { Guard } from '../channels/guard.ts';
import { withApplied } from '../channels/in-force.ts';
import type { ChannelPolicy } from '../channels/policy.ts';
import { type ParsedPolicies, parsePolicies } from '../channels/policy-file.ts';
import { channelPolicies } from '../topics.ts';

const own = fileURLToPath(new URL('../channels/policies.json', import.meta.url));

export function loadPolicies(file?: string): readonly ChannelPolicy[] {
  return parsed(file).policies;
}

/** Undefined: everything is told at once. */
export function loadGuard(file?: string): Guard | undefined {
  return parsed(file).guard;
}

/** The file's, or what a person has put in force since, as the channels publish by them. */
export async function policiesInForce(
  places: KafkaPlaces,
  file = process.env.STOCKLINE_POLICIES,
): Promise<readonly ChannelPolicy[]> {
  const applied = [...(await readTable(places, channelPolicies)).values()];
  const text = applied.at(-1)?.policies ?? '';
  return withApplied(loadPolicies(file), text);
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
