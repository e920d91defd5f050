/** Is a webhook from whom it says? By the source's own way of signing, on the raw bytes. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Signing } from '../../webhooks/ports.ts';
import { webhookFault } from './signature.ts';

export type Believed = { readonly deliveryId: string; readonly event: string };

/** One header, once; an array or an empty one is none. */
function one(headers: IncomingHttpHeaders, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : headers[name.toLowerCase()];
  return typeof value === 'string' && value !== '' && value.length <= 200 ? value : undefined;
}

/** Undefined: not to be believed. `secrets`: any of them may have signed, so that one can be replaced. */
function believe(
  rules: Signing,
  secrets: readonly string[],
  headers: IncomingHttpHeaders,
  body: Buffer,
  nowMs: number,
): Believed | undefined {
  if (rules.kind === 'standardWebhooks') {
    if (webhookFault(secrets, headers, body, nowMs) !== undefined) return undefined;
    return { deliveryId: one(headers, 'webhook-id') ?? '', event: '' };
  }
  const given = one(headers, rules.header);
  if (given === undefined || !given.startsWith(rules.prefix)) return undefined;
  const text = given.slice(rules.prefix.length);
  const bytes = Buffer.from(text, rules.encoding);
  // What decodes to the same bytes is not the same text: only the form that the source writes is taken.
  if (bytes.length !== 32 || bytes.toString(rules.encoding) !== text) return undefined;
  const isSigned = secrets
    .map((secret) => timingSafeEqual(createHmac('sha256', secret).update(body).digest(), bytes))
    .some(Boolean);
  if (!isSigned) return undefined;
  // Headers are not signed, so the body itself names the delivery: with other headers it is the same one.
  const deliveryId = createHash('sha256').update(body).digest('hex');
  return { deliveryId, event: one(headers, rules.eventHeader) ?? '' };
}

/** By the name of a source; its secrets are read once. */
export function receiver(options: {
  readonly sources: readonly { readonly name: string; readonly signing: Signing }[];
  readonly secretsOf: (name: string) => readonly string[];
}): (source: string, headers: IncomingHttpHeaders, body: Buffer) => Believed | undefined {
  const known = new Map(
    options.sources.map(({ name, signing }) => [
      name,
      { signing, secrets: options.secretsOf(name) },
    ]),
  );
  return (name, headers, body) => {
    const source = known.get(name);
    if (source === undefined) return undefined;
    return believe(source.signing, source.secrets, headers, body, Date.now());
  };
}
