/** `npm run generate`: writes Grafana's JSON of each board, and the data dictionary, beside this file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openClickHouse } from '../processors/adapters/clickhouse/client.ts';
import { migrate } from '../processors/adapters/clickhouse/migrate.ts';
import { clickHouseStore } from '../processors/adapters/clickhouse/store.ts';
import { boards } from './boards.ts';
import { dictionary } from './dictionary.ts';
import { grafanaBoard } from './grafana.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

mkdirSync(`${here}boards`, { recursive: true });
for (const board of boards) {
  const text = `${JSON.stringify(grafanaBoard(board), null, 2)}\n`;
  writeFileSync(`${here}boards/${board.uid}.json`, text);
}
const folder = mkdtempSync(join(tmpdir(), 'stockline-dictionary-'));
const clickHouse = await openClickHouse({
  database: 'stockline',
  engine: { kind: 'embedded', path: folder },
});
await migrate(clickHouse);
writeFileSync(`${here}dictionary.md`, await dictionary(clickHouseStore(clickHouse).select));
await clickHouse.close();
rmSync(folder, { recursive: true, force: true });
rmSync(`${folder}.blocks`, { recursive: true, force: true });
