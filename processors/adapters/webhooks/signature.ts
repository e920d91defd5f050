/** Standard Webhooks 1.0: signing and checking with HMAC-SHA-256 over `id.timestamp.body`, on the raw bytes. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const prefix = 'whsec_';
const secretBytesMin = 24;
const secretBytesMax = 64;
const toleranceMs = 5 * 60_000;
/** Whoever sends more signatures than a rotation needs wants us to compute. */
const signaturesMax = 10;

export function newWebhookSecret(): string {
  return prefix + randomBytes(32).toString('base64');
}

/** Throws a sentence when it is no secret of 24 to 64 bytes. */
export function secretBytes(secret: string): Buffer {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  if (!isBase64 || bytes.length < secretBytesMin || bytes.length > secretBytesMax) {
    throw new Error(
      `a webhook secret is "${prefix}" and ${secretBytesMin} to ${secretBytesMax} bytes in base64`,
    );
  }
  return bytes;
}

function signature(
  secret: Buffer,
  id: string,
  timestamp: string,
  body: string | Uint8Array,
): Buffer {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest();
}

/** The three headers; one signature per secret, so that a secret can be replaced without a gap. */
export function webhookHeaders(
  secrets: readonly string[],
  id: string,
  nowMs: number,
  body: string,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets
      .map((secret) => signature(secretBytes(secret), id, timestamp, body).toString('base64'))
      .map((text) => `v1,${text}`)
      .join(' '),
  };
}

/** Why a webhook is not to be believed; undefined when one of the secrets signed it, just now, as it is. */
export function webhookFault(
  secrets: readonly string[],
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string | Uint8Array,
  nowMs: number,
): string | undefined {
  const one = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const id = one('webhook-id');
  const timestamp = one('webhook-timestamp');
  const signatures = one('webhook-signature');
  if (id === undefined || timestamp === undefined || signatures === undefined) {
    return 'a webhook has exactly one id, timestamp and signature header';
  }
  if (id.includes('.')) return 'an id has no dot: it would blur what was signed';
  if (!/^\d{1,12}$/.test(timestamp)) return 'the timestamp is no number of seconds';
  if (Math.abs(nowMs - Number(timestamp) * 1000) > toleranceMs)
    return 'the timestamp is too far from now';
  const given = signatures.split(' ').slice(0, signaturesMax);
  const expected = secrets.map((secret) => signature(secretBytes(secret), id, timestamp, body));
  let isSigned = false;
  for (const text of given) {
    const [version, encoded, ...more] = text.split(',');
    if (version !== 'v1' || encoded === undefined || more.length > 0) continue;
    if (!/^[A-Za-z0-9+/]{43}=$/.test(encoded)) continue;
    const bytes = Buffer.from(encoded, 'base64');
    for (const own of expected) if (timingSafeEqual(own, bytes)) isSigned = true;
  }
  return isSigned ? undefined : 'no signature fits';
}
