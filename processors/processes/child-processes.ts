/** Runs the processors as child processes: status by message, restart after a crash, end by SIGTERM. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { processorOptions } from './node-options.ts';
import type { ProcessStatus } from './status.ts';

export type Processors = {
  /** The last status message of each process, by its name. */
  readonly status: ReadonlyMap<string, ProcessStatus>;
  /** Resolves when each process has told its first status. */
  readonly ready: (deadlineMs: number) => Promise<void>;
  /** Sends a process a signal: SIGKILL ends it as a crash does, and it is started again. */
  readonly signal: (name: string, signal: NodeJS.Signals) => void;
  readonly stop: () => Promise<void>;
};

const restartAfterMs = 1_000;
const restartsMax = 20;
/** Whoever has worked for so long begins to count its restarts anew. */
const steadyMs = 10_000;
const stopDeadlineMs = 9_000;
/** So much of the end of what a process says is looked at when it ends. */
const saidMax = 16_384;
/** pino's. */
const errorLevel = 50;
/** Analysts can wait a moment, channels cannot: on a busy machine analytics gives way, once it has begun. */
const niceness: Readonly<Record<string, number>> = {
  analytics: 19,
  anomalies: 19,
  forecasts: 19,
};
const sessionAttempts = 10;
const sessionPauseMs = 150;
const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Starts one process per entry of `processes`, whose value is what STOCKLINE_PROCESSORS shall be in it. */
export function startProcessors(options: {
  readonly processes: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly logDirectory: string;
  readonly note: (text: string) => void;
}): Processors {
  const status = new Map<string, ProcessStatus>();
  const children = new Map<string, ChildProcess>();
  let stopping = false;
  let failure: Error | undefined;

  const launch = (name: string, processors: string, restarts: number): void => {
    const launchedMs = Date.now();
    const logFile = `${options.logDirectory}/${name}.log`;
    const log = createWriteStream(logFile, { flags: 'a' });
    const child = spawn(process.execPath, [...processorOptions, main], {
      env: { ...process.env, ...options.environment, STOCKLINE_PROCESSORS: processors },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Its own group: Ctrl-C reaches it through us, in the right order.
      detached: true,
    });
    child.stdout?.pipe(log);
    child.stderr?.pipe(log);
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-saidMax);
    });
    // Once it works: on a machine that others keep busy it would hardly ever begin to.
    child.once('message', () => {
      const nice = niceness[name];
      if (child.pid !== undefined && nice !== undefined) void giveWay(child.pid, nice);
    });
    child.on('message', (message) => status.set(name, message as ProcessStatus));
    // Closed: it has said all that it had to say.
    child.on('close', (code, signal) => {
      if (stopping) return;
      status.delete(name);
      const how = [signal ?? `code ${code}`, ...causeIn(said)].join(': ');
      const before = Date.now() - launchedMs > steadyMs ? 0 : restarts;
      if (before >= restartsMax) {
        failure = new Error(`processors ${name} ended again and again (${how}): see ${logFile}`);
        options.note(failure.message);
        return;
      }
      options.note(`processors ${name} ended (${how}), starting them again; log: ${logFile}`);
      setTimeout(() => {
        if (!stopping) launch(name, processors, before + 1);
      }, restartAfterMs);
    });
    children.set(name, child);
  };
  for (const [name, processors] of Object.entries(options.processes)) launch(name, processors, 0);

  return {
    status,
    ready: async (deadlineMs) => {
      const giveUpAt = Date.now() + deadlineMs;
      while (Object.keys(options.processes).some((name) => !status.has(name))) {
        if (failure !== undefined) throw failure;
        if (Date.now() > giveUpAt) {
          throw new Error(`the processors did not start in time: see ${options.logDirectory}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    signal: (name, signal) => void children.get(name)?.kill(signal),
    stop: async () => {
      stopping = true;
      await Promise.all([...children.values()].map(endChild));
    },
  };
}

/** The error of the last line that tells one, if any does. */
export function causeIn(log: string): readonly string[] {
  for (const line of log.split('\n').reverse()) {
    try {
      const { level, error } = JSON.parse(line) as {
        readonly level?: number;
        readonly error?: string;
      };
      if (level !== undefined && level >= errorLevel && error !== undefined) return [error];
    } catch {
      // Cut off, or not of our logger.
    }
  }
  return [];
}

/**
 * Where Linux groups processes by session (`sched_autogroup_enabled`), it shares its cores among sessions, and niceness counts
 * only within one. A detached child is a session of its own, so its session has to give way too.
 */
async function giveWay(pid: number, nice: number): Promise<void> {
  setPriority(pid, nice);
  const session = `/proc/${pid}/autogroup`;
  if (!existsSync(session)) return;
  for (let attempt = 0; attempt < sessionAttempts; attempt += 1) {
    try {
      writeFileSync(session, String(nice));
      return;
    } catch {
      // Without privileges one such write is allowed in a tenth of a second; or the child has ended.
      await sleep(sessionPauseMs);
    }
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
