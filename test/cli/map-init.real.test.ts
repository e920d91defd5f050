/** Databases that nobody here has seen: drafted, the blanks filled in, looked at, captured; stock equals their own tables. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cutover } from '../../processors/cli/cutover.ts';
import { differenceBy } from '../../processors/cli/map/difference.ts';
import { initMapping } from '../../processors/cli/map/init.ts';
import { sampleOf } from '../../processors/cli/map/sample.ts';
import { restate } from '../../processors/cli/map.ts';
import { openSources } from '../../processors/cli/source/tables.ts';
import type { SystemMapping } from '../../processors/intake/mapping.ts';
import { contradictions } from '../../processors/intake/trial.ts';
import {
  type CapturedSystem,
  captureSystem,
  type Figures,
  figuresOf,
} from '../support/captured-system.ts';
import { seededRandom } from '../support/seeded-random.ts';

const drafts = resolve('.stockline-drafts');
afterAll(() => rmSync(drafts, { recursive: true, force: true }));

/** Blanks are filled in as a person would: by what each asks. */
async function filled(
  system: string,
  url: string,
  answers: readonly (readonly [question: RegExp, answer: string])[],
): Promise<SystemMapping> {
  const folder = `${drafts}/${system}`;
  mkdirSync(folder, { recursive: true });
  await initMapping(system, { source: url, directory: folder });
  const text = readFileSync(`${folder}/mapping.ts`, 'utf8').replace(
    /blank\("((?:[^"\\]|\\.)*)"\)/g,
    (_, question: string) => {
      const answer = answers.find(([pattern]) => pattern.test(question));
      if (answer === undefined) throw new Error(`nobody expected the blank: ${question}`);
      return answer[1];
    },
  );
  writeFileSync(`${folder}/mapping.ts`, text);
  const exported = (await import(pathToFileURL(`${folder}/mapping.ts`).href)) as object;
  return Object.values(exported)[0] as SystemMapping;
}

/** What the drafted connector says, where it is its own and not of its kind. */
function drafted(system: string): Readonly<Record<string, string>> {
  const config = JSON.parse(readFileSync(`${drafts}/${system}/connector.json`, 'utf8'));
  const own = ['table.include.list', 'column.include.list', 'topic.prefix'];
  return Object.fromEntries(own.map((name) => [name, config[name]]));
}

async function inUnits(mapping: SystemMapping, url: string): Promise<Figures> {
  const sources = await openSources(mapping, url, []);
  try {
    const { tried, unreadable } = await sampleOf(mapping, sources, { last: 50 });
    expect([unreadable, contradictions(mapping, tried)]).toEqual([[], []]);
    const { cells, troubles } = await cutover(mapping, sources);
    expect(troubles).toEqual([]);
    return Object.fromEntries(
      cells
        .filter(({ figures }) => figures.onHand !== 0)
        .map(({ sku, location, figures }) => [
          `onHand ${sku} ${location}`,
          (figures.onHand ?? 0) / 1_000,
        ]),
    );
  } finally {
    await Promise.all([...sources.values()].map((source) => source.close()));
  }
}

