/**
 * What `npm start`, `npm test`, `npm run stockline` and `npm run bench` call. Plain JavaScript without dependencies: in a fresh clone it
 * first installs them, and the tools that building them needs, then hands over.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { partitionsFor } from './partitions.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [verb, ...args] = process.argv.slice(2);
const typescript = ['--import', '@oxc-node/core/register'];
const stamp = join(root, 'node_modules/.stockline-installed');

const talk = (line) => process.stderr.write(`${line}\n`);

function fail(sentence) {
  talk(sentence);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Node ${process.versions.node} is too old: Stockline needs 20.19 or later (https://nodejs.org).`,
  );
}

/** node-rdkafka's configure step breaks at a space, the loader of TypeScript at other letters. */
function checkFolder() {
  if (/^[\x21-\x7e]*$/.test(root)) return;
  fail(
    `The path of a clone must be of ASCII letters without spaces, or packages do not build: move it out of ${root}`,
  );
}

/** node-rdkafka is compiled on this machine. */
function ensureBuildTools() {
  const missing = Object.entries({ make: 'make', 'g++': 'g++', python3: 'python3' })
    .filter(([program]) => spawnSync(program, ['--version']).status !== 0)
    .map(([, name]) => name);
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    fail(`Missing: ${missing.join(', ')}. Install them with: sudo ${command}`);
  }
  talk(`installing ${missing.join(', ')} ...`);
  const install = () => spawnSync('sh', ['-c', command], { stdio: ['ignore', 2, 2] }).status === 0;
  const update = () => spawnSync('apt-get', ['update', '-q'], { stdio: ['ignore', 2, 2] });
  if (install()) return;
  update();
  if (!install()) fail(`Could not install them. Try: sudo ${command}`);
}

function ensureModules() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const wanted = `${createHash('sha256').update(lock).digest('hex')} node ${process.versions.modules}`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  ensureBuildTools();
  talk(
    'installing the packages of package-lock.json (node-rdkafka is compiled, about two minutes) ...',
  );
  const beganAt = Date.now();
  // node-rdkafka's makefile asks for config.h before its configure step has written it when make runs in parallel.
  const { MAKEFLAGS: _makeflags, JOBS: _jobs, ...environment } = process.env;
  const ci = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...environment, JOBS: '1' },
  });
  if (ci.status !== 0) {
    fail(
      'npm ci failed, see above. If a package could not be reached, check the network; if the disk is full, free some space; ' +
        'then repeat the command.',
    );
  }
  writeFileSync(stamp, wanted);
  talk(`packages installed in ${Math.round((Date.now() - beganAt) / 1000)} s`);
}

/** What ends a program by somebody's wish; any other signal is told, or it would end without a word. */
const asked = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);

/** Runs the command with our terminal; resolves with its exit code. Signals reach it once. */
function handOver(command, commandArgs, environment = {}) {
  const child = spawn(command, commandArgs, {
    stdio: 'inherit',
    // Its own process group on a terminal would lose Ctrl-C; so it stays in ours and we only forward what we alone get.
    env: { UV_THREADPOOL_SIZE: '32', ...process.env, ...environment },
  });
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`${command} does not start: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (signal !== null && !asked.has(signal)) talk(`the program was ended by ${signal}`);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

async function test() {
  const folder = mkdtempSync(join(tmpdir(), 'stockline-vitest-'));
  const report = join(folder, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const projects = args.includes('--project') ? [] : ['--project', 'fast', '--project', 'real'];
  const code = await handOver(process.execPath, [
    vitest,
    'run',
    ...projects,
    ...reporters,
    ...args,
  ]);
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  rmSync(folder, { recursive: true, force: true });
  const passed = counts.numPassedTests ?? 0;
  const failed = (counts.numFailedTests ?? 0) + (code !== 0 && !counts.numFailedTests ? 1 : 0);
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  if (passed + failed === 0) fail('No test was run.');
  return code;
}

process.chdir(root);
checkNode();
checkFolder();
ensureModules();
switch (verb) {
  case 'start':
  case 'stockline': {
    const words = verb === 'start' ? [verb, ...args] : args;
    process.exitCode = await handOver(
      process.execPath,
      [...typescript, 'processors/cli/stockline.ts', ...words],
      partitionsFor(words, process.env),
    );
    break;
  }
  case 'program':
    process.exitCode = await handOver(process.execPath, [...typescript, ...args]);
    break;
  case 'test':
    process.exitCode = await test();
    break;
  case 'bench':
    process.exitCode = await handOver(process.execPath, [
      ...typescript,
      'test/bench/main.ts',
      ...args,
    ]);
    break;
  default:
    fail('usage: node deploy/bootstrap.mjs start | stockline | program | test | bench');
}
