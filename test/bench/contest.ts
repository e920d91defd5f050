/** Runs one contender over a preloaded topic and says how fast it was, warm-up left out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type BenchBroker, pause } from './broker.ts';

export type Contender = {
  readonly name: string;
  /** One command per process. */
  readonly commands: readonly (readonly string[])[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The consumer group whose committed offsets show how far it is. */
  readonly group: string;
};

export type Run = {
  readonly contender: string;
  readonly events: number;
  readonly perSecond: number;
  readonly cpuMicrosPerEvent: number;
  readonly brokerCpuMicrosPerEvent: number;
  /** Peak resident memory of all its processes. */
  readonly peakBytes: number;
  /** From the start of the process to its first committed transaction. */
  readonly startMs: number;
};

const pollMs = 40;
/** This share of the events warms it up. */
const warmUp = 0.25;
/** Without progress for this long it is taken for dead. */
const stallMs = 60_000;
const endMs = 15_000;
/** Clock ticks of /proc. */
const ticksPerSecond = 100;

export async function contest(
  contender: Contender,
  input: { readonly topics: readonly string[]; readonly brokerPid: number },
  broker: BenchBroker,
): Promise<Run> {
  const events = await broker.ends(input.topics);
  const startedMs = performance.now();
  const children = contender.commands.map((command) => start(command, contender.environment));
  try {
    const sample = async () => {
      const done = await broker.committed(contender.group, input.topics);
      return {
        done,
        ms: performance.now(),
        cpu: children.reduce((sum, { child }) => sum + cpuMicros(child.pid), 0),
        brokerCpu: cpuMicros(input.brokerPid),
      };
    };
    let first: Awaited<ReturnType<typeof sample>> | undefined;
    let firstCommitMs = 0;
    let last = await sample();
    let progressMs = last.ms;
    while (last.done < events) {
      await pause(pollMs);
      const next = await sample();
      for (const { ended } of children) ended();
      if (next.done > last.done) progressMs = next.ms;
      if (next.done > 0 && firstCommitMs === 0) firstCommitMs = next.ms - startedMs;
      if (next.ms - progressMs > stallMs) {
        throw new Error(`${contender.name} stands still at ${next.done} of ${events}`);
      }
      if (first === undefined && next.done >= warmUp * events) first = next;
      last = next;
    }
    const from = first ?? last;
    const counted = last.done - from.done;
    return {
      contender: contender.name,
      events: counted,
      perSecond: (counted / (last.ms - from.ms)) * 1_000,
      cpuMicrosPerEvent: (last.cpu - from.cpu) / counted,
      brokerCpuMicrosPerEvent: (last.brokerCpu - from.brokerCpu) / counted,
      peakBytes: children.reduce((sum, { child }) => sum + peakBytes(child.pid), 0),
      startMs: firstCommitMs,
    };
  } finally {
    await Promise.all(children.map(({ child }) => end(child)));
  }
}

export type Child = { readonly child: ChildProcess; readonly ended: () => void };

/** Starts a process whose end can be asked about: `ended` throws with what it said last. */
export function start(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Child {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  });
  const ended = (): void => {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${command.slice(0, 3).join(' ')} ended:\n${said}`);
    }
  };
  return { child, ended };
}

export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const kill = setTimeout(() => child.kill('SIGKILL'), endMs);
  await exited;
  clearTimeout(kill);
}

/** User and system time of a process so far. */
function cpuMicros(pid: number | undefined): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000_000;
  } catch {
    return 0;
  }
}

export function peakBytes(pid: number | undefined): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
