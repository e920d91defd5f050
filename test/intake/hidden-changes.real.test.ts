/**
 * Changes that a source keeps from its log, planted one by one in real databases: each is refused before it is captured,
 * or told as a gap at the next change of the row.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { beginAnew, connectorState } from '../../processors/adapters/connect-rest.ts';
import { wantedTables } from '../../processors/cli/mappings.ts';
import { type Finding, judgeMariadb, judgePostgres } from '../../processors/cli/source/findings.ts';
import { grantPostgres } from '../../processors/cli/source/grants.ts';
import { mariadbFacts } from '../../processors/cli/source/mariadb-facts.ts';
import { postgresFacts } from '../../processors/cli/source/postgres-facts.ts';
import { openMariadb } from '../../processors/cli/source/url.ts';
import { type CapturedSystem, captureSystem } from '../support/captured-system.ts';
import { mariadbSchema, matrixFigures, matrixMapping, postgresSchema } from './matrix.ts';

type Planted = readonly [what: string, plant: string, undo: string, refusal: RegExp];

const refusals = (findings: readonly Finding[]): string =>
  findings
    .filter(({ level }) => level === 'refusal')
    .map(({ what }) => what)
    .join('; ');

describe('PostgreSQL, before it is captured', () => {
  const database = 'hiddenpg';
  const wanted = wantedTables(matrixMapping(database, 'postgresql'));
  const tables = wanted.map(({ name }) => name);
  const publication = `stockline_${database}`;
  let client: pg.Client;

  beforeAll(async () => {
    const { host, port, adminUser, adminPassword } = inject('stack').postgres;
    const access = { host, port, user: adminUser, password: adminPassword };
    const server = new pg.Client({ ...access, database: 'postgres' });
    await server.connect();
    await server.query(`CREATE DATABASE ${database}`);
    await server.end();
    client = new pg.Client({ ...access, database });
    await client.connect();
    await client.query(postgresSchema);
    await grantPostgres(
      { host, port, adminUser, adminPassword, database },
      { user: 'hidden', password: 'hidden' },
      { name: publication, tables },
    );
  });
  afterAll(() => client?.end());

  const judged = async (): Promise<readonly Finding[]> =>
    judgePostgres(await postgresFacts(client, { tables, publication, slot: publication }), wanted);

  it('S1: is not refused as it is', async () => {
    expect(refusals(await judged())).toBe('');
  });

  it.each<Planted>([
    [
      'a table that is written past the log',
      `ALTER PUBLICATION ${publication} DROP TABLE balance; ALTER TABLE balance SET UNLOGGED`,
      `ALTER TABLE balance SET LOGGED; ALTER PUBLICATION ${publication} ADD TABLE balance`,
      /balance is UNLOGGED/,
    ],
    [
      'deletes that name no row',
      'ALTER TABLE orders REPLICA IDENTITY NOTHING',
      'ALTER TABLE orders REPLICA IDENTITY DEFAULT',
      /IDENTITY NOTHING/,
    ],
    [
      'a publication without updates',
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, delete, truncate')`,
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete, truncate')`,
      /leaves out update/,
    ],
    [
      'a publication without deletes',
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, truncate')`,
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete, truncate')`,
      /leaves out delete/,
    ],
    [
      'a publication without TRUNCATE',
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete')`,
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete, truncate')`,
      /leaves out truncate/,
    ],
    [
      'a publication of some rows',
      `ALTER PUBLICATION ${publication} SET TABLE orders WHERE (id > 10), balance, typed`,
      `ALTER PUBLICATION ${publication} SET TABLE orders, balance, typed`,
      /some rows or columns of public.orders/,
    ],
    [
      'a publication of some columns',
      `ALTER PUBLICATION ${publication} SET TABLE orders (id, sku), balance, typed`,
      `ALTER PUBLICATION ${publication} SET TABLE orders, balance, typed`,
      /some rows or columns of public.orders/,
    ],
    [
      'a publication that has lost a table',
      `ALTER PUBLICATION ${publication} DROP TABLE balance`,
      `ALTER PUBLICATION ${publication} ADD TABLE balance`,
      /not exactly the captured tables: -public.balance/,
    ],
    [
      'a table in partitions that are told under their own names',
      `ALTER PUBLICATION ${publication} SET (publish_via_partition_root = false);
       ALTER TABLE balance RENAME TO balance_before;
       CREATE TABLE balance (LIKE balance_before INCLUDING ALL) PARTITION BY HASH (sku);
       ALTER PUBLICATION ${publication} SET TABLE orders, balance, typed`,
      `DROP TABLE balance; ALTER TABLE balance_before RENAME TO balance;
       ALTER PUBLICATION ${publication} SET TABLE orders, balance, typed;
       ALTER PUBLICATION ${publication} SET (publish_via_partition_root = true)`,
      /under the names of partitions/,
    ],
  ])('S1: %s', async (_what, plant, undo, refusal) => {
    await client.query(plant);
    expect(refusals(await judged())).toMatch(refusal);
    await client.query(undo);
    expect(refusals(await judged())).toBe('');
  });

  it('S1: what apply makes of the publication is whole again', async () => {
    const { host, port, adminUser, adminPassword } = inject('stack').postgres;
    await client.query(`ALTER PUBLICATION ${publication} SET (publish = 'insert')`);
    await client.query(
      `ALTER PUBLICATION ${publication} SET TABLE orders WHERE (id > 10), balance`,
    );
    await grantPostgres(
      { host, port, adminUser, adminPassword, database },
      { user: 'hidden', password: 'hidden' },
      { name: publication, tables },
    );
    expect(refusals(await judged())).toBe('');
  });
});

describe('MariaDB', () => {
  const system = 'hiddenmy';
  const mapping = matrixMapping(system, 'mariadb');
  const wanted = wantedTables(mapping);
  let source: CapturedSystem;

  const figures = () => matrixFigures(source, 'mariadb');
  const gapsOf = (id: number): number =>
    source.alerts().filter(({ id: told }) => told === `gap|${system}|orders ${id}`).length;

  beforeAll(async () => {
    source = await captureSystem({ stack: inject('stack'), mapping, schema: mariadbSchema });
    await source.settles(figures);
    // The log's times are whole seconds: what is committed within a second of the snapshot may be in it.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
  });
  afterAll(() => source?.stop());

  it.each<readonly [string, number, string, string]>([
    [
      'an update',
      1,
      'SET SESSION sql_log_bin = 0; UPDATE orders SET open = 50 WHERE id = 1',
      'UPDATE orders SET open = 51 WHERE id = 1',
    ],
    [
      'an insert, updated later',
      101,
      "SET SESSION sql_log_bin = 0; INSERT INTO orders (id, sku, open) VALUES (101, 'H', 5)",
      'UPDATE orders SET open = 6 WHERE id = 101',
    ],
    [
      'an insert, deleted later',
      102,
      "SET SESSION sql_log_bin = 0; INSERT INTO orders (id, sku, open) VALUES (102, 'H', 5)",
      'DELETE FROM orders WHERE id = 102',
    ],
    [
      'a delete, inserted again later',
      3,
      'SET SESSION sql_log_bin = 0; DELETE FROM orders WHERE id = 3',
      "INSERT INTO orders (id, sku, open) VALUES (3, 'S0', 9)",
    ],
    [
      'an update, deleted later',
      4,
      'SET SESSION sql_log_bin = 0; UPDATE orders SET open = 50 WHERE id = 4',
      'DELETE FROM orders WHERE id = 4',
    ],
    [
      'another SKU',
      5,
      "SET SESSION sql_log_bin = 0; UPDATE orders SET sku = 'OTHER' WHERE id = 5",
      'UPDATE orders SET open = 7 WHERE id = 5',
    ],
    [
      'a statement instead of rows',
      6,
      "SET SESSION binlog_format = 'STATEMENT'; UPDATE orders SET open = 60 WHERE id = 6",
      'UPDATE orders SET open = 61 WHERE id = 6',
    ],
  ])('D3: %s past the log is a gap at the next change', async (_what, id, hide, later) => {
    const session = await source.session();
    await session.sql(hide);
    await session.end();
    await source.sql(later);
    await source.settles(figures);
    const giveUpAt = Date.now() + 10_000;
    while (gapsOf(id) === 0) {
      expect(Date.now()).toBeLessThan(giveUpAt);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it('D3: a session that logs only the columns it changes stops the connector, by name; begun anew all is right', async () => {
    const session = await source.session();
    await session.sql(
      "SET SESSION binlog_row_image = 'MINIMAL'; UPDATE orders SET open = 70 WHERE id = 7",
    );
    await session.end();
    const { connectUrl } = inject('stack');
    const giveUpAt = Date.now() + 20_000;
    for (;;) {
      const { state, cause } = await connectorState(connectUrl, system);
      if (state === 'FAILED') {
        expect(cause).toMatch(/row in orders/);
        break;
      }
      expect(Date.now()).toBeLessThan(giveUpAt);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await beginAnew(connectUrl, system, { deadlineMs: 60_000 });
    await source.sql('UPDATE orders SET open = 71 WHERE id = 7');
    await source.settles(figures);
  });

  it('D3: what nobody hides is no gap', async () => {
    await source.sql('UPDATE orders SET open = open + 1 WHERE id BETWEEN 10 AND 15');
    await source.sql('DELETE FROM orders WHERE id BETWEEN 14 AND 15');
    await source.sql("INSERT INTO orders (id, sku, open) VALUES (14, 'S1', 3)");
    await source.settles(figures);
    for (let id = 10; id <= 15; id += 1) expect(gapsOf(id)).toBe(0);
  });

  it.each<Planted>([
    [
      'rows that go with others, by ON DELETE CASCADE',
      'ALTER TABLE balance ADD COLUMN other bigint unsigned, ADD CONSTRAINT f FOREIGN KEY (other) REFERENCES orders (id) ON DELETE CASCADE',
      'ALTER TABLE balance DROP FOREIGN KEY f, DROP COLUMN other',
      /balance change without a word in the log by f/,
    ],
    [
      'rows that change with others, by ON DELETE SET NULL',
      'ALTER TABLE balance ADD COLUMN other bigint unsigned, ADD CONSTRAINT f FOREIGN KEY (other) REFERENCES orders (id) ON DELETE SET NULL',
      'ALTER TABLE balance DROP FOREIGN KEY f, DROP COLUMN other',
      /without a word in the log/,
    ],
    [
      'rows that change with others, by ON UPDATE CASCADE',
      'ALTER TABLE balance ADD COLUMN other bigint unsigned, ADD CONSTRAINT f FOREIGN KEY (other) REFERENCES orders (id) ON UPDATE CASCADE',
      'ALTER TABLE balance DROP FOREIGN KEY f, DROP COLUMN other',
      /without a word in the log/,
    ],
    [
      'a log of changed columns alone',
      "SET GLOBAL binlog_row_image = 'MINIMAL'",
      "SET GLOBAL binlog_row_image = 'FULL'",
      /binlog_row_image is MINIMAL/,
    ],
    [
      'a log of statements',
      "SET GLOBAL binlog_format = 'STATEMENT'",
      "SET GLOBAL binlog_format = 'ROW'",
      /binlog_format is STATEMENT/,
    ],
    [
      'a log that keeps back long texts',
      "SET GLOBAL binlog_row_image = 'NOBLOB'",
      "SET GLOBAL binlog_row_image = 'FULL'",
      /binlog_row_image is NOBLOB/,
    ],
  ])('S1: %s are refused before capture', async (_what, plant, undo, refusal) => {
    const judged = async (): Promise<string> => {
      const { host, port, adminUser, adminPassword } = inject('stack').mariadb;
      const connection = await openMariadb(
        `mariadb://${adminUser}:${adminPassword}@${host}:${port}/${system}`,
      );
      const names = wanted.map(({ name }) => name);
      const facts = await mariadbFacts(connection, system, names);
      await connection.end();
      return refusals(judgeMariadb(facts, system, wanted));
    };
    await source.sql(plant);
    expect(await judged()).toMatch(refusal);
    await source.sql(undo);
    expect(await judged()).toBe('');
  });
});
