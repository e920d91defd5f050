/** A registry that refuses, does not know, says nothing or breaks off: what is told of it, and that nobody waits for ever. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { registerSchemas, registrySchemas } from '../../processors/adapters/avro/registry.ts';
import { stockLevels } from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';

const topics = [stockLevels as unknown as Topic<never, never>];
const servers: Server[] = [];
const folders: string[] = [];

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(`${tmpdir()}/registry-`);
  folders.push(folder);
  return folder;
}

async function registryAt(answers: RequestListener): Promise<string> {
  const server = createServer(answers);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const says =
  (status: number, body: object): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(JSON.stringify(body));

const accepts = says(200, { id: 1, compatibilityLevel: 'FULL_TRANSITIVE' });
const silent: RequestListener = () => undefined;
const breaksOff: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-length': 1_000 }).write('{"id":');
  setTimeout(() => response.destroy(), 20);
};

const isRegistering = (url: string | undefined): boolean => /versions$/.test(String(url));

describe.concurrent('registering schemas', () => {
  it('tells why a schema is refused, and does not ask again', async () => {
    let asked = 0;
    const url = await registryAt((request, response) => {
      if (!isRegistering(request.url)) return accepts(request, response);
      asked += 1;
      says(409, { message: 'a field has no default' })(request, response);
    });
    await expect(registerSchemas(url, topics)).rejects.toMatchObject({
      code: 'SCHEMA_REFUSED',
      message: expect.stringContaining('a field has no default'),
    });
    expect(asked).toBe(1);
  });

  it.each([
    ['nothing', silent],
    ['half of its answer', breaksOff],
    ['that it is ill', says(500, { message: 'the journal is away' })],
  ])(
    'asks again when the registry once says %s',
    async (_, once) => {
      let ill = 1;
      const registered: string[] = [];
      const url = await registryAt((request, response) => {
        if (isRegistering(request.url)) {
          ill -= 1;
          if (ill === 0) return once(request, response);
          registered.push(String(request.url));
        }
        accepts(request, response);
      });
      await registerSchemas(url, topics);
      expect(registered).toHaveLength(2);
    },
    20_000,
  );

  it('gives up a registry that never answers, and says where it is', async () => {
    const url = await registryAt(silent);
    await expect(registerSchemas(url, topics)).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining(url),
    });
  }, 30_000);
});

describe.concurrent('looking schemas up before the start', () => {
  it('stops when one is not registered, and says what to do', async () => {
    const url = await registryAt(says(404, { message: 'No subject' }));
    await expect(registrySchemas(url, newFolder()).prepare(topics)).rejects.toMatchObject({
      code: 'SCHEMA_NOT_REGISTERED',
      message: expect.stringContaining('register the schemas before the start'),
    });
  });

  it.each([
    ['nothing', silent],
    ['half of its answer', breaksOff],
  ])(
    'is tried again later when the registry says %s',
    async (_, answers) => {
      const url = await registryAt(answers);
      const looked = registrySchemas(url, newFolder()).prepare(topics);
      await expect(looked).rejects.toMatchObject({
        code: 'REGISTRY_UNREACHABLE',
        recovery: 'retry',
      });
    },
    20_000,
  );

  it('goes on with what was looked up before', async () => {
    const folder = newFolder();
    const url = await registryAt(accepts);
    await registrySchemas(url, folder).prepare(topics);
    const again = registrySchemas(await registryAt(silent), folder);
    await again.prepare(topics);
    expect(again.idOf(topics[0] as Topic<never, never>, 'value')).toBe(1);
  }, 20_000);
});
