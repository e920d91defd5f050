/** What can go wrong in a chaos run: drawn from the seed, done to the processes, and proved to have had an effect. */
import { existsSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { chance, integer, pick, type Random } from '../../connectors/simulator/random.ts';
import { limits } from '../../processors/runtime/limits.ts';
import type { ChaosKafka } from './chaos-kafka.ts';
import { type Failpoint, failpoints } from './failpoints.ts';
import { endTransaction } from './kafka-proxy.ts';
import { tallyPartitions } from './tally.ts';
import { type Member, settled, within } from './tally-group.ts';

export const membersMax = 4;

export type Fault =
  | { readonly kind: 'kill'; readonly point: Failpoint; readonly after: number }
  | { readonly kind: 'zombie'; readonly point: Failpoint; readonly asleepMs: number }
  | { readonly kind: 'delayed end'; readonly forMs: number }
  | { readonly kind: 'broker restart'; readonly how: 'SIGKILL' | 'SIGTERM' }
  | { readonly kind: 'move'; readonly by: 1 | -1 }
  | { readonly kind: 'store deleted' }
  | { readonly kind: 'store cut' };

export type FaultKind = Fault['kind'];
/** A kind that stands here twice is drawn twice as often. */
const kinds: readonly FaultKind[] = [
  'kill',
  'kill',
  'kill',
  'zombie',
  'zombie',
  'delayed end',
  'broker restart',
  'move',
  'store deleted',
  'store cut',
];
export const faultKinds: readonly FaultKind[] = [...new Set(kinds)];

/** Points at which a process has work under way that must be fenced when it goes on later. */
const midwork: readonly Failpoint[] = ['polled', 'begun', 'produced', 'offsets sent'];
/** Points that only a change of assignment reaches. */
const atAssignment: readonly Failpoint[] = ['initialised', 'restored', 'revoking'];

export function drawFault(random: Random): Fault {
  const kind = pick(random, kinds) as FaultKind;
  switch (kind) {
    case 'kill':
      return {
        kind,
        point: pick(random, failpoints) as Failpoint,
        after: integer(random, 1, 5),
      };
    case 'zombie':
      return {
        kind,
        point: pick(random, midwork) as Failpoint,
        asleepMs: integer(random, 0, 1_500),
      };
    case 'delayed end':
      return { kind, forMs: limits.socketTimeoutMs + integer(random, 500, 2_500) };
    case 'broker restart':
      return { kind, how: chance(random, 0.5) ? 'SIGKILL' : 'SIGTERM' };
    case 'move':
      return { kind, by: chance(random, 0.5) ? 1 : -1 };
    default:
      return { kind };
  }
}

/** The processes of a run, and what can be done to them. */
export type Stage = {
  readonly kafka: ChaosKafka;
  readonly prefix: string;
  readonly random: Random;
  readonly members: () => readonly Member[];
  /** A new one, or one that has ended, by its name. */
  readonly start: (name?: string) => Member;
  /** Told to stop; resolves with how it ended. */
  readonly leave: (member: Member) => Promise<string | undefined>;
  /** Ends that the fault itself brings about are no violation. */
  readonly expectEnd: (member: Member) => void;
};

/** Does it, waits for its effect and for the recovery. Undefined: it took effect. Otherwise why not. */
export async function inject(fault: Fault, stage: Stage): Promise<string | undefined> {
  switch (fault.kind) {
    case 'kill':
      return kill(fault, stage);
    case 'zombie':
      return zombie(fault, stage);
    case 'delayed end': {
      const { afterMs, answer } = await stage.kafka.proxy.hold(endTransaction, fault.forMs);
      if (afterMs < limits.socketTimeoutMs) return `the request was held for ${afterMs} ms only`;
      return answer === undefined ? 'the late request was not answered' : undefined;
    }
    case 'broker restart': {
      const before = transactions(stage);
      await stage.kafka.restart(fault.how);
      return (await within(30_000, () => transactions(stage) > before))
        ? undefined
        : 'no transaction after the restart';
    }
    case 'move':
      return move(fault.by, stage);
    default:
      return damageStores(fault.kind, stage);
  }
}

async function kill(
  { point, after }: { readonly point: Failpoint; readonly after: number },
  stage: Stage,
): Promise<string | undefined> {
  const victim = working(stage);
  if (victim === undefined) return 'nobody works';
  stage.expectEnd(victim);
  const rare = atAssignment.includes(point);
  victim.arm({ point, signal: 'SIGKILL', after: rare ? 1 : after });
  if (rare) stage.start();
  if (!(await within(15_000, () => !victim.alive()))) return `it never came to: ${point}`;
  if (victim.exit() !== 'SIGKILL' || !lastTrace(victim).endsWith(point)) {
    return `it ended otherwise: ${victim.exit()}`;
  }
  if (!rare || stage.members().length < membersMax) stage.start(victim.name);
  return undefined;
}

async function zombie(
  { point, asleepMs }: { readonly point: Failpoint; readonly asleepMs: number },
  stage: Stage,
): Promise<string | undefined> {
  if (stage.members().length === 1) {
    stage.start();
    if (!(await within(20_000, () => settled(stage.members())))) return 'no second process';
  }
  const victim = working(stage);
  if (victim === undefined) return 'nobody works';
  victim.arm({ point, signal: 'SIGSTOP', after: 1 });
  if (!(await within(10_000, victim.stopped))) return `it never came to: ${point}`;
  const others = stage.members().filter((member) => member !== victim);
  const taken = await within(25_000, () => settled(others));
  if (taken) await new Promise((resolve) => setTimeout(resolve, asleepMs));
  victim.kill('SIGCONT');
  if (!taken) return 'its partitions were not taken over';
  return (await within(15_000, () => victim.fences() > 0)) ? undefined : 'it was not fenced';
}

async function move(by: 1 | -1, stage: Stage): Promise<string | undefined> {
  const members = stage.members();
  const joins = members.length === 1 || (by === 1 && members.length < membersMax);
  if (joins) {
    const newcomer = stage.start();
    const owns = await within(20_000, () => newcomer.owns().length > 0);
    return owns ? undefined : 'the new one got no partition';
  }
  const leaver = members.at(-1) as Member;
  const owned = leaver.owns().length;
  const end = await stage.leave(leaver);
  if (end !== 'code 0') return `it did not end in good order: ${end}`;
  return owned > 0 ? undefined : 'it owned nothing';
}

/** All die at once, and what they kept on disk is gone or cut short when they come back. */
async function damageStores(
  kind: 'store deleted' | 'store cut',
  stage: Stage,
): Promise<string | undefined> {
  const victims = stage.members();
  for (const victim of victims) {
    stage.expectEnd(victim);
    victim.kill('SIGKILL');
  }
  await Promise.all(victims.map(({ ended }) => ended));
  const damaged = new Map(
    victims.map(({ name, stateDirectory }) => [name, stores(stage, stateDirectory)]),
  );
  for (const file of [...damaged.values()].flatMap((files) => [...files.values()])) {
    if (kind === 'store deleted') rmSync(join(file, '..'), { recursive: true });
    else truncateSync(file, Math.floor(statSync(file).size / 2));
  }
  const startAgain = (name: string): void => {
    const member = stage.start(name);
    if (kind === 'store cut') stage.expectEnd(member);
  };
  for (const { name } of victims) startAgain(name);
  const rebuilt = (): boolean => {
    // Reading a file that was cut may end a process; its next start begins anew.
    for (const member of stage.members()) if (!member.alive()) startAgain(member.name);
    return stage
      .members()
      .some(({ name, restores }) =>
        restores().some(
          ({ partition, from }) => from === 'changelog' && damaged.get(name)?.has(partition),
        ),
      );
  };
  return (await within(25_000, rebuilt)) ? undefined : 'no damaged store was rebuilt';
}

/** By partition: the file of each store under this folder. */
function stores(stage: Stage, stateDirectory: string): ReadonlyMap<number, string> {
  const all = Array.from({ length: tallyPartitions }, (_, partition) => partition);
  return new Map(
    all
      .map((one) => [one, join(stateDirectory, `${stage.prefix}-${one}`, 'data.mdb')] as const)
      .filter(([, file]) => existsSync(file)),
  );
}

function working(stage: Stage): Member | undefined {
  return pick(
    stage.random,
    stage.members().filter((member) => member.owns().length > 0),
  );
}

function transactions(stage: Stage): number {
  return stage.members().reduce((sum, member) => sum + (member.status()?.transactions ?? 0), 0);
}

function lastTrace(member: Member): string {
  const trace = join(member.stateDirectory, 'trace');
  return existsSync(trace) ? (readFileSync(trace, 'utf8').trimEnd().split('\n').at(-1) ?? '') : '';
}
