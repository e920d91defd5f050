/** `stockline webhook`: who is told of changes, with which secret, and telling again what was missed. */
import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import type { DeliveryRange, Subscription } from '../../schemas/types.ts';
import { urlFault } from '../adapters/address-guard.ts';
import { recordWriter } from '../adapters/kafka/record-writer.ts';
import { type KafkaPlaces, readTable } from '../adapters/kafka/topic-reader.ts';
import { secretBox } from '../adapters/secret-box.ts';
import { newWebhookSecret, secretBytes } from '../adapters/webhooks/signature.ts';
import { keyIn } from '../api/local-key.ts';
import { loadDeliverySettings } from '../settings/delivery.ts';
import { readKafkaPlaces } from '../settings/places.ts';
import { subscriptions } from '../topics.ts';
import { layOut } from './screen.ts';

type Where = { readonly directory: string };
type AddOptions = Where & {
  readonly channel: readonly string[];
  readonly sku: readonly string[];
  readonly event: readonly string[];
  readonly description: string;
  readonly secret?: string;
};

const directoryFlag = '--directory <path>';
const directoryText = 'where the running pipeline keeps its data';
const gathered = (one: string, before: readonly string[]): readonly string[] => [...before, one];

export function webhookCommand(): Command {
  const webhook = new Command('webhook').description(
    'webhooks about what each channel may sell (Standard Webhooks): add, list, remove, new secrets, tell again',
  );
  const verb = (usage: string, description: string): Command =>
    webhook
      .command(usage)
      .description(description)
      .option(directoryFlag, directoryText, '.stockline');
  verb('add <url>', 'a new receiver; prints its id and its secret, which is shown this once')
    .option('--channel <name>', 'only this channel; may be repeated', gathered, [])
    .option('--sku <sku>', 'only this SKU; may be repeated', gathered, [])
    .option(
      '--event <name>',
      'stock.changed, stock.out, stock.low, stock.in; may be repeated',
      gathered,
      [],
    )
    .option('--description <text>', 'for people', '')
    .option(
      '--secret <secret>',
      'one that the receiver has already: whsec_ and 24 to 64 bytes in base64',
    )
    .action(add);
  verb('list', 'every receiver').option('--json', 'one JSON object per line').action(list);
  verb('remove <id>', 'it is told nothing more').action(remove);
  verb('pause <id>', 'it is told nothing until `resume`; then the newest figures').action(
    (id: string, options: Where) => change(options, id, (known) => ({ ...known, active: false })),
  );
  verb('resume <id>', 'after a pause, or after it answered 410').action(
    (id: string, options: Where) =>
      change(options, id, (known) => ({ ...known, active: true, inactiveReason: '' })),
  );
  verb('rotate <id>', 'a new secret beside the old one: both sign, until `--finish`')
    .option('--finish', 'the receiver knows the new one: only the newest signs from now on')
    .action(rotate);
  verb('test <id>', 'send a test event').action((id: string, options: Where) =>
    change(options, id, (known) => ({ ...known, request: requested('test', []) })),
  );
  verb(
    'replay <id> <deliveries...>',
    'tell the newest figure again of what was delivered as number 17, or in 20-40; and of all that was given up',
  ).action((id: string, texts: readonly string[], options: Where) => {
    const ranges = texts.map(rangeOf);
    return change(options, id, (known) => ({ ...known, request: requested('replay', ranges) }));
  });
  return webhook;
}

function rangeOf(text: string): DeliveryRange {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('a number such as 17, or a range such as 20-40.');
  const from = Number(match[1]);
  return { from, to: Number(match[2] ?? from) };
}

export const requested = (
  kind: 'test' | 'replay',
  ranges: readonly DeliveryRange[],
): NonNullable<Subscription['request']> => ({
  id: randomBytes(9).toString('base64url'),
  kind,
  ranges,
});

