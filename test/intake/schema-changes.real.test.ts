/**
 * ALTER, RENAME, DROP and other types on a table under load: it stops alone, its neighbour's changes go on arriving all
 * the while, and after its mapping is mended nothing is missing.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { SystemKind } from '../../processors/cdc/change.ts';
import type { Column } from '../../processors/cdc/table.ts';
import { type CapturedSystem, captureSystem } from '../support/captured-system.ts';
import { until } from '../support/until.ts';
import { mariadbSchema, matrixFigures, matrixMapping, postgresSchema } from './matrix.ts';

const cases: readonly (readonly [string, SystemKind, string])[] = [
  ['alterpg', 'postgresql', postgresSchema],
  ['altermy', 'mariadb', mariadbSchema],
];
/** Between two movements of the neighbour, while a table is changed, stops and is read again: two restarts of the connector. */
const gapMsMax = 3_000;

type Step = {
  readonly what: string;
  readonly ddl: { readonly postgresql: string; readonly mariadb: string };
  /** The column that has the open quantity afterwards. */
  readonly column: string;
  /** How the mapping has to read it then; absent: as before, and the table does not stop. */
  readonly mended?: Column;
};

const steps: readonly Step[] = [
  {
    what: 'a column that is added',
    ddl: {
      postgresql: 'ALTER TABLE orders ADD COLUMN note text',
      mariadb: 'ALTER TABLE orders ADD COLUMN note varchar(20)',
    },
    column: 'open',
  },
  {
    what: 'a column that gets more digits',
    ddl: {
      postgresql: 'ALTER TABLE orders ALTER COLUMN open TYPE numeric(15,3)',
      mariadb: 'ALTER TABLE orders MODIFY open decimal(15,3) NOT NULL',
    },
    column: 'open',
  },
  {
    what: 'a column that is renamed',
    ddl: {
      postgresql: 'ALTER TABLE orders RENAME COLUMN open TO still_open',
      mariadb: 'ALTER TABLE orders RENAME COLUMN open TO still_open',
    },
    column: 'still_open',
    mended: { type: 'quantity', from: ['open', 'still_open'] },
  },
  {
    what: 'a column that gets another type',
    ddl: {
      postgresql: 'ALTER TABLE orders ALTER COLUMN still_open TYPE double precision',
      mariadb: 'ALTER TABLE orders MODIFY still_open double NOT NULL',
    },
    column: 'still_open',
    mended: { type: 'roundedQuantity', from: ['open', 'still_open'] },
  },
  {
    what: 'a column that is dropped, for another that was added',
    ddl: {
      postgresql:
        'ALTER TABLE orders ADD COLUMN rest double precision; UPDATE orders SET rest = still_open; ALTER TABLE orders DROP COLUMN still_open',
      mariadb:
        'ALTER TABLE orders ADD COLUMN rest double; UPDATE orders SET rest = still_open; ALTER TABLE orders DROP COLUMN still_open',
    },
    column: 'rest',
    mended: { type: 'roundedQuantity', from: ['open', 'still_open', 'rest'] },
  },
];

describe.each(cases)('%s', (system, kind, schema) => {
  const postgres = kind === 'postgresql';
  let source: CapturedSystem;
  let column = 'open';
  let written = 1_000;

  const figures = () => matrixFigures(source, kind, column);
  const tableIsOpen = (): boolean =>
    source.alerts().findLast(({ kind: told }) => told === 'tableStopped')?.open === true;

  /** Two writers until they are told to end: one of the neighbour, one of the table that is changed. */
  const load = () => {
    let isOver = false;
    const neighbour = async (): Promise<void> => {
      const session = await source.session();
      for (let at = 0; !isOver; at += 1) {
        await session.sql(`UPDATE balance SET quantity = quantity + 1 WHERE place = ${at % 10}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await session.end();
    };
    const orders = async (): Promise<void> => {
      const session = await source.session();
      for (; !isOver; written += 1) {
        const name = column;
        try {
          await session.sql(
            `INSERT INTO orders (id, sku, ${name}) VALUES (${written}, 'L${written % 7}', 2)`,
          );
          await session.sql(`UPDATE orders SET ${name} = ${name} + 1 WHERE id = ${written - 5}`);
          await session.sql(`DELETE FROM orders WHERE id = ${written - 50}`);
        } catch (error) {
          // The application learns of the new name a moment later.
          if (name === column && !/column|field/i.test(String(error))) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await session.end();
    };
    const done = Promise.all([neighbour(), orders()]);
    return async (): Promise<void> => {
      isOver = true;
      await done;
    };
  };
  /** The longest time, until it is told to end, in which nothing of the neighbour arrived. */
  const watch = (): (() => number) => {
    let [seen, since, longest] = [source.movements().length, Date.now(), 0];
    const timer = setInterval(() => {
      const arrived = source.movements();
      const isNew = arrived.slice(seen).some(({ sku }) => sku.startsWith('N'));
      seen = arrived.length;
      if (isNew) since = Date.now();
      longest = Math.max(longest, Date.now() - since);
    }, 10);
    return () => {
      clearInterval(timer);
      return longest;
    };
  };
  /** The column is listed, so that it may leave the source. */
  const list = async (name: string): Promise<void> => {
    const config = (await source.connector('GET', '/config')) as Record<string, string>;
    const key = 'column.include.list';
    const listed = `${mapping().schema}.orders.${name}`;
    if (config[key]?.split(',').includes(listed)) return;
    await source.connector('PUT', '/config', { ...config, [key]: `${config[key]},${listed}` });
  };
  const mapping = (read?: Column) => matrixMapping(system, kind, read);

  beforeAll(async () => {
    source = await captureSystem({ stack: inject('stack'), mapping: mapping(), schema });
    const places = postgres
      ? "SELECT 'N' || g, g, 5 FROM generate_series(0, 9) g"
      : "SELECT concat('N', seq), seq, 5 FROM seq_0_to_9";
    await source.sql(`INSERT INTO balance (sku, place, quantity) ${places}`);
    await source.settles(figures);
  });
  afterAll(() => source?.stop());

  it.each(steps)('D3: $what', async (step) => {
    const endLoad = load();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const longestGap = watch();
    for (const statement of step.ddl[kind].split('; ')) await source.sql(statement);
    column = step.column;
    if (step.mended !== undefined) {
      await until(tableIsOpen);
      await list(step.column);
      await source.restart(mapping(step.mended));
      await until(() => !tableIsOpen());
      await source.redrive();
      await source.snapshot('incremental', 'orders');
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await endLoad();
    await source.settles(figures);
    const gapMs = longestGap();
    process.stdout.write(`${system}, ${step.what}: neighbours wait ${gapMs} ms at most\n`);
    expect(gapMs).toBeLessThan(gapMsMax);
  });
});
