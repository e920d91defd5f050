/** The file that STOCKLINE_DELIVERY names: accounts at marketplaces, and how webhooks are sent. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type AddressRules, publicOnly } from '../adapters/address-guard.ts';
import type { AccountAccess } from '../adapters/marketplaces/accounts.ts';
import type { Limits } from '../delivery/calls.ts';
import { ordinaryWebhookRules, type WebhookRules } from '../delivery/endpoint.ts';
import { limitsOf } from '../delivery/marketplace-limits.ts';
import { readSettings, refuseTwice } from './settings-file.ts';

export type DeliverySettings = {
  readonly accounts: readonly {
    readonly id: string;
    readonly channel: string;
    readonly limits: Limits;
    readonly access: AccountAccess;
  }[];
  readonly webhooks: {
    readonly rules: WebhookRules;
    readonly addresses: AddressRules;
    readonly timeoutMs: number;
  };
};

/** A secret: itself, or the file that holds it. */
const secret = z.union([
  z.string().min(1),
  z.object({ file: z.string() }).transform(({ file }) => readFileSync(file, 'utf8').trim()),
]);
const whole = z.number().int().positive();
const seconds = z.array(z.number().nonnegative()).min(1);

const ofAll = {
  id: z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and dashes'),
  channel: z.string().min(1),
  url: z.url().transform((url) => url.replace(/\/+$/, '')),
  limits: z
    .strictObject({
      callsPerSecond: z.number().positive().optional(),
      burst: whole.optional(),
      settleSeconds: z.number().positive().optional(),
      readBackOneOf: z.number().int().nonnegative().optional(),
      overtake: z.boolean().optional(),
    })
    .optional(),
};
const refreshed = {
  tokenUrl: z.url(),
  clientId: secret,
  clientSecret: secret,
  refreshToken: secret,
};
const account = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('amazon'),
    seller: z.string().min(1),
    marketplace: z.string().min(1),
    ...ofAll,
    ...refreshed,
  }),
  z.strictObject({ kind: z.literal('ebay'), ...ofAll, ...refreshed }),
  z.strictObject({ kind: z.literal('shop'), token: secret, ...ofAll }),
]);

const shape = z.strictObject({
  accounts: z.array(account).default([]),
  webhooks: z
    .strictObject({
      attemptsSeconds: seconds.optional(),
      checkpointsSeconds: seconds.optional(),
      timeoutSeconds: z.number().positive().default(15),
      concurrent: whole.default(ordinaryWebhookRules.concurrent),
      openSeconds: z.number().positive().optional(),
      ports: z.array(whole).default([...publicOnly.ports]),
      allow: z.array(z.string()).default([]),
      allowHttp: z.boolean().default(false),
    })
    .prefault({}),
});

const inMs = (some: readonly number[] | undefined): readonly number[] | undefined =>
  some?.map((one) => Math.round(one * 1000));

export function loadDeliverySettings(file: string | undefined): DeliverySettings {
  const { accounts, webhooks } = readSettings(file, shape, 'the settings of delivery');
  refuseTwice(
    accounts.map(({ id }) => id),
    'account',
    file,
  );
  const { attemptsSeconds, checkpointsSeconds, openSeconds, timeoutSeconds } = webhooks;
  const { concurrent, ports, allow, allowHttp } = webhooks;
  return {
    accounts: accounts.map(({ id, channel, limits, ...access }) => ({
      id,
      channel,
      limits: limitsOf(access.kind, limits),
      access,
    })),
    webhooks: {
      rules: {
        ...ordinaryWebhookRules,
        attemptsMs: inMs(attemptsSeconds) ?? ordinaryWebhookRules.attemptsMs,
        checkpointsMs: inMs(checkpointsSeconds) ?? ordinaryWebhookRules.checkpointsMs,
        openMs: openSeconds === undefined ? ordinaryWebhookRules.openMs : openSeconds * 1000,
        concurrent,
      },
      addresses: { ports, allow, allowHttp },
      timeoutMs: timeoutSeconds * 1000,
    },
  };
}
