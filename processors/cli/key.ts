/** `stockline key`: clients of the API; what each may do, new secrets, and the end of it. */
import { userInfo } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { ApiKey } from '../../schemas/types.ts';
import { writeRecord } from '../adapters/kafka/record-writer.ts';
import { type KafkaPlaces, readTable } from '../adapters/kafka/topic-reader.ts';
import { scope, scopes } from '../api/access.ts';
import { createKey, type KeyChange, type MadeKey, revokeKey, rotateKey } from '../api/keys.ts';
import { readKafkaPlaces } from '../settings/places.ts';
import { apiKeys } from '../topics.ts';
import { layOut } from './screen.ts';

type Where = { readonly directory: string };
type Changing = Where & { readonly by: string; readonly reason: string };
type CreateOptions = Changing & {
  readonly scope: readonly string[];
  readonly days?: number;
  readonly perMinute?: number;
};

const dayMs = 86_400_000;
const hourMs = 3_600_000;

export function keyCommand(): Command {
  const key = new Command('key').description(
    'keys of the API: create, list, rotate, revoke; each change is in the audit',
  );
  const verb = (usage: string, description: string): Command =>
    key
      .command(usage)
      .description(description)
      .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline');
  const changing = (usage: string, description: string): Command =>
    verb(usage, description)
      .option('--by <name>', 'who does it', userInfo().username)
      .option('--reason <text>', 'why', '');
  changing('create <name>', 'prints the id and the key, which is shown this once')
    .requiredOption(
      '--scope <scope>',
      `what it may do, may be repeated: ${scopes.join(', ')}; at one channel or location only: stock:read@web`,
      gatheredScopes,
    )
    .option('--days <n>', 'it ends after so many days', positive)
    .option('--per-minute <n>', "its own quota instead of the installation's", positive)
    .action(create);
  verb('list', 'every key, without its secret')
    .option('--json', 'one JSON object per line')
    .action(list);
  changing('rotate <id>', 'a new secret; the one before is taken for a while')
    .option('--overlap-hours <n>', 'so long', notNegative, 24)
    .action(rotate);
  changing('revoke <id>', 'it is not taken any more, from now on').action(revoke);
  return key;
}

function gatheredScopes(text: string, before: readonly string[] = []): readonly string[] {
  const parsed = scope.safeParse(text);
  if (parsed.success) return [...before, text];
  throw new InvalidArgumentError(`It ${parsed.error.issues[0]?.message}.`);
}

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number above 0.');
}

function notNegative(text: string): number {
  if (/^\d{1,6}(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A number of hours.');
}

const placesFor = ({ directory }: Where): KafkaPlaces => readKafkaPlaces(process.env, directory);
const changeBy = ({ by: actor, reason }: Changing): KeyChange => ({
  actor,
  reason,
  atMs: Date.now(),
});

function show({ key, token }: MadeKey): void {
  const rows = [
    ['id', key.id],
    ['key', token],
  ];
  process.stdout.write(`${layOut(rows).join('\n')}\n`);
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { days, perMinute } = options;
  const by = changeBy(options);
  const endsAt = days === undefined ? null : by.atMs + days * dayMs;
  const of = { name, scopes: options.scope, requestsPerMinute: perMinute ?? null };
  const made = createKey(of, by, endsAt);
  await writeRecord(placesFor(options), apiKeys, made.key.id, made.key);
  show(made);
}

async function rotate(
  id: string,
  options: Changing & { readonly overlapHours: number },
): Promise<void> {
  const places = placesFor(options);
  const made = rotateKey(await valid(places, id), changeBy(options), options.overlapHours * hourMs);
  await writeRecord(places, apiKeys, made.key.id, made.key);
  show(made);
}

async function revoke(id: string, options: Changing): Promise<void> {
  const places = placesFor(options);
  const revoked = revokeKey(await valid(places, id), changeBy(options));
  await writeRecord(places, apiKeys, id, revoked);
  process.stdout.write(`${id} is not taken any more\n`);
}

async function valid(places: KafkaPlaces, id: string): Promise<ApiKey> {
  const found = (await readTable(places, apiKeys)).get(id);
  if (found === undefined) {
    throw new Error(`no key has the id ${id}: \`stockline key list\` names them`);
  }
  if (found.action === 'revoked') throw new Error(`${id} has been revoked already`);
  return found;
}

async function list(options: Where & { readonly json?: true }): Promise<void> {
  const all = [...(await readTable(placesFor(options), apiKeys)).values()];
  if (options.json === true) {
    for (const { secrets, ...rest } of all) {
      const endsAt = secrets.map((one) => one.endsAt);
      process.stdout.write(`${JSON.stringify({ ...rest, secrets: endsAt.length, endsAt })}\n`);
    }
    return;
  }
  if (all.length === 0) return void process.stdout.write('no keys\n');
  const rows = all.map((key) => [
    key.id,
    key.name,
    stateOf(key, Date.now()),
    key.scopes.join(' '),
    key.requestsPerMinute === null ? '' : `${key.requestsPerMinute} a minute`,
  ]);
  process.stdout.write(
    `${layOut([['id', 'name', 'state', 'may', 'quota'], ...rows]).join('\n')}\n`,
  );
}

/** `secrets` has none once it is revoked; its first is the newest. */
function stateOf({ secrets: [newest], action }: ApiKey, nowMs: number): string {
  if (newest === undefined) return 'revoked';
  if (newest.endsAt === null) return action === 'rotated' ? 'valid, rotated' : 'valid';
  const day = new Date(newest.endsAt).toISOString().slice(0, 10);
  return newest.endsAt > nowMs ? `until ${day}` : `ended ${day}`;
}
