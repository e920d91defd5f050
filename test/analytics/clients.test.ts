/** The endpoint as ordinary ClickHouse clients use it: keys, parameters, settings, compression, format Native. */
import { statSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Endpoint, serveClickHouse } from '../../processors/adapters/clickhouse/endpoint.ts';
import { askAnalytics } from '../../processors/cli/sql.ts';
import { type Served, serve } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

describe('what ordinary clients need', () => {
  let guarded: Endpoint;
  beforeAll(async () => {
    guarded = await serveClickHouse({
      clickHouse: served.clickHouse,
      runFile: `${served.engine.folder}/guarded/analytics.json`,
      access: { user: 'analyst', key: 'se:cret' },
    });
  });
  afterAll(() => guarded.close());

  it('lets in who has the key, by header, basic authorization or address, and nobody else', async () => {
    const ask = (headers: Record<string, string>, search = '') =>
      fetch(`${guarded.url}/?query=SELECT+1${search}`, { headers });
    const basic = (text: string) => ({
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    });
    const right = [
      await ask({ 'x-clickhouse-user': 'analyst', 'x-clickhouse-key': 'se:cret' }),
      await ask(basic('analyst:se:cret')),
      await ask({}, '&user=analyst&password=se%3Acret'),
    ];
    for (const answer of right) expect(await answer.text()).toBe('1\n');
    const wrong = [
      await ask({}),
      await ask(basic('analyst:other')),
      await ask(basic('other:se:cret')),
    ];
    for (const answer of wrong) {
      expect(answer.status).toBe(403);
      expect(answer.headers.get('x-clickhouse-exception-code')).toBe('516');
      expect(await answer.text()).toMatch(/^Code: 516\. DB::Exception: .*AUTHENTICATION_FAILED/);
    }
    expect(await askAnalytics(`${served.engine.folder}/guarded`, 'SELECT 1', 'CSV')).toBe('1\n');
    expect(statSync(`${served.engine.folder}/guarded/analytics.json`).mode & 0o077).toBe(0);
  });

  it('is never opened to other machines without a key', async () => {
    const runFile = `${served.engine.folder}/open.json`;
    await expect(
      serveClickHouse({ clickHouse: served.clickHouse, runFile, host: '0.0.0.0' }),
    ).rejects.toThrow(/STOCKLINE_ANALYTICS_KEY/);
  });

  it('tells that it is there, and what each answer is', async () => {
    expect(await (await fetch(`${guarded.url}/replicas_status`)).text()).toBe('Ok.\n');
    const search = 'query=SELECT+1+FORMAT+JSON&query_id=mine&session_id=s&wait_end_of_query=1';
    const { headers } = await fetch(`${served.endpoint.url}/?${search}`);
    expect(headers.get('x-clickhouse-format')).toBe('JSON');
    expect(headers.get('x-clickhouse-query-id')).toBe('mine');
    expect(headers.get('x-clickhouse-timezone')).toBe('UTC');
    expect(headers.get('content-type')).toMatch(/json/);
  });

  it('takes parameters as they are escaped in the protocol', async () => {
    const search = new URLSearchParams({
      param_s: "it's\\ta \\\\ b",
      param_n: '7',
      param_l: "['p\\'q', 'r']",
    });
    const query = 'SELECT {s:String}, {n:UInt8} + 1, {l:Array(String)} FORMAT JSONCompactEachRow';
    expect(JSON.parse((await served.post(query, `?${search}`)).text)).toEqual([
      "it's\ta \\ b",
      8,
      ["p'q", 'r'],
    ]);
    expect((await served.post('SELECT {none:String}')).text).toMatch(/^Code: 456\./);
  });

  it('changes what shapes an answer, lowers limits, and refuses every other setting', async () => {
    const quoted = await served.post(
      'SELECT toUInt64(1) AS a FORMAT JSONEachRow',
      '?output_format_json_quote_64bit_integers=1',
    );
    expect(quoted.text).toBe('{"a":"1"}\n');
    const setting = (search: string) =>
      served.post("SELECT getSetting('max_execution_time'), getSetting('readonly')", `?${search}`);
    expect((await setting('max_execution_time=600')).text).toBe('30\t1\n');
    expect((await setting('max_execution_time=5&readonly=2')).text).toBe('5\t1\n');
    expect((await setting('readonly=0')).text).toMatch(/^Code: 164\./);
    expect((await setting('allow_experimental_join_condition=1')).text).toMatch(/^Code: 164\./);
    expect((await served.post('SELECT count() > 0 FROM tables', '?database=system')).text).toBe(
      '1\n',
    );
    expect((await served.post('SELECT 1', '?database=elsewhere')).text).toMatch(/^Code: 81\./);
  });

  it('packs what is long, in what the client names', async () => {
    const query = 'SELECT number FROM numbers(2000)';
    const plain = (await served.post(query)).text;
    for (const [name, unpack] of [
      ['gzip', gunzipSync],
      ['deflate', inflateSync],
      ['br', brotliDecompressSync],
    ] as const) {
      const { headers, body } = await packed(query, name);
      expect(headers['content-encoding']).toBe(name);
      expect(body.length).toBeLessThan(plain.length);
      expect(unpack(body).toString()).toBe(plain);
    }
    const response = await fetch(served.endpoint.url, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync('SELECT 1'),
    });
    expect(await response.text()).toBe('1\n');
  });

  it('answers the JavaScript client with a key, parameters and compression', async () => {
    const client = createClient({
      url: guarded.url,
      username: 'analyst',
      password: 'se:cret',
      compression: { response: true, request: true },
      log: { level: ClickHouseLogLevel.OFF },
    });
    expect((await client.ping()).success).toBe(true);
    const result = await client.query({
      query: 'SELECT sku FROM stock_now WHERE sku = {sku:String}',
      query_params: { sku: 'A' },
      format: 'JSONEachRow',
    });
    expect(await result.json()).toEqual([{ sku: 'A' }]);
    await expect(client.command({ query: 'DROP TABLE movements' })).rejects.toThrow(/reading/);
    await expect(
      client.insert({ table: 'movements', values: [{ sku: 'x' }], format: 'JSONEachRow' }),
    ).rejects.toThrow(/reading/);
    await client.close();
  });

  async function packed(query: string, encoding: string) {
    return await new Promise<{ headers: IncomingHttpHeaders; body: Buffer }>((resolve) => {
      const asked = request(served.endpoint.url, {
        method: 'POST',
        headers: { 'accept-encoding': encoding },
      });
      asked.on('response', async (response) => {
        const pieces: Buffer[] = [];
        for await (const piece of response) pieces.push(piece);
        resolve({ headers: response.headers, body: Buffer.concat(pieces) });
      });
      asked.end(query);
    });
  }
});