const placesFor = ({ directory }: Where): KafkaPlaces => readKafkaPlaces(process.env, directory);
const keyFor = ({ directory }: Where): string =>
  process.env.STOCKLINE_SECRET_KEY ?? keyIn(`${directory}/run/secret.key`);

async function write(places: KafkaPlaces, id: string, value: Subscription | null): Promise<void> {
  const writer = await recordWriter(places, subscriptions);
  try {
    if (value === null) await writer.end(id);
    else await writer.write(id, value);
  } finally {
    await writer.close();
  }
}

/** A subscription to what is asked for, with its secret sealed. */
export function newSubscription(
  key: string,
  secret: string,
  of: Pick<Subscription, 'url' | 'channels' | 'skus' | 'events' | 'description'>,
): Subscription {
  return {
    ...of,
    id: `wh_${randomBytes(9).toString('hex')}`,
    active: true,
    inactiveReason: '',
    sealedSecrets: [secretBox(key).seal(secret)],
    request: null,
    changedAt: Date.now(),
  };
}

async function add(url: string, options: AddOptions): Promise<void> {
  const { webhooks } = loadDeliverySettings(process.env.STOCKLINE_DELIVERY);
  const fault = urlFault(url, webhooks.addresses);
  if (fault !== undefined) throw new Error(`webhooks are not sent to ${url}: ${fault}`);
  const secret = options.secret ?? newWebhookSecret();
  secretBytes(secret);
  const { channel: channels, sku: skus, event: events, description } = options;
  const added = newSubscription(keyFor(options), secret, {
    url,
    channels,
    skus,
    events,
    description,
  });
  await write(placesFor(options), added.id, added);
  process.stdout.write(
    `${layOut([
      ['id', added.id],
      ['secret', secret],
    ]).join('\n')}\n`,
  );
}

async function list(options: Where & { readonly json?: true }): Promise<void> {
  const all = [...(await readTable(placesFor(options), subscriptions)).values()];
  if (options.json === true) {
    for (const { sealedSecrets, ...rest } of all) {
      process.stdout.write(`${JSON.stringify({ ...rest, secrets: sealedSecrets.length })}\n`);
    }
    return;
  }
  if (all.length === 0) return void process.stdout.write('no webhooks\n');
  const rows = all.map((one) => [
    one.id,
    one.active ? 'active' : `inactive ${one.inactiveReason}`.trim(),
    one.channels.join(',') || 'all channels',
    one.events.join(',') || 'all events',
    `${one.sealedSecrets.length} secret${one.sealedSecrets.length === 1 ? '' : 's'}`,
    one.url,
  ]);
  process.stdout.write(`${layOut(rows).join('\n')}\n`);
}

async function known(places: KafkaPlaces, id: string): Promise<Subscription> {
  const found = (await readTable(places, subscriptions)).get(id);
  if (found !== undefined) return found;
  throw new Error(`no webhook has the id ${id}: \`stockline webhook list\` names them`);
}

async function remove(id: string, options: Where): Promise<void> {
  const places = placesFor(options);
  await known(places, id);
  await write(places, id, null);
}

async function change(
  options: Where,
  id: string,
  changed: (known: Subscription) => Subscription,
): Promise<void> {
  const places = placesFor(options);
  const before = await known(places, id);
  await write(places, id, { ...changed(before), changedAt: Date.now() });
}

async function rotate(id: string, options: Where & { readonly finish?: true }): Promise<void> {
  if (options.finish === true) {
    await change(options, id, (before) => ({
      ...before,
      sealedSecrets: before.sealedSecrets.slice(0, 1),
    }));
    return;
  }
  const secret = newWebhookSecret();
  const sealed = secretBox(keyFor(options)).seal(secret);
  await change(options, id, (before) => ({
    ...before,
    sealedSecrets: [sealed, ...before.sealedSecrets.slice(0, 1)],
  }));
  process.stdout.write(
    `${layOut([
      ['id', id],
      ['secret', secret],
    ]).join('\n')}\n`,
  );
}
