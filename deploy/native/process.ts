/** One child process of the stack: log file, pid file, and the promise that it does not outlive the launcher. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

export type Account = {
  readonly uid: number;
  readonly gid: number;
  /** Its folder lies under one that is closed to it, such as a home of root's: it may pass nevertheless. */
  readonly passesClosedFolders: boolean;
};

/** What makes `setpriv` run a program as the account. */
export function asAccount(account: Account | undefined): readonly string[] {
  if (account === undefined) return [];
  const pass = account.passesClosedFolders
    ? ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
    : [];
  return [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', ...pass];
}

export type PartProcess = {
  readonly name: string;
  /** Throws with the last lines of the log when the part has ended. */
  readonly assertAlive: () => void;
  /** Resolves with what can be said of it when the part ends without having been told to. */
  readonly lost: Promise<string>;
  readonly stop: (deadlineMs: number) => Promise<void>;
};

const logLinesShown = 12;
const failedStopMs = 3_000;

/**
 * Starts a part through `setpriv`, which drops privileges and asks the kernel to end the part when the launcher
 * disappears, even by kill -9. `stopSignal` is what makes the part end in good order.
 */
export function startPart(options: {
  readonly name: string;
  readonly command: readonly string[];
  readonly directory: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly account?: Account | undefined;
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
}): PartProcess {
  const stopSignal = options.stopSignal ?? 'SIGTERM';
  const logFile = `${options.directory}/logs/${options.name}.log`;
  const pidFile = `${options.directory}/pids/${options.name}`;
  const log = openSync(logFile, 'a');
  const child = spawn(
    'setpriv',
    [
      ...asAccount(options.account),
      '--pdeathsig',
      stopSignal.replace('SIG', ''),
      ...options.command,
    ],
    {
      cwd: options.directory,
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', log, log],
      detached: true,
    },
  );
  closeSync(log);
  let ended: string | undefined;
  let stopping = false;
  const obituary = (): string =>
    `${options.name} ended (${ended}); the end of ${logFile}:\n${endOf(logFile)}`;
  child.on('error', (error) => {
    ended = error.message;
  });
  const lost = new Promise<string>((resolve) => {
    child.on('exit', (code, signal) => {
      ended = signal ?? `code ${code}`;
      rmSync(pidFile, { force: true });
      if (!stopping) resolve(obituary());
    });
  });
  if (child.pid !== undefined) writeFileSync(pidFile, String(child.pid));
  return {
    name: options.name,
    assertAlive: () => {
      if (ended !== undefined) throw new Error(obituary());
    },
    lost,
    stop: async (deadlineMs) => {
      stopping = true;
      if (ended === undefined) await endChild(child, stopSignal, deadlineMs);
    },
  };
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/No space left|ENOSPC/, 'The disk is full: free some space and start again.'],
  [
    /UnsupportedVersionException/,
    'A newer version has made these data: begin with another --directory, or remove this one.',
  ],
];

/** The last lines of a log, with what to do where they speak of something that is known. */
export function endOf(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-logLinesShown);
  const known = hints.filter(([sign]) => lines.some((line) => sign.test(line)));
  return [...lines, ...known.map(([, hint]) => hint)].join('\n');
}

async function endChild(
  child: ChildProcess,
  stopSignal: NodeJS.Signals,
  deadlineMs: number,
): Promise<void> {
  const group = -(child.pid ?? 0);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => signalQuietly(group, 'SIGKILL'), deadlineMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill(stopSignal);
  });
  signalQuietly(group, 'SIGKILL');
}

/** Ends what an earlier launcher left behind in this folder: only processes whose command line names the folder. */
export function endLeftovers(directory: string, report: (line: string) => void): void {
  for (const name of readdirSync(`${directory}/pids`)) {
    const pidFile = `${directory}/pids/${name}`;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    if (commandLine(pid).includes(directory)) {
      report(`${name}: ending the one left behind by an earlier start (process ${pid})`);
      signalQuietly(-pid, 'SIGKILL');
    }
    rmSync(pidFile, { force: true });
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function signalQuietly(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Asks `probe` again and again until it answers true; a part that does not come up is ended. */
export async function waitFor(
  part: PartProcess,
  probe: () => Promise<boolean>,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  try {
    await answering(part, probe, options);
  } catch (error) {
    await part.stop(failedStopMs);
    throw error;
  }
}

async function answering(
  part: PartProcess,
  probe: () => Promise<boolean>,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const giveUpAt = Date.now() + options.deadlineMs;
  while (!(await probe().catch(() => false))) {
    options.signal?.throwIfAborted();
    part.assertAlive();
    if (Date.now() > giveUpAt) {
      throw new Error(`${part.name} did not answer within ${options.deadlineMs / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
