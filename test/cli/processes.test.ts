/** The processors as child processes: which of them give way on a busy machine, and what is told when one ends. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { causeIn, startProcessors } from '../../processors/processes/child-processes.ts';
import { until } from '../support/until.ts';

/** They tell their status, though there is no Kafka. */
const nowhere = 'http://127.0.0.1:9';

it('analytics gives way to what channels wait for once it works, as a process and as a session of its own', async () => {
  const logDirectory = mkdtempSync(join(tmpdir(), 'stockline-processes-'));
  const processors = startProcessors({
    processes: { analytics: 'anomalies', carts: 'carts' },
    environment: {
      STOCKLINE_KAFKA: new URL(nowhere).host,
      STOCKLINE_REGISTRY: nowhere,
      STOCKLINE_STATE: logDirectory,
    },
    logDirectory,
    note: () => {},
  });
  try {
    const analytics = await until(() => childThatWorks('anomalies'), 5_000);
    const carts = await until(() => childThatWorks('carts'), 5_000);
    const ours = getPriority(process.pid);
    expect([getPriority(analytics), getPriority(carts)]).toEqual([ours, ours]);
    await processors.ready(60_000);
    expect([getPriority(analytics), getPriority(carts)]).toEqual([19, ours]);
    if (!existsSync(`/proc/${analytics}/autogroup`)) return;
    await until(() => sessionOf(analytics).endsWith('nice 19'), 5_000);
    expect(sessionOf(carts)).toMatch(/nice 0$/);
  } finally {
    await processors.stop();
    rmSync(logDirectory, { recursive: true, force: true });
  }
});

it('a process that has ended is told of with the last error that it logged', () => {
  const line = (level: number, error: string) => JSON.stringify({ level, error, msg: 'ended' });
  const log = [line(50, 'first'), line(50, 'PipelineError: the last'), line(30, 'no error'), 'cut'];
  expect(causeIn(log.join('\n'))).toEqual(['PipelineError: the last']);
  expect(causeIn('Error: not of our logger\n')).toEqual([]);
});

/** The pid of our child with this STOCKLINE_PROCESSORS. */
function childThatWorks(processors: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      return parent === process.pid && environment.includes(`STOCKLINE_PROCESSORS=${processors}`);
    } catch {
      return false;
    }
  });
}

function sessionOf(pid: number): string {
  return readFileSync(`/proc/${pid}/autogroup`, 'utf8').trim();
}
