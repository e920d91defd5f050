/**
 * A process that loads a fixed log into the embedded engine of a folder, as the analytics process does:
 * `loading-process.ts <folder> <records>`. It says "loading" when it begins and ends by itself when all is loaded.
 */
import { openClickHouse } from '../../processors/adapters/clickhouse-client.ts';
import { migrate } from '../../processors/adapters/clickhouse-migrate.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse-store.ts';
import { runAnalytics } from '../../processors/analytics/run.ts';
import { sinkLimits } from '../../processors/analytics/sink.ts';
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
const analytics = runAnalytics({
  reader: log.reader(),
  store: clickHouseStore(clickHouse),
  channels: ['web'],
  signal: end.signal,
  report: (sentence) => process.stderr.write(`${sentence}\n`),
  limits: { ...sinkLimits, lingerMs: 5, pollRecordsMax: 50, blockRecordsMax: 200 },
});
process.stdout.write('loading\n');
let quietSinceMs = Date.now();
let blocks = 0;
const watch = setInterval(() => {
  if (analytics.status().blocks !== blocks) quietSinceMs = Date.now();
  blocks = analytics.status().blocks;
  if (blocks > 0 && Date.now() - quietSinceMs > 500) end.abort();
}, 50);
await analytics.done;
clearInterval(watch);
await clickHouse.close();