describe('format Native for clients of a protocol version', () => {
  const native = async (query: string, version: number): Promise<Buffer> => {
    const search = `?default_format=Native&client_protocol_version=${version}`;
    const response = await fetch(`${served.endpoint.url}/${search}`, {
      method: 'POST',
      body: query,
    });
    return Buffer.from(await response.arrayBuffer());
  };

  it('has the bytes that a server writes', async () => {
    const query = "SELECT toUInt8(7) AS n, 'ab' AS s";
    const columns = (flag: string) =>
      Buffer.from(`\x02\x01\x01n\x05UInt8${flag}\x07\x01s\x06String${flag}\x02ab`, 'latin1');
    const info = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);
    expect(await native(query, 0)).toEqual(columns(''));
    expect(await native(query, 54_405)).toEqual(Buffer.concat([info, columns('')]));
    expect(await native(query, 54_484)).toEqual(Buffer.concat([info, columns('\0')]));
  });

  it('finds the end of every column of every type that tables have', async () => {
    const columns = [
      'number',
      'toString(number)',
      "toLowCardinality(concat('x', toString(number % 300)))",
      "CAST(if(number % 2 = 0, NULL, toString(number)), 'LowCardinality(Nullable(String))')",
      'toDecimal64(number, 3)',
      'toDecimal128(number, 3)',
      "[toLowCardinality('a'), 'b']",
      'range(number % 5)',
      '[[1, 2], [number]]',
      "map('k', number, 'l', 2)",
      "CAST((1, 'z'), 'Tuple(a UInt8, `b c` String)')",
      'if(number = 1, NULL, number)',
      'now64(3)',
      'generateUUIDv4()',
      "CAST('a', 'Enum8(\\'a\\' = 1, \\'b, (c\\' = 2)')",
      "toFixedString('abc', 3)",
      'true',
      'NULL',
      'toIntervalDay(1)',
      'toDate32(0)',
    ].map((column, index) => `${column} AS c${index}`);
    const query = `SELECT ${columns.join(', ')} FROM numbers(1000)`;
    const before = await native(query, 0);
    const after = await native(query, 54_484);
    // One block: its head, and one byte per column.
    expect(after.length - before.length).toBe(8 + columns.length);
    expect(after.includes(Buffer.from('c19\x06Date32\0', 'latin1'))).toBe(true);
  });

  it('says so where it cannot', async () => {
    const answer = String(await native('SELECT \'{"a":1}\'::JSON', 54_484));
    expect(answer).toMatch(/^Code: 48\. DB::Exception: Type JSON/);
  });
});
