/** A real Redis on a free port of this machine, which tests may end and begin again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { redisProgram } from '../../deploy/native/packages.ts';
import { freePort } from '../../deploy/native/ports.ts';

export type RealRedis = {
  readonly url: string;
  readonly start: () => Promise<void>;
  /** As a crash does. */
  readonly kill: () => Promise<void>;
  readonly remove: () => Promise<void>;
};

export async function realRedis(): Promise<RealRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'stockline-redis-'));
  const port = await freePort();
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const program = await redisProgram(() => undefined);
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
    server = spawn(program, options, { stdio: 'ignore' });
    const patience = { retryStrategy: () => 50, maxRetriesPerRequest: 200 };
    const probe = new Redis(port, '127.0.0.1', patience);
    probe.on('error', () => undefined);
    await probe.ping();
    probe.disconnect();
  };
  const kill = async (): Promise<void> => {
    const gone = new Promise((done) => server?.once('exit', done));
    server?.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill,
    remove: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
