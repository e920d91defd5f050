/** Who is let in, and to what: keys, tokens, scopes, quotas. Each attack is a test of its own. */
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticateBy } from '../../processors/api/authenticate.ts';
import { createKey, KeyRing, revokeKey, rotateKey } from '../../processors/api/keys.ts';
import { quotas } from '../../processors/api/quota.ts';
import { issuerKeys, tokenReader } from '../../processors/api/token.ts';
import {
  audience,
  claims,
  ec,
  issuer,
  keyAttacks,
  localKey,
  rsa,
  signed,
  tokenAttacks,
} from './forged.ts';
import { sampleServer } from './samples.ts';

const by = { actor: 'maria', reason: 'for the test', atMs: Date.now() };
const hourMs = 3_600_000;

let published: Server;
let keysUrl = '';
beforeAll(async () => {
  const keys = [
    { ...(await exportJWK(rsa.publicKey)), kid: 'r1', alg: 'RS256', use: 'sig' },
    { ...(await exportJWK(ec.publicKey)), kid: 'e1', alg: 'ES256', use: 'sig' },
  ];
  published = createHttpServer((_, to) => to.end(JSON.stringify({ keys })));
  await new Promise<void>((resolve) => published.listen(0, '127.0.0.1', resolve));
  keysUrl = `http://127.0.0.1:${(published.address() as AddressInfo).port}/jwks`;
});
afterAll(() => published.close());

async function guarded(perMinute = 1_000) {
  const keys = new KeyRing();
  const give = (scopes: readonly string[], requestsPerMinute: number | null = null) => {
    const made = createKey({ name: 'n', scopes, requestsPerMinute }, by);
    keys.take(made.key.id, made.key);
    return made;
  };
  const readToken = tokenReader(issuerKeys(keysUrl), {
    issuer,
    audience,
    algorithms: ['RS256', 'ES256'],
  });
  const authenticate = authenticateBy({ localKey, keys, isRestored: () => true, readToken });
  const sample = await sampleServer(undefined, { authenticate, quota: quotas(perMinute) });
  const get = (authorization: string | undefined, url = '/v1/stock/A', more = {}) =>
    sample.server.inject({
      url,
      headers: { ...(authorization === undefined ? {} : { authorization }), ...more },
    });
  const send = (token: string, url: string, payload: object, method: 'POST' | 'PUT' = 'POST') =>
    sample.server.inject({
      method,
      url,
      payload,
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': 'k1' },
    });
  return { ...sample, keys, give, get, send };
}

