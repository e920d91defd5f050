/**
 * A process that loads a fixed log into the embedded engine of a folder, as the analytics process does:
 * `loading-process.ts <folder> <records>`. It says "loading" when it begins and ends by itself when all is loaded.
 */
import { openClickHouse } from '../../processors/adapters/clickhouse/client.ts';
import { migrate } from '../../processors/adapters/clickhouse/migrate.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import { runAnalytics } from '../../processors/analytics/run.ts';
import { sinkLimits } from '../../processors/analytics/sink.ts';
import { feedsOf } from '../../processors/analytics/tables.ts';
import { fixedLog } from './fixed-log.ts';

const [folder = '', records = '0'] = process.argv.slice(2);
const log = fixedLog(Number(records));
const end = new AbortController();
process.once('SIGTERM', () => end.abort());

const clickHouse = await openClickHouse({
  database: 'stockline',
  engine: { kind: 'embedded', path: folder },
});
await migrate(clickHouse);
const store = clickHouseStore(clickHouse);
const feeds = feedsOf(['web']);
const analytics = runAnalytics({
  reader: log.reader(),
  store,
  channels: ['web'],
  signal: end.signal,
  report: (sentence) => process.stderr.write(`${sentence}\n`),
  limits: { ...sinkLimits, lingerMs: 5, pollRecordsMax: 50, blockRecordsMax: 200 },
});
process.stdout.write('loading\n');
while (!end.signal.aborted && !(await allIsLoaded())) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
end.abort();
await analytics.done;
await clickHouse.close();

/** Each table holds the last record of each partition that goes to it: blocks are inserted whole and in order. */
async function allIsLoaded(): Promise<boolean> {
  const bounds = await log.reader().bounds([...feeds.keys()]);
  for (const table of new Set([...feeds.values()].flat().map((feed) => feed.table))) {
    const held = await store.select(
      `SELECT _topic, _partition, toString(max(_offset) + 1) FROM ${table} GROUP BY _topic, _partition`,
    );
    const missing = bounds.filter(
      ({ topic, partition, end }) =>
        end > 0n &&
        feeds.get(topic)?.some((feed) => feed.table === table) &&
        !held.some((row) => row[0] === topic && row[1] === partition && row[2] === String(end)),
    );
    if (missing.length > 0) return false;
  }
  return true;
}
