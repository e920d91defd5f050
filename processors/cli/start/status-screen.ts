/** What `npm start` shows while it runs. */

import { countsOf, type ProcessorStatus, processorsOf } from '../../processes/status.ts';
import type { Screen } from '../screen.ts';
import type { Demonstration } from './demonstration.ts';
import { latencyText } from './figures.ts';

/** A process that has much to do tells of itself in lumps: over half a second that is nothing, or too much. */
const rateOverMs = 10_000;

/** Draws the state of things as it is at each call. */
export function statusScreen(
  screen: Screen,
  { figures, processors, addresses, simulator }: Demonstration,
): () => void {
  const changeRate = recentRate();
  return () => {
    const counts = countsOf(processors.status);
    const changesPerSecond = changeRate(counts.changes, Date.now()).toFixed(0);
    const latency = latencyText(figures.recentLatency());
    const commits = simulator.progress();
    const statuses = [...processors.status.values()];
    const analyticsUrl = statuses.find((one) => one.analyticsUrl !== undefined)?.analyticsUrl;
    const apiUrl = statuses.find((one) => one.apiUrl !== undefined)?.apiUrl;
    const hops = processorsOf(processors.status);
    screen.draw(
      [
        {
          title: 'Sources',
          rows: Object.entries(commits.bySystem).map(([system, count]) => [
            system,
            `${count} transactions`,
          ]),
        },
        { title: 'Hops', rows: hops.map(hopRow) },
        {
          title: 'Stock',
          rows: [
            ['cells', String(figures.cells.size), 'channel figures', String(figures.sellable.size)],
            ['changes/s', changesPerSecond, 'changes', String(counts.changes)],
            ['duplicates', String(counts.duplicates), 'dead letters', String(counts.deadLetters)],
            ['alerts', String(figures.alerts), 'negative cells', String(figures.negativeCells())],
            ['source → channel, last minute', latency],
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
      `${commits.transactions} source transactions, ${changesPerSecond} changes/s, ${figures.cells.size} cells, ` +
        `${counts.duplicates} duplicates, ${counts.deadLetters} dead letters, ${lagText(hops)}, ` +
        `source to channel in the last minute ${latency}`,
    );
  };
}

type Hop = readonly [string, ProcessorStatus];

function hopRow([name, { records, lagRecords, lagSeconds, lastCommitMs }]: Hop): readonly string[] {
  return [
    name,
    `${records} records`,
    `lag ${lagRecords} (${lagSeconds.toFixed(1)} s)`,
    `commit ${lastCommitMs.toFixed(0)} ms`,
  ];
}

/** The hop that is furthest behind. */
export function lagText(hops: readonly Hop[]): string {
  const [worst] = [...hops].sort(([, one], [, other]) => other.lagSeconds - one.lagSeconds);
  if (worst === undefined) return 'no hop yet';
  const [name, { lagSeconds }] = worst;
  return lagSeconds === 0 ? 'no lag' : `lag ${lagSeconds.toFixed(1)} s (${name})`;
}

/** Of a count that grows: how much per second, over the last ten seconds. A count that begins anew is 0 until then. */
export function recentRate(): (count: number, atMs: number) => number {
  let seen: readonly { readonly atMs: number; readonly count: number }[] = [];
  return (count, atMs) => {
    // The youngest that is old enough stays: the span is at least as long as asked for once there is so much.
    const from = seen.findLastIndex((one) => one.atMs <= atMs - rateOverMs);
    seen = [...seen.slice(Math.max(0, from)), { atMs, count }];
    const oldest = seen[0];
    if (oldest === undefined || oldest.atMs === atMs) return 0;
    return Math.max(0, ((count - oldest.count) * 1_000) / (atMs - oldest.atMs));
  };
}
