/** Webhooks at the door: whose signature is believed, what is durable before it is acknowledged. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { receiver } from '../../processors/adapters/webhooks/received.ts';
import { webhookHeaders } from '../../processors/adapters/webhooks/signature.ts';
import type { Signing } from '../../processors/webhooks/ports.ts';
import type { Webhook } from '../../schemas/types.ts';
import { sampleServer } from './samples.ts';

const secret = 'a-secret-of-the-shop-0123456789';
const standardSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const body = '{"id": 1,  "line_items":[]}';
const shopify: Signing = {
  kind: 'bodyHash',
  header: 'x-shopify-hmac-sha256',
  encoding: 'base64',
  prefix: '',
  eventHeader: 'x-shopify-topic',
};
const github: Signing = {
  kind: 'bodyHash',
  header: 'x-hub-signature-256',
  encoding: 'hex',
  prefix: 'sha256=',
  eventHeader: 'x-github-event',
};
const secrets: Readonly<Record<string, readonly string[]>> = {
  shop: [secret, 'the-secret-before-0123456789'],
  hub: [secret],
  poll: [standardSecret],
};
const hash = (text: string, by = secret) => createHmac('sha256', by).update(text).digest();

async function door(write: (webhook: Webhook) => Promise<void> = async () => {}) {
  const taken: Webhook[] = [];
  const believe = receiver({
    sources: [
      { name: 'shop', signing: shopify },
      { name: 'hub', signing: github },
      { name: 'poll', signing: { kind: 'standardWebhooks' } },
    ],
    secretsOf: (name) => secrets[name] ?? [],
  });
  const { server } = await sampleServer(undefined, {
    webhooks: {
      believe,
      write: async (webhook) => {
        await write(webhook);
        taken.push(webhook);
      },
    },
  });
  const post = (
    source: string,
    headers: Readonly<Record<string, string>>,
    payload: string | Buffer = body,
  ) =>
    server.inject({
      method: 'POST',
      url: `/v1/webhooks/${source}`,
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    });
  return { server, taken, post };
}

const signed = {
  'x-shopify-hmac-sha256': hash(body).toString('base64'),
  'x-shopify-topic': 'orders/create',
};

type Attack = readonly [
  name: string,
  source: string,
  headers: () => Readonly<Record<string, string>>,
  payload?: string,
];

describe('webhooks at the door', () => {
  it('W1: are stored byte by byte before they are acknowledged, in each way of signing', async () => {
    const { server, taken, post } = await door();
    const nowMs = Date.now();
    const answers = [
      await post('shop', signed),
      await post('shop', {
        'x-shopify-hmac-sha256': hash(body, 'the-secret-before-0123456789').toString('base64'),
      }),
      await post('hub', { 'x-hub-signature-256': `sha256=${hash(body).toString('hex')}` }),
      await post('poll', webhookHeaders([standardSecret], 'msg_1', nowMs, body)),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    expect(taken.map((one) => Buffer.from(one.body).toString())).toEqual([body, body, body, body]);
    expect(taken.map(({ event }) => event)).toEqual(['orders/create', '', '', '']);
    expect(taken[3]?.deliveryId).toBe('msg_1');
    await server.close();
  });

  it('are the same delivery when the same body comes with other headers', async () => {
    const { server, taken, post } = await door();
    await post('shop', { ...signed, 'x-shopify-webhook-id': 'a' });
    await post('shop', { ...signed, 'x-shopify-webhook-id': 'b' });
    expect(new Set(taken.map(({ deliveryId }) => deliveryId)).size).toBe(1);
    await server.close();
  });

  it('are taken whatever type they say they have, and kept as bytes that are no text', async () => {
    const { server, taken, post } = await door();
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const signature = createHmac('sha256', secret).update(bytes).digest('base64');
    const headers = { 'x-shopify-hmac-sha256': signature, 'content-type': 'text/plain' };
    expect((await post('shop', headers, bytes)).statusCode).toBe(200);
    expect(Buffer.from(taken[0]?.body ?? [])).toEqual(bytes);
    await server.close();
  });

  it('are asked for again when the broker does not take them', async () => {
    const { server, post } = await door(async () => {
      throw new Error('away');
    });
    const answer = await post('shop', signed);
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '10']);
    await server.close();
  });

  const now = () => Date.now();
  const old = 6 * 60_000;
  const attacks: readonly Attack[] = [
    ['no signature', 'shop', () => ({})],
    ['an empty signature', 'shop', () => ({ 'x-shopify-hmac-sha256': '' })],
    ['a source that does not exist', 'nobody', () => signed],
    ['a source that every object has', '__proto__', () => signed],
    [
      'another secret',
      'shop',
      () => ({ 'x-shopify-hmac-sha256': hash(body, 'guessed').toString('base64') }),
    ],
    [
      'an empty secret',
      'shop',
      () => ({ 'x-shopify-hmac-sha256': hash(body, '').toString('base64') }),
    ],
    ['a body that was changed', 'shop', () => signed, body.replace('1', '2')],
    ['a body that was only laid out anew', 'shop', () => signed, JSON.stringify(JSON.parse(body))],
    [
      'half a signature',
      'shop',
      () => ({ 'x-shopify-hmac-sha256': hash(body).subarray(0, 16).toString('base64') }),
    ],
    [
      'a signature and more',
      'shop',
      () => ({ 'x-shopify-hmac-sha256': `${hash(body).toString('base64')}AA` }),
    ],
    [
      'hex where base64 is written',
      'shop',
      () => ({ 'x-shopify-hmac-sha256': hash(body).toString('hex') }),
    ],
    ['the secret of another source', 'poll', () => signed],
    ['the header of another source', 'hub', () => signed],
    ['without its prefix', 'hub', () => ({ 'x-hub-signature-256': hash(body).toString('hex') })],
    [
      'capital letters',
      'hub',
      () => ({ 'x-hub-signature-256': `sha256=${hash(body).toString('hex').toUpperCase()}` }),
    ],
    [
      'an old one once more',
      'poll',
      () => webhookHeaders([standardSecret], 'msg_1', now() - old, body),
    ],
    [
      'one from the future',
      'poll',
      () => webhookHeaders([standardSecret], 'msg_1', now() + old, body),
    ],
    [
      'another id than was signed',
      'poll',
      () => ({ ...webhookHeaders([standardSecret], 'msg_1', now(), body), 'webhook-id': 'msg_2' }),
    ],
    [
      'another time than was signed',
      'poll',
      () => ({
        ...webhookHeaders([standardSecret], 'msg_1', now() - old, body),
        'webhook-timestamp': String(Math.floor(now() / 1000)),
      }),
    ],
    [
      'a signature of another version',
      'poll',
      () => {
        const all = webhookHeaders([standardSecret], 'msg_1', now(), body);
        return {
          ...all,
          'webhook-signature': String(all['webhook-signature']).replace('v1,', 'v2,'),
        };
      },
    ],
  ];

  it.each(attacks.map((attack) => ({ name: attack[0], attack })))(
    'are refused with $name',
    async ({ attack: [, source, headers, payload = body] }) => {
      const { server, taken, post } = await door();
      const answer = await post(source, headers(), payload);
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'SIGNATURE_INVALID']);
      expect(taken).toEqual([]);
      await server.close();
    },
  );

  it('are refused when they are too large, before anything is computed', async () => {
    const { server, taken, post } = await door();
    expect((await post('shop', signed, 'x'.repeat(1_100_000))).statusCode).toBe(413);
    expect(taken).toEqual([]);
    await server.close();
  });

  it('open no other door: without a key nothing else answers', async () => {
    const { server } = await door();
    for (const url of [
      '/v1/webhooks/../stock/A',
      '/v1/webhooks/%2e%2e/stock/A',
      '/v1/webhooks/',
      '/v1/webhooks/shop/x',
    ]) {
      const { statusCode } = await server.inject({ url, headers: signed });
      expect([401, 404, 405]).toContain(statusCode);
    }
    await server.close();
  });
});
