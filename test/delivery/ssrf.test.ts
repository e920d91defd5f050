/** Webhooks reach public addresses only, whatever an address looks like and whatever a name says a moment later. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressFault, publicOnly, urlFault } from '../../processors/adapters/address-guard.ts';
import { outgoingHttp } from '../../processors/adapters/outgoing-http.ts';
import { forbiddenHosts, forbiddenUrls, misleadingNames } from './addresses.ts';

let hits = 0;
let server: Server;
let port = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    hits += 1;
    if (request.url === '/away') response.writeHead(302, { location: '/secret' });
    response.end('inner secret');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const post = (url: string) =>
  ({ method: 'POST', url, headers: {}, body: '{}', timeoutMs: 2_000 }) as const;

describe('addresses', () => {
  it('the table has more than 150 entries, all different', () => {
    const all = [...forbiddenHosts, ...Object.keys(misleadingNames), ...forbiddenUrls];
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBeGreaterThanOrEqual(150);
  });

  it.each([
    ['hosts', forbiddenHosts.map((host) => `https://${host}/`)],
    ['names', Object.keys(misleadingNames).map((name) => `https://${name}/`)],
    ['URLs', forbiddenUrls],
  ])('E3: no webhook reaches any of the forbidden %s', async (_what, urls) => {
    const http = outgoingHttp({
      rules: publicOnly,
      resolve: async (name) => misleadingNames[name] ?? ['127.0.0.1'],
    });
    const reached: string[] = [];
    for (const url of urls) {
      const answer = await http.send(post(url));
      if (answer.kind !== 'unsent' || !answer.reason.startsWith('not allowed:')) {
        reached.push(`${url}: ${JSON.stringify(answer)}`);
      }
    }
    await http.close();
    expect(reached).toEqual([]);
  });

  it('E3: on an allowed port, no notation of this machine reaches the server that listens there', async () => {
    const http = outgoingHttp({
      rules: { ...publicOnly, ports: [port] },
      resolve: async () => ['127.0.0.1'],
    });
    for (const host of [...forbiddenHosts, 'example.com']) {
      for (const scheme of ['http', 'https']) {
        expect((await http.send(post(`${scheme}://${host}:${port}/`))).kind).toBe('unsent');
      }
    }
    await http.close();
    expect(hits).toBe(0);
  });

  it('E3: a name is looked up once: what it says afterwards is not connected to', async () => {
    // Nobody listens at the first address; the server listens at the second one, which is not allowed.
    const answers = [['127.0.0.2'], ['127.0.0.1']];
    let lookups = 0;
    const http = outgoingHttp({
      rules: { ports: [port], allow: ['127.0.0.2'], allowHttp: true },
      resolve: async () => {
        lookups += 1;
        return answers[Math.min(lookups, answers.length) - 1] as string[];
      },
    });
    const first = await http.send(post(`http://rebind.example.com:${port}/`));
    expect(first).toMatchObject({
      kind: 'unsent',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    expect(lookups).toBe(1);
    const second = await http.send(post(`http://rebind.example.com:${port}/`));
    expect(second).toMatchObject({ kind: 'unsent', reason: expect.stringMatching(/^not allowed/) });
    expect(hits).toBe(0);
    await http.close();
  });

  it('an allowed local receiver is reached, by name too, and a redirect is not followed', async () => {
    const rules = { ports: [port], allow: ['127.0.0.0/8'], allowHttp: true };
    const http = outgoingHttp({ rules, resolve: async () => ['127.0.0.1'] });
    hits = 0;
    const direct = await http.send(post(`http://127.0.0.1:${port}/`));
    expect(direct).toMatchObject({ kind: 'answered', status: 200 });
    const named = await http.send(post(`http://receiver.example.com:${port}/away`));
    expect(named).toMatchObject({ kind: 'answered', status: 302 });
    expect(hits).toBe(2);
    await http.close();
  });

  it('plain http goes to allowed addresses only', () => {
    const rules = { ports: [80, 443], allow: ['10.1.0.0/16'], allowHttp: true };
    expect(urlFault('http://10.1.2.3/', rules)).toBeUndefined();
    expect(urlFault('http://93.184.216.34/', rules)).toBe('only https is called');
    expect(addressFault('93.184.216.34', rules, true)).toBe('only https is called');
  });

  it.each([
    'https://example.com/hook',
    'https://93.184.216.34/',
    'https://[2606:2800:220:1:248:1893:25c8:1946]/',
    'https://1.1.1.1/',
  ])('a public address is called: %s', (url) => {
    expect(urlFault(url, publicOnly)).toBeUndefined();
  });
});
