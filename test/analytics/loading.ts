/** Loads what is in a log, then ends. */
import type { AnalyticsStore } from '../../processors/analytics/ports.ts';
import { runSink, type SinkLimits, sinkLimits } from '../../processors/analytics/sink.ts';
import { feedsOf } from '../../processors/analytics/tables.ts';
import type { MemoryLog } from './memory-log.ts';

/** Resolves with what a person was told. */
export async function loadAll(
  log: MemoryLog,
  store: AnalyticsStore,
  channels: readonly string[],
  limits: Partial<SinkLimits> = {},
): Promise<readonly string[]> {
  const feeds = feedsOf(channels);
  const reports: string[] = [];
  const end = new AbortController();
  const expected = [...feeds].reduce(
    (sum, [topic, own]) => sum + log.all(topic).length * own.length,
    0,
  );
  let written = 0;
  let underWay = 0;
  // What was loaded before does not come again, so there is an end by quiet too; an insert that takes long is not quiet.
  const quiet = setTimeout(
    () => {
      if (underWay === 0) end.abort();
      else quiet.refresh();
    },
    expected === 0 ? 50 : 500,
  );
  const busy = async <T>(work: Promise<T>): Promise<T> => {
    underWay += 1;
    try {
      return await work;
    } finally {
      underWay -= 1;
      quiet.refresh();
    }
  };
  await runSink({
    reader: log.reader(),
    store: {
      ...store,
      insert: (rows) => busy(store.insert(rows)),
      select: (query) => busy(store.select(query)),
    },
    feeds,
    signal: end.signal,
    report: (sentence) => reports.push(sentence),
    limits: { ...sinkLimits, lingerMs: 5, idlePollMs: 5, ...limits },
    onWritten: ({ records }) => {
      written += records;
      if (written >= expected) end.abort();
    },
  });
  clearTimeout(quiet);
  return reports;
}
