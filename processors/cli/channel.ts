/** `stockline channel`: what other policies would publish, and levels that the mass-zero guard keeps. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { HeldLevel, StockLevel } from '../../schemas/types.ts';
import { writeToEveryPartition } from '../adapters/kafka/record-writer.ts';
import { type KafkaPlaces, readTopic } from '../adapters/kafka/topic-reader.ts';
import { type ChannelPolicy, type Shares, sharesWith } from '../channels/policy.ts';
import { type PolicyChange, policyChanges } from '../channels/preview.ts';
import { readKafkaPlaces } from '../settings/places.ts';
import { loadPolicies, policiesInForce } from '../settings/policies.ts';
import { channelPolicies, guardDecisions, heldLevels, stockLevels } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { layOut } from './screen.ts';

type Where = { readonly directory: string };
type Deciding = Where & { readonly by: string; readonly reason: string };

const directory = ['--directory <path>', 'where the running pipeline keeps its data'] as const;
const shownMax = 30;

export function channelCommand(): Command {
  const channel = new Command('channel').description('what each channel may sell');
  channel
    .command('preview')
    .description(
      'what the channels would publish by other policies, beside those in force, of the same stock',
    )
    .argument('<file>', 'channel policies, as STOCKLINE_POLICIES names them')
    .option('--json', 'every change, one JSON object per line', false)
    .option(...directory, '.stockline')
    .action(async (file: string, options: Where & { readonly json: boolean }) => {
      process.exitCode = await preview(file, options);
    });
  channel
    .command('apply')
    .description('publish by other policies from now on, without a restart; shows what changes')
    .argument('<file>', 'channel policies; what has changed needs a higher version')
    .requiredOption('--by <name>', 'who decides')
    .requiredOption('--reason <text>', 'why')
    .option(...directory, '.stockline')
    .action(async (file: string, options: Deciding) => {
      process.exitCode = await putInForce(file, options);
    });
  channel
    .command('policies')
    .description('the policies in force, quantities in thousandths')
    .option(...directory, '.stockline')
    .action(async (options: Where) => {
      process.exitCode = await listPolicies(options);
    });
  const quarantine = channel
    .command('quarantine')
    .description('levels that would sell out too much of a location at once');
  quarantine
    .command('list')
    .description('what is kept from the channels, by location')
    .option('--json', 'each level, one JSON object per line', false)
    .option(...directory, '.stockline')
    .action(async (options: Where & { readonly json: boolean }) => {
      process.exitCode = await listHeld(options);
    });
  for (const [verb, verdict, text] of [
    ['approve', 'approved', 'they are true: the channels publish them'],
    ['reject', 'rejected', 'the channels go by the earlier figures until stock tells others'],
  ] as const) {
    quarantine
      .command(verb)
      .description(text)
      .argument('<location>', 'as `quarantine list` names it')
      .requiredOption('--by <name>', 'who decides')
      .requiredOption('--reason <text>', 'why')
      .option(...directory, '.stockline')
      .action(async (location: string, options: Deciding) => {
        process.exitCode = await decideHeld(location, verdict, options);
      });
  }
  return channel;
}

async function preview(file: string, options: Where & { readonly json: boolean }): Promise<number> {
  const policies = loadPolicies(file);
  const places = readKafkaPlaces(process.env, options.directory);
  const inForce = await policiesInForce(places);
  const { changes, skus } = await changesBy(policies, inForce, places);
  if (options.json) {
    for (const change of changes) process.stdout.write(`${JSON.stringify(change)}\n`);
    return 0;
  }
  process.stdout.write(`${summary(policies, changes, skus)}\n`);
  return 0;
}

async function changesBy(
  policies: readonly ChannelPolicy[],
  inForce: readonly ChannelPolicy[],
  places: KafkaPlaces,
): Promise<{ readonly changes: readonly PolicyChange[]; readonly skus: number }> {
  const known = new Map<
    string,
    { sku: string; available: Record<string, number>; shares?: Shares | undefined }
  >();
  await readTopic(places, untyped(stockLevels), {
    onRecord: ({ value }) => {
      const level = value as StockLevel | undefined;
      if (level === undefined) return;
      const { sku, location } = level;
      const of = known.get(sku) ?? { sku, available: {} };
      of.available[location] = level.quantities.available;
      of.shares = sharesWith(of.shares, level);
      known.set(sku, of);
    },
  });
  return { changes: policyChanges(policies, inForce, known.values()), skus: known.size };
}

async function putInForce(file: string, options: Deciding): Promise<number> {
  const text = readFileSync(file, 'utf8');
  const policies = loadPolicies(file);
  const places = readKafkaPlaces(process.env, options.directory);
  const now = await policiesInForce(places);
  for (const policy of policies) {
    const known = now.find(({ channel }) => channel === policy.channel);
    if (known === undefined) {
      throw new Error(
        `channel ${policy.channel} is not published yet: put it into the file of STOCKLINE_POLICIES, \`stockline apply\`, and start channels again`,
      );
    }
    if (
      policy.version < known.version ||
      (policy.version === known.version && !isSame(policy, known))
    ) {
      throw new Error(
        `channel ${policy.channel} is at version ${known.version}: give what you have changed a higher one`,
      );
    }
  }
  const { changes, skus } = await changesBy(policies, now, places);
  process.stdout.write(`${summary(policies, changes, skus)}\n`);
  const { by: actor, reason } = options;
  const applied = { policies: JSON.stringify(JSON.parse(text)), actor, reason, at: Date.now() };
  await writeToEveryPartition(places, channelPolicies, 'policies', applied);
  process.stdout.write('in force: the channels publish by them from now on\n');
  return 0;
}

const isSame = (one: ChannelPolicy, other: ChannelPolicy): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

async function listPolicies(options: Where): Promise<number> {
  const policies = await policiesInForce(readKafkaPlaces(process.env, options.directory));
  process.stdout.write(`${JSON.stringify(policies, null, 2)}\n`);
  return 0;
}

function summary(
  policies: readonly ChannelPolicy[],
  changes: readonly PolicyChange[],
  skus: number,
): string {
  const units = (thousandths: number | null): string =>
    thousandths === null ? '-' : String(thousandths / 1_000);
  const of = policies.map(({ channel }) => {
    const own = changes.filter((change) => change.channel === channel);
    const soldOut = own.filter(({ now, next }) => (now ?? 0) > 0 && next === 0).length;
    const back = own.filter(({ now, next }) => (now ?? 0) === 0 && next > 0).length;
    return `${channel}: ${own.length} of ${skus} SKUs change, ${soldOut} sell out, ${back} come back`;
  });
  const rows = [...changes]
    .sort((one, other) => sizeOf(other) - sizeOf(one))
    .slice(0, shownMax)
    .map(({ channel, sku, now, next }) => [channel, sku, units(now), units(next)]);
  const more = changes.length - rows.length;
  return [
    ...of,
    ...(rows.length === 0 ? [] : layOut([['channel', 'sku', 'now', 'next'], ...rows])),
    ...(more > 0 ? [`and ${more} smaller ones (--json)`] : []),
  ].join('\n');
}

const sizeOf = ({ now, next }: PolicyChange): number => Math.abs(next - (now ?? 0));

async function listHeld(options: Where & { readonly json: boolean }): Promise<number> {
  const held = await heldNow(readKafkaPlaces(process.env, options.directory));
  if (options.json) {
    for (const level of held) process.stdout.write(`${JSON.stringify(level)}\n`);
    return 0;
  }
  const byLocation = new Map<string, HeldLevel[]>();
  for (const level of held) {
    byLocation.set(level.location, [...(byLocation.get(level.location) ?? []), level]);
  }
  const rows = [...byLocation].map(([location, levels]) => [
    location,
    String(levels.length),
    new Date(Math.min(...levels.map(({ heldAt }) => heldAt))).toISOString(),
    levels
      .slice(0, 5)
      .map(({ sku, shown }) => `${sku} (${shown / 1_000})`)
      .join(', '),
  ]);
  const head = ['location', 'kept', 'since', 'for example (still shown)'];
  process.stdout.write(
    rows.length === 0 ? 'nothing is kept\n' : `${layOut([head, ...rows]).join('\n')}\n`,
  );
  return 0;
}

async function decideHeld(
  location: string,
  verdict: 'approved' | 'rejected',
  { by: actor, reason, ...where }: Deciding,
): Promise<number> {
  const places = readKafkaPlaces(process.env, where.directory);
  const kept = (await heldNow(places)).filter((level) => level.location === location);
  if (kept.length === 0) {
    process.stderr.write(`nothing of ${location} is kept: \`stockline channel quarantine list\`\n`);
    return 1;
  }
  const decision = { location, verdict, actor, reason, at: Date.now() };
  await writeToEveryPartition(places, guardDecisions, location, decision);
  process.stdout.write(`${kept.length} levels of ${location} are ${verdict}\n`);
  return 0;
}

async function heldNow(places: KafkaPlaces): Promise<readonly HeldLevel[]> {
  const held = new Map<string, HeldLevel>();
  await readTopic(places, untyped(heldLevels), {
    onRecord: ({ key, value }) => {
      const { sku, location } = key as { readonly sku: string; readonly location: string };
      if (value === undefined) held.delete(`${sku}|${location}`);
      else held.set(`${sku}|${location}`, value as HeldLevel);
    },
  });
  return [...held.values()];
}

function untyped(topic: unknown): Topic<never, never> {
  return topic as Topic<never, never>;
}
