/** Tables that are read again while changes go on: in pieces between them, or at one moment before which they wait. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectorState } from '../../processors/adapters/connect-rest.ts';
import type { SystemKind } from '../../processors/cdc/change.ts';
import { type CapturedSystem, captureSystem } from '../support/captured-system.ts';
import { mariadbSchema, matrixFigures, matrixMapping, postgresSchema } from './matrix.ts';

const cases: readonly (readonly [string, SystemKind, string])[] = [
  ['againpg', 'postgresql', postgresSchema],
  ['againmy', 'mariadb', mariadbSchema],
];
const rows = 5_000;

describe.each(cases)('%s', (system, kind, schema) => {
  const postgres = kind === 'postgresql';
  let source: CapturedSystem;
  let written = 100_000;

  const figures = () => matrixFigures(source, kind);
  const reads = async (): Promise<number> =>
    (await source.changes('orders')).filter(({ operation }) => operation === 'r').length;
  /** Writes and deletes rows of both tables until it is told to end. */
  const load = (): (() => Promise<void>) => {
    let isOver = false;
    const run = async (): Promise<void> => {
      const session = await source.session();
      for (let at = 0; !isOver; at += 1) {
        written += 1;
        const id = 1 + ((at * 37) % rows);
        await session.sql(`UPDATE orders SET open = open + 1 WHERE id = ${id}`);
        await session.sql(`DELETE FROM orders WHERE id = ${1 + ((at * 61) % rows)}`);
        await session.sql(
          `INSERT INTO orders (id, sku, open) VALUES (${written}, 'L${at % 9}', 2)`,
        );
        await session.sql(`UPDATE balance SET quantity = quantity + 1 WHERE place = ${at % 20}`);
      }
      await session.end();
    };
    const done = run();
    return async () => {
      isOver = true;
      await done;
    };
  };

  beforeAll(async () => {
    source = await captureSystem({
      stack: inject('stack'),
      mapping: matrixMapping(system, kind),
      schema,
    });
    const series = postgres
      ? [
          `generate_series(21, ${rows}) g`,
          'generate_series(0, 19) g',
          'g',
          "'S' || g % 9",
          "'B' || g",
        ]
      : [`seq_21_to_${rows}`, 'seq_0_to_19', 'seq', "concat('S', seq % 9)", "concat('B', seq)"];
    const [orders, places, number, sku, article] = series;
    await source.sql(
      `INSERT INTO orders (id, sku, open) SELECT ${number}, ${sku}, 1 FROM ${orders}`,
    );
    await source.sql(
      `INSERT INTO balance (sku, place, quantity) SELECT ${article}, ${number}, 5 FROM ${places}`,
    );
    await source.settles(figures);
  });
  afterAll(() => source?.stop());

  it.each(['incremental', 'blocking'] as const)('D1: an %s snapshot beside a load', async (how) => {
    const before = await reads();
    const endLoad = load();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await source.snapshot(how, 'orders');
    const giveUpAt = Date.now() + 60_000;
    for (let last = -1, now = before; now === before || now > last; now = await reads()) {
      expect(Date.now()).toBeLessThan(giveUpAt);
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    await endLoad();
    expect((await connectorState(inject('stack').connectUrl, system)).state).toBe('RUNNING');
    await source.settles(figures);
    const [{ count } = {}] = await source.sql(
      'SELECT count(*) AS count FROM orders WHERE id <= 5000',
    );
    // Some are deleted meanwhile; those that changed while they were read need no read.
    expect((await reads()) - before).toBeGreaterThan(Number(count) / 2);
    expect(await source.deadLetters()).toEqual([]);
    expect(source.alerts().filter(({ open }) => open)).toEqual([]);
  });
});