describe('map init on PostgreSQL: a journal and balances', () => {
  const schema = `
    CREATE TABLE article (article_no varchar(12) PRIMARY KEY, title text NOT NULL);
    CREATE TABLE depot (depot_no int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE stock_level (article_no varchar(12) REFERENCES article, depot_no int REFERENCES depot, on_hand numeric(10,2) NOT NULL,
      PRIMARY KEY (article_no, depot_no));
    CREATE TABLE goods_log (log_id bigserial PRIMARY KEY, article_no varchar(12) NOT NULL, depot_no int NOT NULL, delta numeric(10,2) NOT NULL,
      happened_at timestamptz NOT NULL DEFAULT now(), kind varchar(8) NOT NULL);
    CREATE TABLE visitor (visitor_id serial PRIMARY KEY, name text, born date);
    INSERT INTO article SELECT 'N' || g, 'thing ' || g FROM generate_series(1, 12) g;
    INSERT INTO depot VALUES (1, 'cellar'), (2, 'attic');
    INSERT INTO stock_level SELECT 'N' || g, 1 + g % 2, 5 * g + 0.25 FROM generate_series(1, 12) g;
    INSERT INTO goods_log (article_no, depot_no, delta, kind) SELECT 'N' || g, 1 + g % 2, 5 * g + 1.25, 'IN' FROM generate_series(1, 12) g;
    INSERT INTO goods_log (article_no, depot_no, delta, kind) SELECT 'N' || g, 1 + g % 2, -1, 'OUT' FROM generate_series(1, 12) g;`;
  const query = `SELECT 'onHand ' || article_no || ' ' || depot_no AS name, on_hand::float8 AS sum FROM stock_level`;
  let source: CapturedSystem | undefined;
  let mapping: SystemMapping;
  let url = '';
  beforeAll(async () => {
    const { host, port, adminUser, adminPassword } = inject('stack').postgres;
    const at = `postgresql://${adminUser}:${adminPassword}@${host}:${port}`;
    const server = new pg.Client({ connectionString: `${at}/postgres` });
    await server.connect();
    await server.query('CREATE DATABASE attic_seen');
    await server.end();
    url = `${at}/attic_seen`;
    const seen = new pg.Client({ connectionString: url });
    await seen.connect();
    await seen.query(schema);
    await seen.end();
    mapping = await filled('attic', url, [[/time zone/, "'Europe/Berlin'"]]);
  });
  afterAll(() => source?.stop());

  it('D1: says what it would open with, and ends equal to SQL', async () => {
    expect(mapping.documents.map(({ name }) => name).sort()).toEqual(['goods_log', 'stock_level']);
    const opening = await inUnits(mapping, url);
    const captured = await captureSystem({
      ...{ stack: inject('stack'), mapping, schema },
      extra: drafted('attic'),
    });
    source = captured;
    const figures = () => figuresOf(captured, query);
    await captured.settles(figures);
    expect(captured.told()).toEqual(opening);
    const below = seededRandom(5);
    for (let n = 0; n < 60; n += 1) {
      const article = `N${1 + below(12)}`;
      const depot = 1 + below(2);
      const delta = `${below(9) - 4}.${below(100)}`;
      await captured.sql(
        `BEGIN; INSERT INTO goods_log (article_no, depot_no, delta, kind) VALUES ('${article}', ${depot}, ${delta}, 'MOVE');
         INSERT INTO stock_level VALUES ('${article}', ${depot}, ${delta})
           ON CONFLICT (article_no, depot_no) DO UPDATE SET on_hand = stock_level.on_hand + excluded.on_hand; COMMIT;`,
      );
    }
    await captured.settles(figures);
  });
});

