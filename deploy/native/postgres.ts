/** A PostgreSQL server of our own folder, with logical decoding on. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import pg from 'pg';
import { type DatabaseAccount, runAs } from './account.ts';
import type { StackContext } from './context.ts';
import { postgresPrograms } from './packages.ts';
import { type PartProcess, startPart, waitFor } from './process.ts';

export const postgresAdmin = 'postgres';

export async function startPostgres(
  context: StackContext,
  account: DatabaseAccount,
): Promise<PartProcess> {
  const { directory, ports } = context;
  const programs = await postgresPrograms(context.report);
  const data = `${directory}/postgres`;
  if (!existsSync(`${data}/PG_VERSION`)) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    account.own(data);
    const passwordFile = `${directory}/postgres-password`;
    writeFileSync(passwordFile, context.adminPassword, { mode: 0o600 });
    account.own(passwordFile);
    await runAs(account, `${programs}/initdb`, [
      `--pgdata=${data}`,
      `--username=${postgresAdmin}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    ]);
  }
  const setting = (name: string, value: string): readonly string[] => ['-c', `${name}=${value}`];
  const part = startPart({
    name: 'postgres',
    directory,
    account: account.drop,
    // Fast shutdown: SIGTERM would wait for clients to leave.
    stopSignal: 'SIGINT',
    command: [
      `${programs}/postgres`,
      '-D',
      data,
      ...setting('listen_addresses', '127.0.0.1'),
      ...setting('port', String(ports.postgres)),
      ...setting('unix_socket_directories', ''),
      ...setting('wal_level', 'logical'),
      ...setting('max_replication_slots', '8'),
      ...setting('max_wal_senders', '8'),
      ...setting('shared_buffers', '128MB'),
      ...setting('max_wal_size', '1GB'),
    ],
  });
  const answers = async (): Promise<boolean> => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: ports.postgres,
      user: postgresAdmin,
      password: context.adminPassword,
      database: 'postgres',
    });
    try {
      await client.connect();
      await client.query('SELECT 1');
      return true;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  await waitFor(part, answers, { deadlineMs: 60_000, signal: context.signal });
  return part;
}
