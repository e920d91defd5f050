/** One chaos run: load, faults, recovery, and the verdict of two readers. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { integer, seededRandom } from '../../connectors/simulator/random.ts';
import {
  applyTopics,
  changelogSettings,
  type TopicSettings,
  topicSettings,
} from '../../processors/adapters/kafka/admin.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import { changelogName } from '../../processors/topology/topology.ts';
import type { ChaosKafka } from './chaos-kafka.ts';
import { type CommittedReader, readCommitted } from './committed-reader.ts';
import { drawFault, type Fault, inject, membersMax, type Stage } from './faults.ts';
import { type TallyTopics, tally, tallyTopics } from './tally.ts';
import { type Member, settled, startMember, within } from './tally-group.ts';
import { startLoad, type TallyLoad } from './tally-load.ts';
import { expectedOf, faultsOf, readersApart } from './tally-verdict.ts';
import { readWhole } from './whole-log.ts';

/** Fewer inputs than this and the run has proved nothing. */
const recordsMin = 1_000;
const faultsPerRun = 2;
/** The sum of what an end may take: the drain, and three seconds each for producer, consumer and membership. */
const leaveMs = 17_000;

export type ChaosResult = {
  readonly seed: number;
  readonly faults: readonly { readonly fault: Fault; readonly ineffective: string | undefined }[];
  readonly violations: readonly string[];
  readonly records: number;
  readonly seconds: number;
};

export async function runChaos(
  kafka: ChaosKafka,
  seed: number,
  options: { readonly report: (line: string) => void; readonly signal?: AbortSignal },
): Promise<ChaosResult> {
  const startedMs = Date.now();
  const random = seededRandom(seed);
  const group = startGroup(kafka, seed, random);
  const { topics, prefix } = group;
  await applyTopics(kafka.direct, tallySettings(prefix, topics));
  const reader = await readCommitted(kafka.direct, placesOf(topics));
  const load = await startLoad({ brokers: kafka.direct, topics, seed });
  const violations: string[] = [];
  const faults: ChaosResult['faults'][number][] = [];
  try {
    for (let count = integer(random, 1, membersMax); count > 0; count--) group.start();
    if (!(await group.settle())) violations.push('the processes never began to work');
    for (let at = 0; at < faultsPerRun && violations.length === 0; at++) {
      options.signal?.throwIfAborted();
      const fault = drawFault(random);
      const ineffective = await inject(fault, group);
      faults.push({ fault, ineffective });
      const outcome = ineffective === undefined ? 'took effect' : `without effect: ${ineffective}`;
      options.report(`  ${JSON.stringify(fault)}: ${outcome}`);
      if (!(await group.settle())) violations.push(`no recovery from ${JSON.stringify(fault)}`);
    }
    violations.push(...(await finish(kafka, group, { load, reader })));
    violations.push(...group.unexpected());
  } finally {
    await load.stop();
    await group.end({ keep: violations.length > 0 });
    await reader.stop();
  }
  if (violations.length > 0) options.report(`  logs, stores and segments: ${group.directory}`);
  const records = load.sent();
  if (records < recordsMin) violations.push(`only ${records} records: nothing is proved`);
  return { seed, faults, violations, records, seconds: (Date.now() - startedMs) / 1_000 };
}

type Group = Stage & {
  readonly topics: TallyTopics;
  /** Starts again whoever ended, until all is owned and at work. */
  readonly settle: () => Promise<boolean>;
  /** Ends that nothing explains. */
  readonly unexpected: () => readonly string[];
  /** Kept: the logs and local stores of the processes, and the broker's segments for `kafka.tools.DumpLogSegments`. */
  readonly end: (options: { readonly keep: boolean }) => Promise<void>;
  readonly directory: string;
};