describe('map init on MariaDB: tickets with lines, articles by a code', () => {
  const schema = `
    CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, sku varchar(20) UNIQUE, name varchar(40));
    CREATE TABLE outlets (id int PRIMARY KEY, name varchar(40));
    CREATE TABLE stock (item_id int, outlet_id int, qty int NOT NULL, PRIMARY KEY (item_id, outlet_id), FOREIGN KEY (item_id) REFERENCES items (id));
    CREATE TABLE tickets (id int AUTO_INCREMENT PRIMARY KEY, outlet_id int NOT NULL, created_at datetime NOT NULL, state varchar(8) NOT NULL, customer_name varchar(40));
    CREATE TABLE ticket_items (id int AUTO_INCREMENT PRIMARY KEY, ticket_id int NOT NULL, item_id int NOT NULL, qty int NOT NULL, price decimal(8,2),
      FOREIGN KEY (ticket_id) REFERENCES tickets (id), FOREIGN KEY (item_id) REFERENCES items (id));
    INSERT INTO items (sku, name) SELECT concat('K', seq), 'thing' FROM seq_1_to_10;
    INSERT INTO outlets VALUES (1, 'north'), (2, 'south');
    INSERT INTO stock SELECT seq, 1 + seq % 2, 50 FROM seq_1_to_10;
    INSERT INTO tickets (outlet_id, created_at, state) VALUES (1, '2026-05-01 10:00:00', 'paid'), (2, '2026-05-01 11:00:00', 'void');
    INSERT INTO ticket_items (ticket_id, item_id, qty) VALUES (1, 1, 2), (2, 2, 1);`;
  const query = `SELECT concat('onHand ', i.sku, ' ', s.outlet_id) AS name, s.qty + 0e0 AS sum FROM stock s JOIN items i ON i.id = s.item_id`;
  let source: CapturedSystem | undefined;
  let mapping: SystemMapping;
  let url = '';
  beforeAll(async () => {
    const { host, port, adminUser, adminPassword } = inject('stack').mariadb;
    const connection = await createConnection({
      ...{ host, port, user: adminUser, password: adminPassword, multipleStatements: true },
    });
    await connection.query(`CREATE DATABASE kiosk_seen; USE kiosk_seen; ${schema}`);
    await connection.end();
    url = `mariadb://${adminUser}:${adminPassword}@${host}:${port}/kiosk_seen`;
    const drawn = await filled('kiosk', url, [
      [/time zone/, "'Europe/Berlin'"],
      [/does it count/, "header.state === 'paid'"],
      [/true when the balances/, 'true'],
      [/adds to stock/, '-1'],
    ]);
    mapping = {
      ...drawn,
      schema: 'kiosk',
      lookups: drawn.lookups.map((one) => ({ ...one, system: { ...one.system, schema: 'kiosk' } })),
    };
  });
  afterAll(() => source?.stop());

  it('D1: says what it would open with, and ends equal to SQL', async () => {
    const opening = await inUnits({ ...mapping, schema: 'kiosk_seen' }, url);
    const lists = drafted('kiosk');
    const captured = await captureSystem({
      ...{ stack: inject('stack'), mapping, schema },
      extra: Object.fromEntries(
        Object.entries(lists).map(([name, value]) => [
          name,
          value.replaceAll('kiosk_seen.', 'kiosk.'),
        ]),
      ),
    });
    source = captured;
    const figures = () => figuresOf(captured, query);
    await captured.settles(figures);
    expect(captured.told()).toEqual(opening);
    const below = seededRandom(6);
    for (let n = 0; n < 40; n += 1) {
      const [item, outlet, units] = [1 + below(10), 1 + below(2), 1 + below(3)];
      await captured.sql(
        `BEGIN; INSERT INTO tickets (outlet_id, created_at, state, customer_name) VALUES (${outlet}, now(), 'paid', 'Ada');
         SET @t = last_insert_id(); INSERT INTO ticket_items (ticket_id, item_id, qty) VALUES (@t, ${item}, ${units});
         INSERT INTO stock VALUES (${item}, ${outlet}, -${units}) ON DUPLICATE KEY UPDATE qty = qty - ${units}; COMMIT;`,
      );
      if (n % 8 === 0) {
        await captured.sql(
          `BEGIN; UPDATE tickets SET state = 'void' WHERE id = @t; UPDATE stock SET qty = qty + ${units} WHERE item_id = ${item} AND outlet_id = ${outlet}; COMMIT;`,
        );
      }
    }
    await captured.settles(figures);
    expect(readFileSync(`${drafts}/kiosk/connector.json`, 'utf8')).not.toContain('customer_name');
  });

  it('D1: a wrong sign, found after a while: the difference is shown, then told with its reason; the source is not read again', async () => {
    const captured = source as CapturedSystem;
    const { kafkaBrokers: brokers, registryUrl } = inject('stack');
    const wrong: SystemMapping = {
      ...mapping,
      documents: mapping.documents.map((document) => ({
        ...document,
        effects: (...given: Parameters<typeof document.effects>) =>
          document
            .effects(...given)
            .map((one) => (one.kind === 'event' ? { ...one, quantity: -one.quantity } : one)),
      })),
    };
    await captured.restart(wrong);
    const sold = [1, 2, 3].map((units) => ({ item: units, units }));
    for (const { item, units } of sold) {
      await captured.sql(
        `BEGIN; INSERT INTO tickets (outlet_id, created_at, state) VALUES (1, now(), 'paid'); SET @t = last_insert_id();
         INSERT INTO ticket_items (ticket_id, item_id, qty) VALUES (@t, ${item}, ${units});
         INSERT INTO stock VALUES (${item}, 1, -${units}) ON DUPLICATE KEY UPDATE qty = qty - ${units}; COMMIT;`,
      );
    }
    const figures = () => figuresOf(captured, query);
    const before = captured.told();
    const seenWrong = async () =>
      sold.every(({ item, units }) => {
        const name = `onHand K${item} 1`;
        return (captured.told()[name] ?? 0) === (before[name] ?? 0) + units;
      });
    const giveUpAt = Date.now() + 30_000;
    while (!(await seenWrong())) {
      expect(Date.now()).toBeLessThan(giveUpAt);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { cells } = await differenceBy({ brokers, registryUrl }, mapping);
    const shown = cells.map(({ sku, location, by }) => [sku, location, by / 1_000]);
    expect(shown.sort()).toEqual(sold.map(({ item, units }) => [`K${item}`, '1', -2 * units]));
    await captured.restart(mapping);
    await restate(brokers, 'kiosk', 'the sign was wrong');
    await captured.settles(figures);
    const reasons = captured
      .movements()
      .flatMap(({ effects }) => effects.map(({ reason }) => reason))
      .filter((reason) => reason.startsWith('restatement'));
    expect(new Set(reasons)).toEqual(new Set(['restatement: the sign was wrong']));
  });
});
