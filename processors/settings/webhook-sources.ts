/** The file that STOCKLINE_WEBHOOKS names: whose webhooks are taken, how they are signed, and what their JSON means. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { knownSources, type SourceMapping, type WebhookSource } from '../webhooks/source.ts';
import { readSettings, refuseTwice } from './settings-file.ts';

const pointer = z
  .string()
  .regex(/^(\/([^~/]|~[01])*)+$/, 'must be a JSON Pointer, such as /data/id');
const condition = z.strictObject({
  at: pointer,
  in: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional(),
});
const lines = z.strictObject({
  at: pointer,
  sku: pointer,
  quantity: pointer,
  location: pointer.optional(),
});
const event = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('order'),
    id: pointer,
    reference: pointer,
    version: pointer,
    lines,
    cancelled: condition.optional(),
    fulfilled: condition.optional(),
    always: z.enum(['cancelled', 'fulfilled']).optional(),
  }),
  z.strictObject({ is: z.literal('adjustment'), lines, reason: pointer.optional() }),
  z.strictObject({ is: z.literal('count'), lines, countedAt: pointer }),
  z.strictObject({ is: z.literal('nothing'), why: z.string() }),
]);
const signing = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('standardWebhooks') }),
  z.strictObject({
    kind: z.literal('bodyHash'),
    header: z.string().toLowerCase(),
    encoding: z.enum(['base64', 'hex']).default('hex'),
    prefix: z.string().default(''),
    eventHeader: z.string().toLowerCase().optional(),
  }),
]);
const secret = z.union([z.string().min(16), z.strictObject({ file: z.string() })]);
const source = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/, 'lower-case letters, digits and dashes'),
  kind: z.enum(['shopify', 'woocommerce', 'zigpoll', 'generic']),
  secrets: z.array(secret).min(1),
  channel: z.string().min(1).nullable().default(null),
  locations: z.array(z.string().min(1)).default([]),
  fulfilledBy: z.enum(['shop', 'erp']).default('erp'),
  signing: signing.optional(),
  eventAt: pointer.optional(),
  events: z.record(z.string(), event).default({}),
});
const shape = z.strictObject({ sources: z.array(source) });

export type WebhookSources = {
  readonly sources: readonly WebhookSource[];
  /** By the name of the source; read from their files only when asked for. */
  readonly secretsOf: (name: string) => readonly string[];
};

/** One error names every fault of the file. */
export function loadWebhookSources(file: string | undefined): WebhookSources {
  if (file === undefined) return { sources: [], secretsOf: () => [] };
  const { sources: told } = readSettings(file, shape, 'the sources of webhooks');
  refuseTwice(
    told.map(({ name }) => name),
    'source',
    file,
  );
  const secrets = new Map(told.map((one) => [one.name, one.secrets]));
  return {
    sources: told.map((one) => sourceOf(one, file)),
    secretsOf: (name) =>
      (secrets.get(name) ?? []).map((one) =>
        typeof one === 'string' ? one : readFileSync(one.file, 'utf8').trim(),
      ),
  };
}

/** What is known of its kind; what the file says of signing and of single events goes before it. */
function sourceOf(told: z.infer<typeof source>, file: string): WebhookSource {
  const { name, kind, channel, locations, fulfilledBy } = told;
  const known: Partial<SourceMapping> = kind === 'generic' ? {} : knownSources[kind];
  const signedBy = told.signing ?? known.signing;
  const events = { ...known.events, ...told.events } as SourceMapping['events'];
  if (signedBy === undefined || Object.keys(events).length === 0) {
    throw new Error(`${file}: source ${name} of kind generic needs signing and events`);
  }
  const eventAt = told.eventAt ?? known.eventAt;
  const inHeader = signedBy.kind === 'bodyHash' && signedBy.eventHeader !== undefined;
  if (eventAt === undefined && !inHeader) {
    throw new Error(`${file}: source ${name} needs eventAt, or eventHeader of its signing`);
  }
  return {
    ...{ name, channel, locations, fulfilledBy, events },
    signing: signedBy as SourceMapping['signing'],
    ...(eventAt === undefined ? {} : { eventAt }),
  };
}
