/** The hole of a plain loop that a zombie goes through, on a real broker, with its defence on and off. Timings decide. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyTopics } from '../../processors/adapters/kafka/admin.ts';
import { changelogName } from '../../processors/topology/topology.ts';
import { type ChaosKafka, startChaosKafka } from './chaos-kafka.ts';
import { allTopics, arrived, placesOf, tallySettings } from './chaos-run.ts';
import { readCommitted } from './committed-reader.ts';
import { tallyTopics } from './tally.ts';
import { settled, startMember, within } from './tally-group.ts';
import { startLoad } from './tally-load.ts';
import { expectedOf, faultsOf } from './tally-verdict.ts';
import { readWhole } from './whole-log.ts';

let kafka: ChaosKafka;
beforeAll(async () => {
  kafka = await startChaosKafka(() => {});
});
afterAll(() => kafka.close());

const attemptsMax = 5;

describe('a zombie on a real broker', () => {
  it('E1: a zombie that wakes up after its successor commits nothing', async () => {
    let wasFencedInTime = false;
    for (let attempt = 0; attempt < attemptsMax && !wasFencedInTime; attempt++) {
      const { faults, isInTime, wasFenced } = await runOfZombie({ unfenced: false });
      expect(faults).toEqual([]);
      wasFencedInTime = isInTime && wasFenced;
    }
    expect(wasFencedInTime).toBe(true);
  });

  it('E1: the same zombie doubles records when transactional ids are not tied to partitions', async () => {
    const faults: string[] = [];
    for (let attempt = 0; attempt < attemptsMax && !faults.some(isDoubled); attempt++) {
      const run = await runOfZombie({ unfenced: true });
      if (run.isInTime) faults.push(...run.faults);
    }
    expect(faults.filter(isDoubled)).not.toEqual([]);
  });
});

function isDoubled(fault: string): boolean {
  return fault.includes('doubled');
}

/**
 * Stopped between its records and their offsets, woken when another process has done its work. On a busy machine the
 * zombie's own client may give its transaction up before anybody has to, or the successor comes too late: once more then.
 */
async function runOfZombie({ unfenced }: { readonly unfenced: boolean }) {
  const prefix = `zombie-${unfenced}-${Date.now().toString(36)}`;
  const topics = tallyTopics(prefix);
  const directory = mkdtempSync(join(tmpdir(), 'stockline-zombie-'));
  await applyTopics(kafka.direct, tallySettings(prefix, topics));
  const start = (name: string) =>
    startMember(name, {
      brokers: kafka.proxied,
      prefix,
      stateDirectory: join(directory, name),
      assignment: 'elastic',
      unfenced,
    });
  const reader = await readCommitted(kafka.direct, placesOf(topics));
  const zombie = start('zombie');
  const load = await startLoad({ brokers: kafka.direct, topics, seed: 1 });
  expect(await within(20_000, () => settled([zombie]))).toBe(true);
  zombie.arm({ point: 'produced', signal: 'SIGSTOP', after: 3 });
  expect(await within(10_000, zombie.stopped)).toBe(true);
  const successor = start('successor');
  const processes = [zombie, successor];
  const isInTime = await within(14_000, () => settled([successor]));
  await load.stop();
  await within(3_000, () => successor.status()?.lagRecords === 0);
  zombie.kill('SIGCONT');
  // It is fenced, or it has committed and gone on.
  await within(4_000, () => zombie.fences() > 0);
  await within(20_000, () => settled(processes) && arrived(topics, reader.seen));
  for (const one of processes) one.kill('SIGTERM');
  await within(12_000, () => processes.every(({ alive }) => !alive()));
  for (const one of processes) one.kill('SIGKILL');
  await reader.stop();
  const log = await readWhole(kafka.direct, [
    ...allTopics(topics),
    changelogName({ name: prefix }),
  ]);
  rmSync(directory, { recursive: true, force: true });
  const faults = [...log.hanging, ...faultsOf(topics, log.seen, expectedOf(topics, log.seen))];
  return { faults, isInTime, wasFenced: zombie.fences() > 0 };
}
