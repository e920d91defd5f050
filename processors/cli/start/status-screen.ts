/** What `npm start` shows while it runs. */

import { countsOf, processorsOf } from '../../processes/status.ts';
import type { Screen } from '../screen.ts';
import type { Demonstration } from './demonstration.ts';

let before: { readonly atMs: number; readonly changes: number } | undefined;

export function drawStatus(screen: Screen, demonstration: Demonstration): void {
  const { figures, processors, addresses, simulator } = demonstration;
  const counts = countsOf(processors.status);
  const changesPerSecond = rate(counts.changes);
  const latency = figures.recentLatency();
  const commits = simulator.progress();
  const sources = Object.entries(commits.bySystem).map(([system, count]) => [
    system,
    `${count} transactions`,
  ]);
  const hops = processorsOf(processors.status).map(([name, one]) => [
    name,
    `${one.records} records`,
    `lag ${one.lagRecords} (${one.lagSeconds.toFixed(1)} s)`,
    `commit ${one.lastCommitMs.toFixed(0)} ms`,
  ]);
  const analyticsUrl = [...processors.status.values()].find(
    (one) => one.analyticsUrl !== undefined,
  )?.analyticsUrl;
  const apiUrl = [...processors.status.values()].find((one) => one.apiUrl !== undefined)?.apiUrl;
  screen.draw(
    [
      { title: 'Sources', rows: sources },
      { title: 'Hops', rows: hops },
      {
        title: 'Stock',
        rows: [
          ['cells', String(figures.cells.size), 'channel figures', String(figures.sellable.size)],
          ['changes/s', changesPerSecond.toFixed(0), 'changes', String(counts.changes)],
          ['duplicates', String(counts.duplicates), 'dead letters', String(counts.deadLetters)],
          ['alerts', String(figures.alerts), 'negative cells', String(figures.negativeCells())],
          ['source → channel, last minute', `p50 ${latency.p50} ms`, `p99 ${latency.p99} ms`],
        ],
      },
      {
        title: 'Addresses',
        rows: [
          ['Kafka', addresses.kafkaBrokers, 'registry', addresses.registryUrl],
          ['Connect', addresses.connectUrl, 'analytics', analyticsUrl ?? 'starting'],
          ['API', apiUrl ?? 'starting', 'key', 'run/api.key under the data directory'],
        ],
      },
    ],
    `${commits.transactions} source transactions, ${changesPerSecond.toFixed(0)} changes/s, ` +
      `${figures.cells.size} cells, ${counts.duplicates} duplicates, ${counts.deadLetters} dead letters, ` +
      `latency of the last minute p50 ${latency.p50} ms p99 ${latency.p99} ms`,
  );
}

/** Per second since the last drawing. */
function rate(changes: number): number {
  const now = { atMs: Date.now(), changes };
  const perSecond =
    before === undefined || now.atMs === before.atMs
      ? 0
      : ((now.changes - before.changes) * 1000) / (now.atMs - before.atMs);
  before = now;
  return Math.max(0, perSecond);
}
