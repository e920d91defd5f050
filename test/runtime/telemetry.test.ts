/** What a process tells whoever watches it: health, readiness, metrics. */
import { afterEach, expect, it } from 'vitest';
import { type HealthServer, startHealthServer } from '../../processors/adapters/health-server.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';

let server: HealthServer | undefined;
afterEach(() => server?.close());

async function ask(path: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`http://127.0.0.1:${server?.port}${path}`);
  return { status: answer.status, text: await answer.text() };
}

it('a process says whether it lives and whether it is ready, each by itself', async () => {
  const state = { live: true, ready: false };
  server = await startHealthServer({
    port: 0,
    live: () => state.live,
    ready: () => state.ready,
    metrics: async () => 'stockline_records_total 1\n',
    contentType: 'text/plain; version=0.0.4',
  });
  expect(await ask('/livez')).toEqual({ status: 200, text: 'live\n' });
  expect(await ask('/readyz')).toEqual({ status: 503, text: 'not ready\n' });
  state.ready = true;
  state.live = false;
  expect((await ask('/readyz')).status).toBe(200);
  expect((await ask('/livez')).status).toBe(503);
  expect(await ask('/metrics')).toEqual({ status: 200, text: 'stockline_records_total 1\n' });
  expect(await ask('/else')).toMatchObject({ status: 404 });
});

it('metrics that fail are an error of the answer, not of the process', async () => {
  server = await startHealthServer({
    port: 0,
    live: () => true,
    ready: () => true,
    metrics: () => Promise.reject(new Error('no figures')),
    contentType: 'text/plain',
  });
  expect(await ask('/metrics')).toEqual({ status: 500, text: 'Error: no figures\n' });
  expect((await ask('/livez')).status).toBe(200);
});

it('a port in use is a sentence that says what to set', async () => {
  const options = {
    live: () => true,
    ready: () => true,
    metrics: async () => '',
    contentType: 'text/plain',
  };
  server = await startHealthServer({ port: 0, ...options });
  await expect(startHealthServer({ port: server.port, ...options })).rejects.toThrow(
    `cannot listen on port ${server.port}: set STOCKLINE_HEALTH_PORT`,
  );
});

it('transactions, dead letters, restores, rebalances and lag are counted by processor', async () => {
  const process = processTelemetry({ logLevel: 'error' });
  const [stock, intake] = [process.of('stock'), process.of('intake')];
  const counts = new Map([['duplicates', 3]]);
  stock.committed({ records: 10, outputs: 25, deadLetters: 1, commitMs: 30, counts });
  stock.committed({ records: 5, outputs: 5, deadLetters: 0, commitMs: 700, counts: new Map() });
  intake.committed({ records: 1, outputs: 1, deadLetters: 0, commitMs: 1, counts: new Map() });
  stock.restored({ partition: 2, records: 40, tookMs: 1_500, from: 'changelog' });
  stock.rebalanced([0, 2]);
  stock.rebalanced([]);
  stock.lag({ records: 7, seconds: 1.5 });
  const lines = (await process.metrics()).split('\n');
  for (const line of [
    'stockline_records_total{processor="stock"} 15',
    'stockline_records_total{processor="intake"} 1',
    'stockline_outputs_total{processor="stock"} 30',
    'stockline_dead_letters_total{processor="stock"} 1',
    'stockline_counts_total{processor="stock",metric="duplicates"} 3',
    'stockline_commit_seconds_bucket{le="0.05",processor="stock"} 1',
    'stockline_commit_seconds_bucket{le="1",processor="stock"} 2',
    'stockline_restores_total{processor="stock",from="changelog"} 1',
    'stockline_restore_seconds{processor="stock"} 1.5',
    'stockline_rebalances_total{processor="stock"} 1',
    'stockline_assigned_partitions{processor="stock"} 0',
    'stockline_lag_records{processor="stock"} 7',
    'stockline_lag_seconds{processor="stock"} 1.5',
  ]) {
    expect(lines).toContain(line);
  }
});
