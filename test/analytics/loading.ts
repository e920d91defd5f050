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
  const quiet = setTimeout(() => end.abort(), expected === 0 ? 50 : 500);
  await runSink({
    reader: log.reader(),
    store,
    feeds,
    signal: end.signal,
    report: (sentence) => reports.push(sentence),
    limits: { ...sinkLimits, lingerMs: 5, idlePollMs: 5, ...limits },
    onWritten: ({ records }) => {
      written += records;
      quiet.refresh();
      if (written >= expected) end.abort();
    },
  });
  clearTimeout(quiet);
  return reports;
}
