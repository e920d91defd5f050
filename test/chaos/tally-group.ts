/** The processes under chaos: started, watched and started again, as a supervisor would. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { typescript } from '../../processors/processes/node-options.ts';
import type { ProcessorStatus } from '../../processors/runtime/run.ts';
import type { Arming } from './failpoints.ts';
import { tallyPartitions } from './tally.ts';
import type { News, TallySettings } from './tally-process.ts';

const program = fileURLToPath(new URL('./tally-process.ts', import.meta.url));

export type Member = {
  readonly name: string;
  readonly stateDirectory: string;
  readonly pid: number;
  readonly alive: () => boolean;
  /** Undefined while it lives. */
  readonly exit: () => string | undefined;
  readonly status: () => ProcessorStatus | undefined;
  readonly owns: () => readonly number[];
  readonly restores: () => readonly { readonly partition: number; readonly from: string }[];
  readonly fences: () => number;
  readonly failed: () => string | undefined;
  readonly stopped: () => boolean;
  readonly arm: (arming: Arming) => void;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<void>;
};

export function startMember(name: string, settings: Omit<TallySettings, 'trace'>): Member {
  mkdirSync(settings.stateDirectory, { recursive: true });
  const trace = `${settings.stateDirectory}/trace`;
  const log = openSync(`${settings.stateDirectory}/log`, 'a');
  const child = fork(program, [JSON.stringify({ ...settings, trace })], {
    execArgv: [...typescript],
    env: { ...process.env, UV_THREADPOOL_SIZE: '32' },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  return memberOf(name, settings.stateDirectory, child);
}

function memberOf(name: string, stateDirectory: string, child: ChildProcess): Member {
  let exit: string | undefined;
  let status: ProcessorStatus | undefined;
  let owns: readonly number[] = [];
  let failed: string | undefined;
  let fences = 0;
  const restores: { readonly partition: number; readonly from: string }[] = [];
  child.on('message', (news: News) => {
    if (news.kind === 'status') status = news.status;
    else if (news.kind === 'owns') owns = news.partitions;
    else if (news.kind === 'restored') restores.push(news);
    else if (news.kind === 'fenced') fences += 1;
    else failed = news.reason;
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = signal ?? `code ${code}`;
      owns = [];
      resolve();
    });
  });
  const pid = child.pid ?? 0;
  return {
    name,
    stateDirectory,
    pid,
    alive: () => exit === undefined,
    exit: () => exit,
    status: () => status,
    owns: () => owns,
    restores: () => restores,
    fences: () => fences,
    failed: () => failed,
    stopped: () => exit === undefined && / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    arm: (arming) => child.send(arming),
    kill: (signal) => {
      if (exit === undefined) process.kill(pid, signal);
    },
    ended,
  };
}

/** True when these members, between them, own every partition once and all of them work. */
export function settled(members: readonly Member[]): boolean {
  const owned = members.flatMap((member) => member.owns());
  return (
    owned.length === tallyPartitions &&
    new Set(owned).size === tallyPartitions &&
    members.every((member) => member.alive() && member.status()?.phase === 'running')
  );
}

/** Asks until the answer is true; false when that did not happen in time. */
export async function within(
  deadlineMs: number,
  ask: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const giveUpAt = Date.now() + deadlineMs;
  for (;;) {
    if (await ask()) return true;
    if (Date.now() > giveUpAt) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