describe('access to the API', () => {
  it('L3: lets in by the local key, by a key that was given out and by a token of the issuer', async () => {
    const { server, get, give } = await guarded();
    const { token } = give(['stock:read']);
    for (const good of [
      localKey,
      token,
      await signed(claims()),
      await signed(claims(), { alg: 'ES256', kid: 'e1' }, ec.privateKey),
    ]) {
      expect((await get(`Bearer ${good}`)).statusCode).toBe(200);
    }
    await server.close();
  });

  it.each([...keyAttacks, ...tokenAttacks])(
    'L3: refuses %s, and does not say why',
    async (_, attack) => {
      const { server, get, asked } = await guarded();
      const answer = await get(await attack());
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'UNAUTHENTICATED']);
      expect(answer.json().detail).toBe('send Authorization: Bearer <key or token> that is valid');
      expect(asked).toEqual([]);
      await server.close();
    },
  );

  it('L3: takes a rotated key beside the new one until its time is over, and neither once revoked', async () => {
    const { server, get, keys, give } = await guarded();
    const first = give(['stock:read']);
    const second = rotateKey(first.key, { ...by, atMs: Date.now() }, hourMs);
    keys.take(second.key.id, second.key);
    const status = async (token: string) => (await get(`Bearer ${token}`)).statusCode;
    expect(await Promise.all([first.token, second.token].map(status))).toEqual([200, 200]);
    const over = rotateKey(first.key, { ...by, atMs: Date.now() - 2 * hourMs }, hourMs);
    keys.take(over.key.id, over.key);
    expect(await Promise.all([first.token, over.token].map(status))).toEqual([401, 200]);
    keys.take(over.key.id, revokeKey(over.key, by));
    expect(await Promise.all([first.token, over.token].map(status))).toEqual([401, 401]);
    await server.close();
  });

  it('refuses a key after its last day, and one key with the secret of another', async () => {
    const { server, get, keys, give } = await guarded();
    const ended = createKey({ name: 'n', scopes: [], requestsPerMinute: null }, by, Date.now() - 1);
    keys.take(ended.key.id, ended.key);
    expect((await get(`Bearer ${ended.token}`)).statusCode).toBe(401);
    const [one, other] = [give(['stock:read']), give(['stock:write'])];
    const crossed = one.token.replace(one.key.id, other.key.id);
    expect((await get(`Bearer ${crossed}`)).statusCode).toBe(401);
    await server.close();
  });

  it('says that keys are being read while they are, instead of refusing a good one', async () => {
    const ways = { localKey, keys: new KeyRing(), isRestored: () => false };
    const { server } = await sampleServer(undefined, { authenticate: authenticateBy(ways) });
    const { token } = createKey({ name: 'n', scopes: [], requestsPerMinute: null }, by);
    const headers = { authorization: `Bearer ${token}` };
    expect((await server.inject({ url: '/v1/stock/A', headers })).statusCode).toBe(503);
    await server.close();
  });

  it('tells a token apart from an issuer that does not answer', async () => {
    const readToken = tokenReader(issuerKeys('http://127.0.0.1:1/jwks'), {
      issuer,
      audience,
      algorithms: ['RS256'],
    });
    const ways = { localKey, keys: new KeyRing(), isRestored: () => true, readToken };
    const { server } = await sampleServer(undefined, { authenticate: authenticateBy(ways) });
    const headers = { authorization: `Bearer ${await signed(claims())}` };
    expect((await server.inject({ url: '/v1/stock/A', headers })).statusCode).toBe(503);
    await server.close();
  });

  const line = { sku: 'A', location: 'L2', quantity: 1 };
  const crossings = [
    ['reading without stock:read', ['stock:write'], 'GET', '/v1/stock/A', {}],
    ['reading all with one location', ['stock:read@L1'], 'GET', '/v1/stock/A', {}],
    ['reading another location', ['stock:read@L1'], 'GET', '/v1/stock/A/locations/L2', {}],
    ['listing all with one location', ['stock:read@L1'], 'GET', '/v1/stock', {}],
    ['the changes of all', ['stock:read@L1'], 'GET', '/v1/changes', {}],
    ['the stream of all', ['stock:read@L1'], 'GET', '/v1/stock/stream', {}],
    ['another channel', ['stock:read@web'], 'GET', '/v1/channels/shop/stock', {}],
    [
      'a batch with one foreign cell',
      ['stock:read@L1'],
      'POST',
      '/v1/stock:batchGet',
      { cells: [{ sku: 'A', location: 'L1' }, line] },
    ],
    [
      'a batch that names no location',
      ['stock:read@L1'],
      'POST',
      '/v1/stock:batchGet',
      { cells: [{ sku: 'A' }] },
    ],
    ['reserving with a reading key', ['stock:read'], 'POST', '/v1/reservations', { lines: [line] }],
    [
      'reserving for another channel',
      ['reservations:write@web'],
      'POST',
      '/v1/reservations',
      { channel: 'shop', lines: [line] },
    ],
    [
      'reserving for no channel',
      ['reservations:write@web'],
      'POST',
      '/v1/reservations',
      { lines: [line] },
    ],
    [
      'adjusting with a reserving key',
      ['reservations:write'],
      'POST',
      '/v1/adjustments',
      { lines: [line] },
    ],
    ['adjusting elsewhere', ['stock:write@L1'], 'POST', '/v1/adjustments', { lines: [line] }],
    [
      'counting elsewhere',
      ['stock:write@L1'],
      'POST',
      '/v1/counts',
      { lines: [line], countedAt: '2026-05-20T08:00:00Z' },
    ],
    [
      'moving from elsewhere',
      ['stock:write@L1'],
      'POST',
      '/v1/transfers',
      { sku: 'A', from: 'L2', to: 'L1', quantity: 1 },
    ],
    [
      'moving to elsewhere',
      ['stock:write@L1'],
      'POST',
      '/v1/transfers',
      { sku: 'A', from: 'L1', to: 'L2', quantity: 1 },
    ],
    [
      'a share for another channel',
      ['allocations:write@L1', 'allocations:write@web'],
      'PUT',
      '/v1/allocations',
      { sku: 'A', location: 'L1', channel: 'shop', quantity: 1 },
    ],
  ] as const;

  it.each(crossings)('L3: refuses %s', async (_, scopes, method, url, payload) => {
    const { server, give, asked } = await guarded();
    const { token } = give(scopes);
    const answer = await server.inject({
      method,
      url,
      ...(method === 'GET' ? {} : { payload }),
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': 'k1' },
    });
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'FORBIDDEN']);
    expect(asked).toEqual([]);
    await server.close();
  });

  it('does not show one client what another has asked', async () => {
    const { server, get, give, send } = await guarded();
    const [one, other] = [give(['reservations:write']), give(['reservations:write', 'stock:read'])];
    const body = { lines: [{ sku: 'A', quantity: 1 }] };
    expect((await send(one.token, '/v1/reservations', body)).statusCode).toBe(200);
    expect((await get(`Bearer ${other.token}`, '/v1/requests/k1')).statusCode).toBe(404);
    expect((await get(`Bearer ${one.token}`, '/v1/requests/k1')).statusCode).toBe(200);
    await server.close();
  });

  it('grants nothing for words of a token that are no scopes of ours', async () => {
    const { server, get } = await guarded();
    for (const scope of ['', 'stock:*', 'stock:read@', 'STOCK:READ', '* admin', 'stock:reads']) {
      const token = await signed({ ...claims(), scope });
      expect((await get(`Bearer ${token}`)).statusCode).toBe(403);
    }
    await server.close();
  });

  it('tells a client its quota with every answer, and when to come back once it is used up', async () => {
    const { server, get, give } = await guarded();
    const { token } = give(['stock:read'], 3);
    const answers = [];
    for (let n = 0; n < 5; n += 1) answers.push(await get(`Bearer ${token}`));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 429, 429]);
    expect(answers[0]?.headers).toMatchObject({
      'ratelimit-policy': '"minute";q=3;w=60',
      ratelimit: expect.stringMatching(/^"minute";r=2;t=\d+$/),
    });
    expect(answers[4]?.json().code).toBe('RATE_LIMITED');
    expect(Number(answers[4]?.headers['retry-after'])).toBeGreaterThan(0);
    await server.close();
  });

  it('counts a client once, whatever address, case or secret it comes with', async () => {
    const { server, get, keys, give } = await guarded();
    const first = give(['stock:read'], 2);
    const second = rotateKey(first.key, { ...by, atMs: Date.now() }, hourMs);
    keys.take(second.key.id, second.key);
    const tries = [
      [`Bearer ${first.token}`, { 'x-forwarded-for': '1.1.1.1' }],
      [`bearer ${first.token}`, { 'x-forwarded-for': '2.2.2.2' }],
      [`Bearer ${second.token}`, { 'x-real-ip': '3.3.3.3' }],
      [`Bearer ${second.token}`, { forwarded: 'for=4.4.4.4' }],
    ] as const;
    const statuses = [];
    for (const [authorization, more] of tries) {
      statuses.push((await get(authorization, '/v1/stock/A', more)).statusCode);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
    const other = give(['stock:read'], 2);
    expect((await get(`Bearer ${other.token}`)).statusCode).toBe(200);
    await server.close();
  });

  it('sends every answer with headers by which no browser shows, runs or guesses it, and pages with a policy of theirs', async () => {
    const { server, get } = await guarded();
    const inert = {
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'strict-transport-security': expect.stringContaining('max-age='),
    };
    for (const answer of [
      await get(`Bearer ${localKey}`),
      await get(undefined),
      await get(`Bearer ${localKey}`, '/v1/nowhere'),
      await get(`Bearer ${localKey}`, '/v1/stock?limit='),
      await get(undefined, '/livez'),
    ]) {
      expect(answer.headers).toMatchObject(inert);
    }
    const page = await get(undefined, '/docs');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    await server.close();
  });

  it('L3: keeps only hashes of keys', () => {
    const { key, token } = createKey({ name: 'n', scopes: [], requestsPerMinute: null }, by);
    const secret = token.split('_').slice(2).join('_');
    expect(JSON.stringify(key)).not.toContain(secret);
    expect(Buffer.from(key.secrets[0]?.hash ?? []).length).toBe(32);
  });
});
