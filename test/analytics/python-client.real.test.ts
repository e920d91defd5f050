/** Python's clickhouse-connect, from PyPI, in a virtual environment of its own, against the endpoint. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveClickHouse } from '../../processors/adapters/clickhouse/endpoint.ts';
import { type Served, serve } from './served.ts';

const installDeadlineMs = 120_000;
let served: Served;
let environment: string;

beforeAll(async () => {
  served = await serve();
  environment = mkdtempSync(join(tmpdir(), 'stockline-python-'));
  install(environment);
}, installDeadlineMs);
afterAll(async () => {
  await served.close();
  rmSync(environment, { recursive: true, force: true });
});

function install(folder: string): void {
  try {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
    const pip = ['-m', 'pip', 'install', '--quiet', 'clickhouse-connect'];
    execFileSync(`${folder}/bin/python`, pip, { stdio: 'pipe' });
  } catch (cause) {
    throw new Error(
      'clickhouse-connect cannot be installed: Python 3.10 or later with venv (Debian: apt-get install python3-venv) ' +
        'and a way to PyPI are needed.',
      { cause },
    );
  }
}

const program = `
import json, sys, clickhouse_connect
client = clickhouse_connect.get_client(host='127.0.0.1', port=int(sys.argv[1]), username='analyst', password='key')
def refused(call):
    try:
        call()
        return ''
    except Exception as error:
        return str(error)
print(json.dumps({
    'rows': [[sku, str(units)] for sku, units in
        client.query('SELECT sku, on_hand FROM stock_now ORDER BY sku').result_rows],
    'one': client.query('SELECT sku FROM stock_now WHERE sku = {sku:String}', parameters={'sku': 'A'}).result_rows,
    'many': client.query('SELECT number FROM numbers(100000)').row_count,
    'columns': len(client.query('SELECT * FROM stock_now').column_names),
    'refused': [refused(lambda: client.command('DROP TABLE stock_levels')),
        refused(lambda: client.insert('stock_levels', [['x']], column_names=['sku'])),
        refused(lambda: client.command('CREATE TABLE x (a UInt8) ENGINE = Memory')),
        refused(lambda: client.query("SELECT file('/etc/hostname')"))],
    'stranger': refused(lambda: clickhouse_connect.get_client(
        host='127.0.0.1', port=int(sys.argv[1]), username='analyst', password='other')),
}))
`;

it('clickhouse-connect reads the views with a key, and cannot write', async () => {
  const endpoint = await serveClickHouse({
    clickHouse: served.clickHouse,
    runFile: `${environment}/run/analytics.json`,
    access: { user: 'analyst', key: 'key' },
  });
  const file = `${environment}/ask.py`;
  writeFileSync(file, program);
  const answer = await run(`${environment}/bin/python`, [file, new URL(endpoint.url).port]);
  await endpoint.close();
  const said = JSON.parse(answer);
  expect(said).toMatchObject({
    rows: [
      ['A', '1.500'],
      ['B', '-2.000'],
    ],
    one: [['A']],
    many: 100_000,
    columns: 16,
  });
  for (const sentence of said.refused) expect(sentence).toMatch(/Code: 164\. .*READONLY/s);
  expect(said.stranger).toMatch(/Code: 516/);
});

/** Beside us: the endpoint answers from this process. */
async function run(command: string, parameters: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile(command, [...parameters], { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr, { cause: error }));
    });
  });
}
