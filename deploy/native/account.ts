/** Database servers refuse to run as root: as root, they get the account of their package; otherwise they run as we do. */
import { chownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './packages.ts';
import { type Account, asAccount } from './process.ts';

export type DatabaseAccount = {
  readonly drop: Account | undefined;
  /** Gives a file or a folder with all that is in it to the account. */
  readonly own: (path: string) => void;
};

/** The account by its name in /etc/passwd, when we are root. */
export function databaseAccount(name: string, directory: string): DatabaseAccount {
  if (process.getuid?.() !== 0) return { drop: undefined, own: () => undefined };
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`there is no account ${name} to run its server as`);
  const [, , uid, gid] = line.split(':');
  const drop = {
    uid: Number(uid),
    gid: Number(gid),
    passesClosedFolders: isClosed(directory),
  };
  return { drop, own: (path) => ownAll(path, drop) };
}

/** May others than its owner not pass the folder, or one above it? */
function isClosed(directory: string): boolean {
  for (let folder = directory; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return true;
    if (folder === dirname(folder)) return false;
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
  return run('setpriv', [...asAccount(account.drop), command, ...args]);
}
