/** A real embedded ClickHouse in a folder of its own, for one test file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouse, openClickHouse } from '../../processors/adapters/clickhouse/client.ts';
import { migrate } from '../../processors/adapters/clickhouse/migrate.ts';

export type Engine = {
  readonly folder: string;
  /** A fresh database with all tables and views, in the same engine. */
  readonly database: () => Promise<ClickHouse>;
  readonly open: (database: string) => Promise<ClickHouse>;
  /** Its folder stays, for the next `open`. */
  readonly end: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export function startEngine(): Engine {
  const folder = mkdtempSync(join(tmpdir(), 'stockline-analytics-'));
  const opened: ClickHouse[] = [];
  const open = async (database: string): Promise<ClickHouse> => {
    const clickHouse = await openClickHouse({
      database,
      engine: { kind: 'embedded', path: `${folder}/clickhouse` },
    });
    opened.push(clickHouse);
    return clickHouse;
  };
  const end = async (): Promise<void> => {
    for (const clickHouse of opened.splice(0)) await clickHouse.close();
  };
  return {
    folder,
    open,
    end,
    database: async () => {
      const clickHouse = await open(`test_${opened.length}`);
      await migrate(clickHouse);
      return clickHouse;
    },
    close: async () => {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
