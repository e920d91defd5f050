import { openClickHouse } from '../../processors/adapters/clickhouse-client.ts';
import { serveClickHouse } from '../../processors/adapters/clickhouse-endpoint.ts';
import { migrate } from '../../processors/adapters/clickhouse-migrate.ts';

const ch = await openClickHouse({
  database: 'stockline',
  engine: { kind: 'embedded', path: '/tmp/an/ch2' },
});
await migrate(ch);
await serveClickHouse({
  clickHouse: ch,
  runFile: '/tmp/an/run.json',
  port: 18123,
  access: { user: 'analyst', key: 'se:cret' },
});
setTimeout(() => process.exit(0), 240000);
