/** The analytics processor: all topics into ClickHouse, and what it says about itself meanwhile. */
import { patientStore } from './patience.ts';
import type { AnalyticsStore, RecordReader } from './ports.ts';
import { runSink, type SinkLimits, type Written } from './sink.ts';
import { feedsOf } from './tables.ts';

export type AnalyticsOptions = {
  readonly reader: RecordReader;
  readonly store: AnalyticsStore;
  /** Sales channels whose topics are loaded. */
  readonly channels: readonly string[];
  readonly signal: AbortSignal;
  readonly report: (sentence: string) => void;
  readonly limits?: SinkLimits;
};

export type AnalyticsStatus = {
  readonly state: 'running' | 'waiting' | 'ended';
  /** Why it waits; empty otherwise. */
  readonly reason: string;
  readonly records: number;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly blocks: number;
  /** How old the oldest record of the last block was when it became readable. */
  readonly lagMs: number;
};

export type Analytics = {
  readonly status: () => AnalyticsStatus;
  /** Resolves after the signal, when the last insert is done; rejects when it cannot go on. */
  readonly done: Promise<void>;
};

const rateWindowMs = 5_000;

/** Starts loading. The tables have to be there: migrate first. */
export function runAnalytics(options: AnalyticsOptions): Analytics {
  let state: AnalyticsStatus['state'] = 'running';
  let reason = '';
  let records = 0;
  let rows = 0;
  let blocks = 0;
  let lagMs = 0;
  const recent: { readonly atMs: number; readonly rows: number }[] = [];

  const onWaiting = (why: string | undefined): void => {
    if (why !== undefined && state !== 'waiting') {
      options.report(`ClickHouse does not take rows, waiting for it: ${why}`);
    }
    if (why === undefined && state === 'waiting') options.report('ClickHouse takes rows again.');
    state = why === undefined ? 'running' : 'waiting';
    reason = why ?? '';
  };
  const onWritten = (written: Written): void => {
    const atMs = Date.now();
    records += written.records;
    rows += written.rows;
    blocks += 1;
    lagMs = written.records === 0 ? 0 : Math.max(0, atMs - written.oldestTimestampMs);
    recent.push({ atMs, rows: written.rows });
  };
  const done = runSink({
    reader: options.reader,
    store: patientStore(options.store, { signal: options.signal, onWaiting }),
    feeds: feedsOf(options.channels),
    signal: options.signal,
    report: options.report,
    onWritten,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
    .catch((error: unknown) => {
      // What was not written by then is read again next time.
      if (!options.signal.aborted) throw error;
    })
    .finally(() => {
      state = 'ended';
    });
  return {
    done,
    status: () => {
      const fromMs = Date.now() - rateWindowMs;
      while ((recent[0]?.atMs ?? fromMs) < fromMs) recent.shift();
      const recentRows = recent.reduce((sum, one) => sum + one.rows, 0);
      const rowsPerSecond = Math.round((recentRows * 1000) / rateWindowMs);
      return { state, reason, records, rows, rowsPerSecond, blocks, lagMs };
    },
  };
}
