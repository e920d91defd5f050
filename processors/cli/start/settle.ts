/** The end of a run: wait until all has arrived, compare with every truth there is, and say it as a table. */

import { processorsOf } from '../../processes/status.ts';
import { layOut } from '../screen.ts';
import { Unanswered } from '../sql.ts';
import { type Comparison, compare, type Mismatches } from './compare.ts';
import type { Demonstration } from './demonstration.ts';
import { latencyText, type Percentiles } from './figures.ts';

export type Result = {
  readonly transactions: number;
  readonly changes: number;
  readonly movements: number;
  readonly cells: number;
  readonly duplicates: number;
  readonly deadLetters: number;
  readonly latencyMs: Percentiles & { readonly bySource: Readonly<Record<string, Percentiles>> };
  readonly mismatches: Mismatches;
  readonly examples: readonly string[];
  /** Records and Kafka transactions of each processor since its process started. */
  readonly processors: Readonly<
    Record<string, { readonly records: number; readonly transactions: number }>
  >;
};

const pollMs = 500;
/** Nothing new anywhere for this long, though something is missing: it will not come any more. */
const quietMs = 60_000;
/** Analytics is given up when it has not answered for this long. */
const unansweredMs = 600_000;

export async function settleAndCompare(
  demonstration: Demonstration,
  transactions: number,
  signal: AbortSignal,
): Promise<Result> {
  const { simulator, figures } = demonstration;
  await simulator.settle();
  const truth = simulator.truth().cells;
  const legacySql = await demonstration.legacySql();
  const isStill = createStandstill();
  for (;;) {
    if (signal.aborted) throw new Error('interrupted before all had arrived');
    const analytics = await patient(demonstration.analyticsFigures, signal);
    const comparison = compare({
      ours: figures.cells,
      truth,
      legacySql,
      sellable: figures.sellable,
      policies: demonstration.policies,
      clickhouseCells: analytics.cells,
      clickhouseSellable: analytics.sellable,
    });
    const equal = Object.values(comparison.mismatches).every((count) => count === 0);
    if (equal || isStill(comparison, figures.lastRecordAtMs, Date.now())) {
      const counts = demonstration.counts();
      const latency = figures.latency();
      return {
        transactions,
        ...counts,
        cells: figures.cells.size,
        latencyMs: { ...latency.all, bySource: latency.bySource },
        ...comparison,
        processors: Object.fromEntries(
          processorsOf(demonstration.processors.status).map(([name, { records, transactions }]) => [
            name,
            { records, transactions },
          ]),
        ),
      };
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/**
 * Asks again while there is no answer: analytics gives way to everything else, and on a busy machine it answers when the
 * rest has been worked off.
 */
export async function patient<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  { deadlineMs, pauseMs } = { deadlineMs: unansweredMs, pauseMs: pollMs },
): Promise<T> {
  const startedMs = Date.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isOver = signal.aborted || Date.now() - startedMs > deadlineMs;
      if (isOver || !(error instanceof Unanswered)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/**
 * Whether no record has come for long and what differs is the same as then: ClickHouse loads behind the topics, on a
 * busy machine far behind.
 */
export function createStandstill(): (
  comparison: Comparison,
  lastRecordAtMs: number,
  nowMs: number,
) => boolean {
  let differed = '';
  let changedAtMs = 0;
  return (comparison, lastRecordAtMs, nowMs) => {
    const differs = JSON.stringify(comparison);
    if (differs !== differed) changedAtMs = nowMs;
    differed = differs;
    return nowMs - Math.max(changedAtMs, lastRecordAtMs) > quietMs;
  };
}

export function resultTable(result: Result): string {
  const rows: string[][] = [
    ['source transactions', String(result.transactions)],
    ['changes', String(result.changes)],
    ['movements', String(result.movements)],
    ['cells', String(result.cells)],
    ['duplicates', String(result.duplicates)],
    ['dead letters', String(result.deadLetters)],
    ['latency', latencyText(result.latencyMs)],
    ...Object.entries(result.latencyMs.bySource).map(([system, latency]) => [
      `latency ${system}`,
      latencyText(latency),
    ]),
    ...Object.entries(result.mismatches).map(([name, count]) => [
      `mismatches ${name}`,
      String(count),
    ]),
  ];
  return [...layOut(rows), ...result.examples.map((example) => `  ${example}`)].join('\n');
}
