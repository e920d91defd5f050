/** Standard Webhooks signatures: what a receiver believes, checked by the specification's own library too. */
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { secretBox } from '../../processors/adapters/secret-box.ts';
import {
  newWebhookSecret,
  secretBytes,
  webhookFault,
  webhookHeaders,
} from '../../processors/adapters/webhooks/signature.ts';

const nowMs = 1_764_000_000_000;
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const other = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const body = '{"type":"stock.out","timestamp":"2026-01-01T00:00:00Z","data":{"sku":"A"}}';
const good = webhookHeaders([secret], 'msg_1', nowMs, body);
const at = (ms: number) => webhookHeaders([secret], 'msg_1', ms, body);
const bare = String(good['webhook-signature']).slice('v1,'.length);
const hmac = (text: string, key: Buffer | string = secretBytes(secret)): string =>
  createHmac('sha256', key).update(text).digest('base64');
const seconds = Math.floor(nowMs / 1000);
const withSignature = (text: string) => ({ ...good, 'webhook-signature': text });

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;
const attacks: readonly [name: string, headers: Headers, body?: string][] = [
  ['a changed body', good, body.replace('"A"', '"B"')],
  ['one blank more in the body', good, `${body} `],
  ['an empty body', good, ''],
  ['the same JSON written otherwise', good, JSON.stringify(JSON.parse(body), null, 1)],
  ['another id', { ...good, 'webhook-id': 'msg_2' }],
  ['another timestamp', { ...good, 'webhook-timestamp': String(seconds + 1) }],
  ['an old webhook sent again', at(nowMs - 6 * 60_000)],
  ['a webhook of the future', at(nowMs + 6 * 60_000)],
  ['a timestamp that is no number', { ...good, 'webhook-timestamp': `${seconds}abc` }],
  ['a timestamp in milliseconds', { ...good, 'webhook-timestamp': String(nowMs) }],
  ['a negative timestamp', { ...good, 'webhook-timestamp': `-${seconds}` }],
  ['no timestamp', { ...good, 'webhook-timestamp': undefined }],
  ['no id', { ...good, 'webhook-id': undefined }],
  ['no signature', { ...good, 'webhook-signature': undefined }],
  ['an empty signature', withSignature('v1,')],
  ['a signature by another secret', webhookHeaders([other], 'msg_1', nowMs, body)],
  ['a signature without its version', withSignature(bare)],
  ['a signature of an unknown version', withSignature(`v2,${bare}`)],
  ['a signature that claims to be of a public key', withSignature(`v1a,${bare}`)],
  ['a signature cut short', withSignature(`v1,${bare.slice(0, 20)}`)],
  ['a signature with something behind it', withSignature(`v1,${bare}AAAA`)],
  ['a signature in base64url', withSignature(`v1,${bare.replace(/[+/=]/g, '_')}_`)],
  ['a signature over the body alone', withSignature(`v1,${hmac(body)}`)],
  [
    'a signature by the text of the secret',
    withSignature(`v1,${hmac(`msg_1.${seconds}.${body}`, secret)}`),
  ],
  ['a signature with an empty secret', withSignature(`v1,${hmac(`msg_1.${seconds}.${body}`, '')}`)],
  [
    'a dot moved from the id into the body',
    {
      'webhook-id': `msg_1.${seconds}`,
      'webhook-timestamp': String(seconds),
      'webhook-signature': `v1,${hmac(`msg_1.${seconds}.${seconds}.${body}`)}`,
    },
  ],
  [
    'two signature headers',
    { ...good, 'webhook-signature': ['v1,a', String(good['webhook-signature'])] },
  ],
  [
    'the right signature behind thousands of others',
    withSignature(`${'v1,x '.repeat(5_000)}v1,${bare}`),
  ],
];

describe('signatures', () => {
  it('E3: at least 20 attacks are in the table', () => {
    expect(attacks.length).toBeGreaterThanOrEqual(20);
  });

  it.each(attacks)('E3: %s is not believed', (_name, headers, changed) => {
    expect(webhookFault([secret], headers, changed ?? body, nowMs)).toEqual(expect.any(String));
  });

  it('a webhook is believed as it was signed, as text and as bytes', () => {
    expect(webhookFault([secret], good, body, nowMs)).toBeUndefined();
    expect(webhookFault([secret], good, Buffer.from(body), nowMs + 60_000)).toBeUndefined();
  });

  it('while a secret is replaced, the old one and the new one are believed', () => {
    const both = webhookHeaders([other, secret], 'msg_1', nowMs, body);
    expect(webhookFault([secret], both, body, nowMs)).toBeUndefined();
    expect(webhookFault([other], both, body, nowMs)).toBeUndefined();
    expect(webhookFault([other, secret], good, body, nowMs)).toBeUndefined();
  });

  it('the library of Standard Webhooks believes what we sign', () => {
    const fresh = newWebhookSecret();
    const headers = webhookHeaders([other, fresh], 'msg_1', Date.now(), body);
    expect(new Webhook(fresh).verify(body, { ...headers })).toEqual(JSON.parse(body));
    expect(() => new Webhook(fresh).verify(`${body} `, { ...headers })).toThrow();
  });

  it.each([
    '',
    'whsec_',
    'whsec_short',
    `whsec_${'A'.repeat(200)}`,
    'whsec_no base64 at all, but long enough',
  ])('a secret that is none is refused: %s', (text) => {
    expect(() => secretBytes(text)).toThrow('a webhook secret is');
  });
});

describe('sealed secrets', () => {
  const box = secretBox('k'.repeat(32));

  it('open with the same key only, and not after a change', () => {
    const sealed = box.seal(secret);
    expect(sealed).not.toContain(secret.slice(6, 20));
    expect(box.open(sealed)).toBe(secret);
    expect(box.seal(secret)).not.toBe(sealed);
    expect(() => secretBox('x'.repeat(32)).open(sealed)).toThrow('another STOCKLINE_SECRET_KEY');
    const changed = `${sealed.slice(0, -2)}${sealed.endsWith('A') ? 'B' : 'A'}A`;
    expect(() => box.open(changed)).toThrow();
    expect(() => secretBox('short')).toThrow('at least 32');
  });
});
