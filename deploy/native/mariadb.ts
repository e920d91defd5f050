/** A MariaDB server of our own folder, with a row-based binary log. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { type DatabaseAccount, runAs } from './account.ts';
import type { StackContext } from './context.ts';
import { mariadbProgram } from './packages.ts';
import { type PartProcess, startPart, waitFor } from './process.ts';

export const mariadbAdmin = 'root';

export async function startMariadb(
  context: StackContext,
  account: DatabaseAccount,
): Promise<PartProcess> {
  const { directory, ports } = context;
  const program = await mariadbProgram(context.report);
  const data = `${directory}/mariadb`;
  const initial = `${directory}/mariadb-initial.sql`;
  const fresh = !existsSync(`${data}/initialized`);
  if (fresh) {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { recursive: true, mode: 0o700 });
    account.own(data);
    await runAs(account, 'mariadb-install-db', [
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ]);
    // Anonymous users shadow 'user'@'%' for connections from localhost.
    writeFileSync(
      initial,
      `DELETE FROM mysql.global_priv WHERE User = '';
FLUSH PRIVILEGES;
CREATE OR REPLACE USER '${mariadbAdmin}'@'%' IDENTIFIED BY '${context.adminPassword}';
GRANT ALL PRIVILEGES ON *.* TO '${mariadbAdmin}'@'%' WITH GRANT OPTION;
ALTER USER '${mariadbAdmin}'@'localhost' IDENTIFIED BY '${context.adminPassword}';
`,
      { mode: 0o600 },
    );
    account.own(initial);
  }
  // A socket's path may have 107 characters at most, so it lives in the temporary folder.
  const sockets = mkdtempSync(join(tmpdir(), 'stockline-'));
  account.own(sockets);
  const part = startPart({
    name: 'mariadb',
    directory,
    account: account.drop,
    command: [
      program,
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${sockets}/mariadb.sock`,
      `--pid-file=${data}/mariadb.pid`,
      '--bind-address=127.0.0.1',
      `--port=${ports.mariadb}`,
      '--server-id=1',
      '--log-bin=binlog',
      '--binlog-format=ROW',
      '--binlog-row-image=FULL',
      '--gtid-strict-mode=ON',
      '--innodb-buffer-pool-size=128M',
      '--character-set-server=utf8mb4',
      ...(fresh ? [`--init-file=${initial}`] : []),
    ],
  });
  const answers = async (): Promise<boolean> => {
    const connection = await createConnection({
      host: '127.0.0.1',
      port: ports.mariadb,
      user: mariadbAdmin,
      password: context.adminPassword,
    });
    await connection.end();
    return true;
  };
  await waitFor(part, answers, { deadlineMs: 60_000, signal: context.signal });
  if (fresh) {
    rmSync(initial, { force: true });
    writeFileSync(`${data}/initialized`, '');
  }
  return {
    ...part,
    stop: async (deadlineMs) => {
      await part.stop(deadlineMs);
      rmSync(sockets, { recursive: true, force: true });
    },
  };
}