function startGroup(kafka: ChaosKafka, seed: number, random: Stage['random']): Group {
  const prefix = `tally-${seed}-${Date.now().toString(36)}`;
  const topics = tallyTopics(prefix);
  const directory = mkdtempSync(join(tmpdir(), 'stockline-tally-'));
  const members = new Map<string, Member>();
  const expected = new Set<Member>();
  const unexpected: string[] = [];
  const start = (name = `m${members.size}`): Member => {
    const member = startMember(name, {
      brokers: kafka.proxied,
      prefix,
      stateDirectory: join(directory, name),
      assignment: 'elastic',
    });
    members.set(name, member);
    void member.ended.then(() => {
      if (expected.has(member) || member.exit() === 'code 0') return;
      unexpected.push(
        `${name} ended with ${member.exit()}: ${member.failed() ?? 'without a word'}`,
      );
    });
    return member;
  };
  return {
    kafka,
    prefix,
    topics,
    random,
    start,
    members: () => [...members.values()],
    leave: async (member) => {
      member.kill('SIGTERM');
      await within(leaveMs, () => !member.alive());
      members.delete(member.name);
      const end = member.exit();
      expected.add(member);
      member.kill('SIGKILL');
      return end;
    },
    expectEnd: (member) => expected.add(member),
    settle: () =>
      within(45_000, () => {
        for (const member of members.values()) if (!member.alive()) start(member.name);
        return settled([...members.values()]);
      }),
    unexpected: () => unexpected,
    directory,
    end: async ({ keep }) => {
      for (const member of members.values()) {
        expected.add(member);
        member.kill('SIGKILL');
      }
      await Promise.all([...members.values()].map(({ ended }) => ended));
      if (keep) keepSegments(kafka, prefix, directory);
      else rmSync(directory, { recursive: true, force: true });
    },
  };
}

function keepSegments(kafka: ChaosKafka, prefix: string, directory: string): void {
  const data = join(kafka.directory, 'kafka');
  for (const folder of readdirSync(data).filter((name) => name.startsWith(prefix))) {
    cpSync(join(data, folder), join(directory, 'segments', folder), { recursive: true });
  }
}

/** No more load; everything must arrive, everybody must end in good order, and both readers must find it right. */
async function finish(
  kafka: ChaosKafka,
  group: Group,
  { load, reader }: { readonly load: TallyLoad; readonly reader: CommittedReader },
): Promise<readonly string[]> {
  const { topics } = group;
  const violations: string[] = [];
  await load.stop();
  const idle = (): boolean => group.members().every((one) => one.status()?.lagRecords === 0);
  await within(30_000, async () => idle() && arrived(topics, reader.seen));
  for (const member of group.members()) {
    const end = await group.leave(member);
    if (end !== 'code 0') violations.push(`${member.name} did not end in good order: ${end}`);
  }
  const after = await readWhole(kafka.direct, [
    ...allTopics(topics),
    changelogName({ name: group.prefix }),
  ]);
  violations.push(...after.hanging);
  const expected = expectedOf(topics, after.seen);
  violations.push(...faultsOf(topics, after.seen, expected).map((fault) => `after: ${fault}`));
  await within(10_000, () => sizes(reader.seen) >= sizes(only(after.seen, reader.seen)));
  violations.push(...faultsOf(topics, reader.seen, expected).map((fault) => `during: ${fault}`));
  violations.push(...readersApart(reader.seen, only(after.seen, reader.seen)));
  return violations;
}

/** As many steps and refusals as inputs. */
export function arrived(topics: TallyTopics, seen: CommittedReader['seen']): boolean {
  const count = (names: readonly string[]): number =>
    [...seen]
      .filter(([place]) => names.some((name) => place.startsWith(`${name}-`)))
      .reduce((sum, [, records]) => sum + records.length, 0);
  const inputs = count([topics.spoken.name, topics.written.name]);
  return inputs > 0 && count([topics.steps.name, topics.refused.name]) >= inputs;
}

function sizes(seen: CommittedReader['seen']): number {
  return [...seen.values()].reduce((sum, records) => sum + records.length, 0);
}

/** The places that the other one reads as well. */
function only(seen: CommittedReader['seen'], other: CommittedReader['seen']) {
  return new Map([...seen].filter(([place]) => other.has(place)));
}

export function placesOf(topics: TallyTopics) {
  return [topics.spoken, topics.written, topics.steps, topics.totals, topics.refused].flatMap(
    ({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  );
}

export function allTopics(topics: TallyTopics): readonly string[] {
  return [topics.spoken, topics.written, topics.steps, topics.totals, topics.refused].map(
    ({ name }) => name,
  );
}

/** Every topic of a run, as it is to be created. */
export function tallySettings(prefix: string, topics: TallyTopics): readonly TopicSettings[] {
  return [
    ...[topics.spoken, topics.written, topics.steps, topics.totals, topics.refused].map((topic) =>
      topicSettings(topic as unknown as Topic<never, never>),
    ),
    changelogSettings(tally(prefix, topics)),
  ];
}
