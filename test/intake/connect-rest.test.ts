/** What Kafka Connect's REST answers mean, asked of a server that answers as it does. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { connectorState, readInPieces } from '../../processors/adapters/connect-rest.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A Kafka Connect whose connector `erp` has this status; `asked` lists what was asked of it. */
async function connectWith(status: object) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(status));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const task = (state: string, trace = '') => ({ id: 0, state, trace });

it('a connector is as well as its worst task, and says the cause, not who noticed it', async () => {
  const trace = 'java.lang.X: noticed\n\tat a.b\nCaused by: no such slot\n\tat c.d';
  const status = {
    connector: { state: 'RUNNING' },
    tasks: [task('RUNNING'), task('FAILED', trace)],
  };
  const { url } = await connectWith(status);
  expect(await connectorState(url, 'erp')).toEqual({ state: 'FAILED', cause: 'no such slot' });
});

it('a connector without a task is not said to run', async () => {
  const { url } = await connectWith({ connector: { state: 'RUNNING' }, tasks: [] });
  expect((await connectorState(url, 'erp')).state).toBe('UNASSIGNED');
});

it('a stopped connector is said to be stopped, and a snapshot of it is refused with where to look', async () => {
  const { url, asked } = await connectWith({ connector: { state: 'STOPPED' }, tasks: [] });
  expect((await connectorState(url, 'erp')).state).toBe('STOPPED');
  await expect(readInPieces(url, 'erp', ['public.art'], { deadlineMs: 1_000 })).rejects.toThrow(
    'connector erp is stopped: docs/runbook.md says what lets it go on',
  );
  expect(asked.filter((one) => !one.startsWith('GET'))).toEqual([]);
});
