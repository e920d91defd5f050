/** A source that takes a connection and then says nothing, as one does whose machine or network is going. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, expect, inject, it } from 'vitest';
import { postgresTarget } from '../../processors/adapters/serving/postgres.ts';
import { fileFacts, slotFacts } from '../../processors/adapters/source-log.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

/** Passes on what is said until the client says `word`, and from then on nothing in either direction. */
async function mutedBy(word: string, to: { readonly host: string; readonly port: number }) {
  const server = createServer((client) => {
    const source = connect(to.port, to.host);
    for (const socket of [client, source]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    let isMuted = false;
    client.on('data', (bytes) => {
      isMuted ||= bytes.includes(word);
      if (!isMuted) source.write(bytes);
    });
    source.on('data', (bytes) => {
      if (!isMuted) client.write(bytes);
    });
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function adminOf(source: 'postgres' | 'mariadb') {
  const { adminUser: user, adminPassword: password, ...place } = inject('stack')[source];
  return { user, password, place };
}

it('S1: the watch gives up a PostgreSQL that says nothing, and comes again', async () => {
  const { user, password, place } = adminOf('postgres');
  const access = { kind: 'postgresql', user, password, database: 'postgres' } as const;
  const muted = await mutedBy('pg_replication_slots', place);
  await expect(slotFacts({ ...access, ...muted }, 'none')).rejects.toThrow('timeout');
  expect(await slotFacts({ ...access, ...place }, 'none')).toMatchObject({ exists: false });
}, 10_000);

it('S1: the watch gives up a MariaDB that says nothing, and comes again', async () => {
  const { user, password, place } = adminOf('mariadb');
  const access = { kind: 'mariadb', user, password, database: 'mysql' } as const;
  const muted = await mutedBy('SHOW BINARY LOGS', place);
  await expect(fileFacts({ ...access, ...muted }, undefined)).rejects.toThrow('timeout');
  expect(await fileFacts({ ...access, ...place }, undefined)).toMatchObject({ kind: 'files' });
}, 10_000);

it('serving gives up a PostgreSQL that says nothing, and writes when it speaks again', async () => {
  const { user, password, place } = adminOf('postgres');
  const url = ({ host, port }: { host: string; port: number }) =>
    `postgresql://${user}:${password}@${host}:${port}/postgres`;
  const silent = postgresTarget(url(await mutedBy('BEGIN', place)), 'muted_test');
  await silent.prepare();
  await expect(silent.write([])).rejects.toThrow('timeout');
  await silent.close();
  const speaking = postgresTarget(url(place), 'muted_test');
  await speaking.prepare();
  await speaking.write([]);
  await speaking.close();
}, 30_000);
