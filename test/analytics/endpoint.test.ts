/** The read-only endpoint on a real embedded ClickHouse, and `stockline sql` against it. */
import { existsSync, readFileSync } from 'node:fs';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveClickHouse } from '../../processors/adapters/clickhouse/endpoint.ts';
import { readingStatement } from '../../processors/adapters/clickhouse/statement.ts';
import { readTotals } from '../../processors/analytics/totals.ts';
import { askAnalytics } from '../../processors/cli/sql.ts';
import { type Served, serve } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const post = (body: string, search = '') => served.post(body, search);

describe('the endpoint', () => {
  it('answers in the format that is asked for', async () => {
    const query = 'SELECT sku, on_hand FROM stock_now ORDER BY sku';
    expect(await post(query)).toEqual({ status: 200, text: 'A\t1.5\nB\t-2\n' });
    expect((await post(query, '?default_format=CSV')).text).toBe('"A",1.5\n"B",-2\n');
    expect((await post(`${query} FORMAT JSONEachRow;`)).text).toBe(
      '{"sku":"A","on_hand":1.5}\n{"sku":"B","on_hand":-2}\n',
    );
    const inUrl = await fetch(`${served.endpoint.url}/?query=${encodeURIComponent(query)}`);
    expect(await inUrl.text()).toBe('A\t1.5\nB\t-2\n');
    expect(await (await fetch(`${served.endpoint.url}/ping`)).text()).toBe('Ok.\n');
  });

  it('says what the engine says when a query is wrong', async () => {
    const wrong = await post('SELECT colour FROM stock_now');
    expect(wrong.status).toBe(400);
    expect(wrong.text).toMatch(/^Code: 47\. DB::Exception: .*colour.*\(UNKNOWN_IDENTIFIER\)/);
  });

  it.each([
    "INSERT INTO stock_levels (sku) VALUES ('x')",
    'DROP TABLE stock_levels',
    'CREATE TABLE x (a Int32) ENGINE = Memory',
    'ALTER TABLE stock_levels DELETE WHERE 1',
    'SET readonly = 0',
    'SELECT 1; SELECT 2',
    "SELECT 1; INSERT INTO stock_levels (sku) VALUES ('x')",
    "SELECT 1 INTO OUTFILE 'result.csv'",
    'SELECT 1 SETTINGS readonly = 0',
    'SELECT 1 SETTINGS max_execution_time = 1000',
    "SELECT * FROM file('settings.csv', 'CSV', 'a String')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM s3('http://127.0.0.1:1/b/x', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
    "SELECT * FROM `ur\\x6c`('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT file('/etc/hostname')",
    'SELECT "file" (\'/etc/hostname\')',
    "SELECT FILE/**/('/etc/hostname')",
    "DESCRIBE url('http://127.0.0.1:1/x')",
    "SELECT * FROM executable('x', 'TSV', 'a String')",
    'CREATE TEMPORARY TABLE x (a Int32)',
    '',
  ])('refuses: %s', async (statement) => {
    const refused = await post(statement);
    expect(refused.status).toBe(400);
    expect(refused.text).toMatch(/READONLY/);
    expect((await post('SELECT count() FROM stock_now')).text).toBe('2\n');
  });

  it('refuses writes by the engine too, when they get past the statement check', async () => {
    const [guest] = served.clickHouse.guests;
    await expect(guest?.command({ query: 'DROP TABLE stock_levels' })).rejects.toThrow(/readonly/);
    await expect(guest?.command({ query: 'SET readonly = 0' })).rejects.toThrow(/readonly/);
  });

  it('bounds a result', async () => {
    const large = await post('SELECT number FROM numbers(2000000)');
    expect(large).toMatchObject({ status: 400 });
    expect(large.text).toMatch(/TOO_MANY_ROWS_OR_BYTES/);
  });

  it('never gives what a failed query had put out to the next one', async () => {
    const failing = 'SELECT throwIf(number > 500000) FROM numbers(2000000)';
    const answers = await Promise.all(
      [failing, 'SELECT 1', failing, 'SELECT 1', failing, 'SELECT 1'].map((query) => post(query)),
    );
    expect(answers.map((answer) => answer.status)).toEqual([400, 200, 400, 200, 400, 200]);
    expect(answers.filter(({ status }) => status === 200).map(({ text }) => text)).toEqual([
      '1\n',
      '1\n',
      '1\n',
    ]);
  });

  it('answers the ordinary ClickHouse client', async () => {
    const client = createClient({ url: served.endpoint.url });
    const result = await client.query({
      query: 'SELECT sku FROM stock_now ORDER BY sku',
      format: 'JSONEachRow',
    });
    expect(await result.json()).toEqual([{ sku: 'A' }, { sku: 'B' }]);
    await client.close();
  });
});

describe('stockline sql', () => {
  it('finds the running pipeline and prints what it answers', async () => {
    expect(
      await askAnalytics(served.runDirectory, 'SELECT sku FROM stock_now ORDER BY sku', 'CSV'),
    ).toBe('"A"\n"B"\n');
    await expect(askAnalytics(served.runDirectory, 'SELECT nothing', 'CSV')).rejects.toThrow(
      /nothing/,
    );
  });

  it('gives the totals that a comparison needs', async () => {
    const totals = await readTotals(async (query) => {
      const text = await askAnalytics(served.runDirectory, query, 'JSONCompactEachRow');
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    });
    expect(totals.cells.get('A|S01')).toMatchObject({ onHand: 1500, available: 1500, reserved: 0 });
    expect(totals.cells.get('B|S01')?.onHand).toBe(-2000);
  });

  it('says how to start the pipeline when it does not run', async () => {
    await expect(
      askAnalytics(`${served.engine.folder}/nowhere`, 'SELECT 1', 'CSV'),
    ).rejects.toThrow(/the pipeline does not run here[\s\S]*npm start/);
    const other = await serveClickHouse({
      clickHouse: served.clickHouse,
      runFile: `${served.engine.folder}/gone/analytics.json`,
    });
    const told = readFileSync(`${served.engine.folder}/gone/analytics.json`, 'utf8');
    await other.close();
    expect(existsSync(`${served.engine.folder}/gone/analytics.json`)).toBe(false);
    expect(JSON.parse(told)).toEqual({ url: other.url });
  });
});

describe('the statement check', () => {
  it.each([
    'SELECT 1',
    '  -- a comment; with a semicolon\nSELECT 1;',
    "SELECT ';', 'it''s', '\\';' /* ; */ FROM t ; -- end",
    'WITH x AS (SELECT 1) SELECT * FROM x',
    '(SELECT 1) UNION ALL (SELECT 2)',
    'SHOW TABLES',
    'DESCRIBE stock_now',
    'SELECT "a;b", `c;d` FROM t',
  ])('lets through: %s', (text) => {
    expect(readingStatement(text)).toHaveProperty('statement');
  });

  it.each([
    'SELECT 1;SELECT 2',
    "SELECT ';' ; DROP TABLE t",
    '/* SELECT */ DROP TABLE t',
    "SELECT 1 INTO/**/OUTFILE 'x'",
    'KILL QUERY WHERE 1',
    'SYSTEM FLUSH LOGS',
    'USE default',
    ';',
  ])('refuses: %s', (text) => {
    expect(readingStatement(text)).toHaveProperty('refused');
  });
});
