/** docs/tutorial.md, command by command, in a copy of the project: a database of its own shape, to right channel figures. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { postgresPrograms } from '../../deploy/native/packages.ts';
import { freePort } from '../../deploy/native/ports.ts';
import { secret } from '../../processors/cli/connectors.ts';

const stepMs = 120_000;
const copy = mkdtempSync(join(tmpdir(), 'stockline-tutorial-'));
const blocks = [...readFileSync('docs/tutorial.md', 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
  ([, text = '']) => text,
);
let environment: Record<string, string> = {};
let running: ChildProcess | undefined;

const tracked = (folder: string): readonly string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: folder })
    .toString()
    .split('\n')
    .filter((file) => file !== '');

beforeAll(async () => {
  for (const file of tracked('.')) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(file, join(copy, file));
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  const { kafkaBrokers, registryUrl, connectUrl, secretsDirectory, postgres } = inject('stack');
  const { host, port, adminUser, adminPassword } = postgres;
  // The capture user is the same for all databases of a server, here that of the other tests.
  secret(secretsDirectory, 'bookshop-password', secret(secretsDirectory, 'erp-password'));
  const at = `postgresql://${adminUser}:${adminPassword}@${host}:${port}`;
  const server = new pg.Client({ connectionString: `${at}/postgres` });
  await server.connect();
  await server.query('CREATE DATABASE bookshop');
  await server.end();
  const client = new pg.Client({ connectionString: `${at}/bookshop` });
  await client.connect();
  await client.query(readFileSync('docs/examples/bookshop.sql', 'utf8'));
  await client.end();
  const apiPort = await freePort();
  environment = {
    PATH: `${await postgresPrograms(() => undefined)}:${process.env.PATH}`,
    HOME: String(process.env.HOME),
    PS1: '',
    STOCKLINE_KAFKA: kafkaBrokers,
    STOCKLINE_REGISTRY: registryUrl,
    STOCKLINE_CONNECT: connectUrl,
    STOCKLINE_SECRETS: secretsDirectory,
    STOCKLINE_BOOKSHOP: `postgresql://${adminUser}@${host}:${port}/bookshop`,
    STOCKLINE_BOOKSHOP_PASSWORD: adminPassword,
    STOCKLINE_STATE: join(copy, 'state'),
    STOCKLINE_RUN: join(copy, 'run'),
    STOCKLINE_API_PORT: String(apiPort),
    STOCKLINE_API_KEY: 'the-key-of-the-tutorial-0123456789',
    SOURCE: `${at}/bookshop`,
    API: `http://127.0.0.1:${apiPort}`,
    LOG: join(copy, 'processors.log'),
  };
});

afterAll(async () => {
  // The whole group; it may never have begun.
  if (running?.pid !== undefined) spawnSync('kill', ['-9', '--', `-${running.pid}`]);
  await fetch(`${environment.STOCKLINE_CONNECT}/connectors/bookshop`, { method: 'DELETE' });
  rmSync(copy, { recursive: true, force: true });
});

/** Its output; throws with it when a command fails. What it leaves in the background stays until the end. */
function runBlock(text: string): Promise<string> {
  const child = spawn('bash', ['-euc', text], { cwd: copy, env: environment, detached: true });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  if (text.includes('main.ts')) running = child;
  return new Promise((done, failed) => {
    const late = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      failed(new Error(`it did not end in time:\n${text}\n${output}`));
    }, stepMs);
    child.on('exit', (code) => {
      clearTimeout(late);
      if (code === 0) done(output);
      else failed(new Error(`code ${code}:\n${text}\n${output}`));
    });
  });
}

describe('docs/tutorial.md', () => {
  it('D1: its commands lead from an unknown database to right channel figures, and change nothing outside of connectors/', async () => {
    expect(blocks).toHaveLength(6);
    const before = tracked('.');
    const output: string[] = [];
    for (const block of blocks) output.push(await runBlock(block));
    expect(output[0]).toMatch(/4 blanks to fill in/);
    expect(output[2]).toMatch(
      /nothing contradicts itself[\s\S]*978-1 +1 +12[\s\S]*nothing speaks against it/,
    );
    expect(output[4]).toContain('"sellable":20');
    expect(output[5]).toContain('"sellable":19');
    const changed = before.filter(
      (file) => !readFileSync(file).equals(readFileSync(join(copy, file))),
    );
    expect(changed).toEqual([]);
  }, 400_000);
});
