/** Database servers refuse to run as root: as root, they get the account of their package; otherwise they run as we do. */
import { chownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './packages.ts';
import type { Account } from './process.ts';

export type DatabaseAccount = {
  readonly drop: Account | undefined;
  /** Gives a file or a folder with all that is in it to the account. */
  readonly own: (path: string) => void;
};

/** The account by its name in /etc/passwd, when we are root. Checks that it can reach `directory`. */
export function databaseAccount(name: string, directory: string): DatabaseAccount {
  if (process.getuid?.() !== 0) return { drop: undefined, own: () => undefined };
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`there is no account ${name} to run its server as`);
  const [, , uid, gid] = line.split(':');
  const drop = { uid: Number(uid), gid: Number(gid) };
  const closed = unreachable(directory);
  if (closed !== undefined) {
    throw new Error(
      `${name} must not run as root, and the account ${name} cannot enter ${closed}: ` +
        `allow it with chmod o+x ${closed}, or choose another folder with --directory`,
    );
  }
  return { drop, own: (path) => ownAll(path, drop) };
}

function unreachable(directory: string): string | undefined {
  for (let folder = directory; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function ownAll(path: string, account: Account): void {
  chownSync(path, account.uid, account.gid);
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) ownAll(join(path, name), account);
}

/** Runs a program to its end as the account. */
export function runAs(
  account: DatabaseAccount,
  command: string,
  args: readonly string[],
): Promise<string> {
  if (account.drop === undefined) return run(command, args);
  const { uid, gid } = account.drop;
  return run('setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', command, ...args]);
}
