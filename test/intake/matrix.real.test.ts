/**
 * What two databases do and Debezium tells, on real parts: after each item, what intake told is what SQL says.
 * One connector per database serves all items; they follow one another.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { beginAnew } from '../../processors/adapters/connect-rest.ts';
import type { SystemKind } from '../../processors/cdc/change.ts';
import { wantedTables } from '../../processors/cli/mappings.ts';
import { judgeMariadb } from '../../processors/cli/source/findings.ts';
import { mariadbFacts } from '../../processors/cli/source/mariadb-facts.ts';
import { openMariadb } from '../../processors/cli/source/url.ts';
import { type CapturedSystem, captureSystem } from '../support/captured-system.ts';
import { mariadbSchema, matrixFigures, matrixMapping, postgresSchema } from './matrix.ts';

const cases: readonly (readonly [string, SystemKind, string])[] = [
  ['matrixpg', 'postgresql', postgresSchema],
  ['matrixmy', 'mariadb', mariadbSchema],
];

describe.each(cases)('%s', (system, kind, schema) => {
  const postgres = kind === 'postgresql';
  const mapping = matrixMapping(system, kind);
  let source: CapturedSystem;
  let openColumn = 'open';

  const figures = () => matrixFigures(source, kind, openColumn);
  const settles = (deadlineMs?: number): Promise<void> => source.settles(figures, deadlineMs);
  const kinds = (): readonly string[] => source.alerts().map((alert) => alert.kind);

  beforeAll(async () => {
    source = await captureSystem({ stack: inject('stack'), mapping, schema });
  });
  afterAll(() => source?.stop());

  it('D1: the initial snapshot', () => settles());

  it('D1: inserts, updates and deletes', async () => {
    await source.sql(
      "INSERT INTO orders (id, sku, open) VALUES (21, 'S1', 2.5), (22, 'S9', 7.125)",
    );
    await source.sql('UPDATE orders SET open = open + 1 WHERE id < 5');
    await source.sql('DELETE FROM orders WHERE id BETWEEN 6 AND 8');
    await settles();
  });

  it('D1: a changed primary key, also of a key that goes round', async () => {
    await source.sql('UPDATE orders SET id = 1021 WHERE id = 21');
    const session = await source.session();
    await session.sql('BEGIN');
    for (const [from, to] of [
      [1, 900],
      [2, 1],
      [900, 2],
    ]) {
      await session.sql(`UPDATE orders SET id = ${to} WHERE id = ${from}`);
    }
    await session.sql('COMMIT');
    await session.end();
    await source.sql("INSERT INTO orders (id, sku, open) VALUES (2000, 'S5', 1)");
    await settles();
  });

  it('O1: interleaved source transactions, and one that is rolled back', async () => {
    const [one, other, lost] = [
      await source.session(),
      await source.session(),
      await source.session(),
    ];
    for (const session of [one, other, lost]) await session.sql('BEGIN');
    const seen = source.movements().length;
    for (let at = 0; at < 10; at += 1) {
      await one.sql(`INSERT INTO orders (id, sku, open) VALUES (${3000 + at}, 'TX1', 1)`);
      await other.sql(`INSERT INTO orders (id, sku, open) VALUES (${4000 + at}, 'TX2', 1)`);
      await lost.sql(`INSERT INTO orders (id, sku, open) VALUES (${5000 + at}, 'TX3', 1)`);
    }
    await other.sql('COMMIT');
    await lost.sql('ROLLBACK');
    await one.sql('COMMIT');
    for (const session of [one, other, lost]) await session.end();
    await settles();
    const told = source.movements().slice(seen);
    expect(told.map(({ sku, effects }) => `${sku} ${effects.length}`)).toEqual([
      'TX2 10',
      'TX1 10',
    ]);
  });

  it('D1: every kind of column', async () => {
    const id = postgres ? '9007199254740993' : '18446744073709551615';
    const [flag, bits] = postgres ? ['true', "B'000000000101'"] : ['1', "b'101'"];
    const float = postgres ? 'float' : '`float`';
    const extra = postgres ? ['', ''] : [', many, whole_year', ", 'a,c', 2026"];
    if (!postgres) await source.sql("SET time_zone = '+00:00'");
    await source.sql(
      `INSERT INTO typed (id, flag, bits, kind, exact, free, ${float}, on_day, at_time, at_instant, of_day${extra[0]})
       VALUES (${id}, ${flag}, ${bits}, 'return', -12.345, 1.23456, 0.1, '2026-05-20', '2026-05-20 12:00:00.123456',
         '2026-05-20 12:00:00.123${postgres ? '+02' : ''}', '08:30:00.250'${extra[1]})`,
    );
    await settles();
    const effect = source
      .movements()
      .flatMap(({ effects }) => effects)
      .find(({ bucket }) => bucket === 'incoming');
    const noon = Date.UTC(2026, 4, 20, 12, 0, 0, 123);
    const values = [id, 1, 5, 'return', -12_345, 1235, 100, Math.floor(noon / 86_400_000), noon];
    const instant = postgres ? noon - 7_200_000 : noon;
    const all = [...values, instant, 30_600_250, ...(postgres ? [] : ['a,c', 2026])];
    expect(effect?.reference).toBe(all.join(' '));
  });

  it('D1: a table that is emptied and filled again in one go, by DELETE', async () => {
    const rows = postgres
      ? "SELECT 'B' || g % 50, g, g % 7 FROM generate_series(1, 5000) g"
      : "SELECT concat('B', seq % 50), seq, seq % 7 FROM seq_1_to_5000";
    await source.sql(`INSERT INTO balance (sku, place, quantity) ${rows}`);
    await settles();
    const seen = source.movements().length;
    const session = await source.session();
    await session.sql('BEGIN');
    await session.sql('DELETE FROM balance');
    await session.sql(`INSERT INTO balance (sku, place, quantity) ${rows}`);
    await session.sql('COMMIT');
    await session.end();
    await source.sql("INSERT INTO orders (id, sku, open) VALUES (6000, 'AFTER', 1)");
    await settles();
    // Nothing but the order after it was told: no cell was ever empty.
    expect(
      source
        .movements()
        .slice(seen)
        .map(({ sku }) => sku),
    ).toEqual(['AFTER']);
  });

  it('D1: TRUNCATE', async () => {
    await source.sql('TRUNCATE TABLE balance');
    await settles();
    expect(kinds()).toContain('tableTruncated');
  });

  // Only PostgreSQL leaves values out of an update.
  if (postgres) {
    it('D1: a long value that stays as it was', async () => {
      await source.sql(
        `INSERT INTO orders (id, sku, open, pad) VALUES (7000, repeat('T', 300), 5, repeat('x', 8000))`,
      );
      await source.sql('UPDATE orders SET open = 3 WHERE id = 7000');
      await settles();
    });
  }

  it('a column that nobody reads does not leave the source', async () => {
    await source.sql("UPDATE orders SET secret = 'someone' WHERE id = 9");
    await source.sql('ALTER TABLE orders ADD COLUMN personal varchar(40)');
    await source.sql("INSERT INTO orders (id, sku, open, personal) VALUES (7100, 'S1', 1, 'me')");
    await settles();
  });

  it('D3: a renamed column stops its table alone, and after its mapping is mended nothing is lost', async () => {
    await source.sql('ALTER TABLE orders RENAME COLUMN open TO open_now');
    openColumn = 'open_now';
    await source.sql("INSERT INTO orders (id, sku, open_now) VALUES (7200, 'S1', 4)");
    await source.sql('UPDATE orders SET open_now = 9 WHERE id = 10');
    await source.sql("INSERT INTO balance (sku, place, quantity) VALUES ('FLOWS', 1, 1)");
    const giveUpAt = Date.now() + 60_000;
    while (source.told()['onHand FLOWS 1'] !== 1 || !kinds().includes('tableStopped')) {
      expect(Date.now()).toBeLessThan(giveUpAt);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // The connector lists the columns that may leave: the new name is added there too.
    const both = { type: 'quantity', from: ['open', 'open_now'] } as const;
    const config = (await source.connector('GET', '/config')) as Record<string, string>;
    await source.connector('PUT', '/config', {
      ...config,
      'column.include.list': `${config['column.include.list']},${mapping.schema}.orders.open_now`,
    });
    await source.restart(matrixMapping(system, kind, both));
    await source.sql("INSERT INTO orders (id, sku, open_now) VALUES (7300, 'S1', 2)");
    const resumedBy = Date.now() + 60_000;
    while (!source.alerts().some((alert) => alert.kind === 'tableStopped' && !alert.open)) {
      expect(Date.now()).toBeLessThan(resumedBy);
      // Until the connector has begun again it still leaves the new name out.
      await source.sql('UPDATE orders SET open_now = open_now + 1 WHERE id = 7300');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await source.redrive();
    // What had no open quantity in the log, since the column was not listed, is read again.
    await source.sql('UPDATE orders SET open_now = open_now + 1 WHERE id IN (7200, 10)');
    await settles();
  });

  it('D1: a connector that is killed and begins again', async () => {
    for (let at = 0; at < 5; at += 1) {
      await source.sql(`INSERT INTO orders (id, sku, open_now) VALUES (${8000 + at}, 'K', 1)`);
      await source.connector('POST', '/restart?includeTasks=true');
    }
    await settles();
  });

  // A client of MariaDB's log notices at its second keep-alive.
  const reconnectsWithinMs = postgres ? 5_000 : 15_000;

  it(`D1: a connection that the database cuts is there again within ${reconnectsWithinMs} ms`, async () => {
    const cutAt = Date.now();
    if (postgres) {
      await source.sql(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'stockline_${system}'`,
      );
    } else {
      const readers = await source.sql(
        "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'",
      );
      for (const { id } of readers) await source.sql(`KILL ${id}`);
    }
    await source.sql("INSERT INTO orders (id, sku, open_now) VALUES (8050, 'K', 1)");
    await settles();
    expect(Date.now() - cutAt).toBeLessThan(reconnectsWithinMs);
  });

  it('D1: a new snapshot takes back the rows that were deleted meanwhile', async () => {
    await beginAnew(inject('stack').connectUrl, system, {
      deadlineMs: 60_000,
      whileStopped: async () => {
        await source.sql('DELETE FROM orders WHERE id BETWEEN 11 AND 16');
        await source.sql("INSERT INTO orders (id, sku, open_now) VALUES (8100, 'NEW', 1)");
        if (postgres) {
          await source.sql(`SELECT pg_drop_replication_slot('stockline_${system}')`);
        } else await source.sql('FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE now()');
      },
    });
    await settles();
    await source.sql("INSERT INTO orders (id, sku, open_now) VALUES (8101, 'NEW', 1)");
    await settles();
  });

  if (postgres) return;

  it('changes that MariaDB hides raise an alarm at the next change of the row', async () => {
    // The log's times are whole seconds: what is committed within a second of the snapshot may be in it.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    await source.sql('UPDATE orders SET open_now = 5 WHERE id = 17');
    await settles();
    const gaps = () => kinds().filter((one) => one === 'gap').length;
    const before = gaps();
    const hidden = await source.session();
    await hidden.sql('SET SESSION sql_log_bin = 0');
    await hidden.sql('UPDATE orders SET open_now = 50 WHERE id = 17');
    await hidden.end();
    await source.sql('UPDATE orders SET open_now = 51 WHERE id = 17');
    await settles();
    expect(gaps()).toBe(before + 1);
  });

  it('S1: a table whose rows the engine deletes silently is refused before it is captured', async () => {
    await source.sql(
      'ALTER TABLE balance ADD COLUMN order_id bigint unsigned, ADD FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE',
    );
    const { host, port, adminUser, adminPassword } = inject('stack').mariadb;
    const connection = await openMariadb(
      `mariadb://${adminUser}:${adminPassword}@${host}:${port}/${system}`,
    );
    const wanted = wantedTables(mapping);
    const names = wanted.map(({ name }) => name);
    const facts = await mariadbFacts(connection, system, names);
    await connection.end();
    const refused = judgeMariadb(facts, system, wanted).filter(({ level }) => level === 'refusal');
    expect(refused.map(({ what }) => what).join()).toMatch(
      /balance change without a word in the log/,
    );
  });
});
