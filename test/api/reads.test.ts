import { describe, expect, it } from 'vitest';
import { filledView, level, nowMs, sampleServer, told } from './samples.ts';

const headers = { authorization: 'all' };

async function get(url: string, more: Record<string, string> = {}, view = filledView()) {
  const { server } = await sampleServer(undefined, { view });
  const response = await server.inject({ url, headers: { ...headers, ...more } });
  await server.close();
  return response;
}

describe('reads of the API', () => {
  it('tell one SKU at all its locations and on its channels, in units', async () => {
    const answer = (await get('/v1/stock/A')).json();
    expect(answer).toMatchObject({ sku: 'A', available: 6.5 });
    expect(answer.cells.map((one: { location: string }) => one.location)).toEqual(['L1', 'L2']);
    expect(answer.channels).toMatchObject([{ channel: 'shop', sellable: 6 }]);
  });

  it('lead through a list page by page, each cell once', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = (await get(`/v1/stock?limit=2${after}`)).json();
      for (const { sku, location } of page.items) seen.push(`${sku} ${location}`);
      cursor = page.cursor;
    }
    expect(seen).toEqual(['A L1', 'A L2', 'B L1']);
  });

  it('take filters, batches, and available to promise by day', async () => {
    expect((await get('/v1/stock?location=L1&availableBelow=1')).json().items).toMatchObject([
      { sku: 'B', location: 'L1' },
    ]);
    const days = (await get('/v1/stock/A/locations/L1/promise?days=3')).json().days;
    expect(days).toEqual(
      ['2026-05-20', '2026-05-21', '2026-05-22'].map((date) => ({ date, quantity: 5 })),
    );
    const { server } = await sampleServer();
    const batch = await server.inject({
      method: 'POST',
      url: '/v1/stock:batchGet',
      headers,
      payload: { cells: [{ sku: 'A', location: 'L2' }, { sku: 'B' }, { sku: 'none' }] },
    });
    expect(batch.json().items).toMatchObject([{ location: 'L2' }, { sku: 'B' }]);
    await server.close();
  });

  it('are not sent again while the sequence is the same', async () => {
    const first = await get('/v1/stock/A/locations/L1');
    expect(first.headers.etag).toBe('"1"');
    expect((await get('/v1/stock/A/locations/L1', { 'if-none-match': '"1"' })).statusCode).toBe(
      304,
    );
    expect((await get('/v1/stock/A/locations/L1', { 'if-none-match': '"0"' })).statusCode).toBe(
      200,
    );
  });

  it('say how fresh they are, and name the hop that is behind', async () => {
    const view = filledView();
    expect((await get('/v1/stock/A', {}, view)).json().freshness.provenance).toBe('unknown');
    view.tell(0, told('erp', nowMs - 300, 'fresh'));
    expect((await get('/v1/stock/A', {}, view)).json().freshness).toMatchObject({
      provenance: 'fresh',
      freshnessMs: 300,
      behind: [],
    });
    view.tell(0, told('pos', nowMs - 9_000, 'degraded'));
    expect((await get('/v1/stock/A', {}, view)).json().freshness).toMatchObject({
      provenance: 'degraded',
      freshnessMs: 9_000,
      behind: [{ source: 'pos', hop: 'stock', reason: 'is paused' }],
    });
  });

  it('L1: are refused when they are older than demanded, or when nobody knows', async () => {
    const view = filledView();
    const demand = '/v1/stock/A?maxStaleness=1000';
    expect((await get(demand, {}, view)).json()).toMatchObject({ status: 412, code: 'STALE' });
    view.tell(0, told('erp', nowMs - 300, 'fresh'));
    expect((await get(demand, {}, view)).statusCode).toBe(200);
    const at = (ms: number): string => new Date(nowMs - ms).toISOString();
    expect((await get(`/v1/stock/A?minWatermark=${at(301)}`, {}, view)).statusCode).toBe(200);
    expect((await get(`/v1/stock/A?minWatermark=${at(299)}`, {}, view)).statusCode).toBe(412);
  });

  it('need a client, and its scope for the place', async () => {
    const asked = async (url: string, authorization: string) =>
      (await get(url, { authorization })).statusCode;
    expect(await asked('/v1/stock/A', 'nobody')).toBe(401);
    expect(await asked('/v1/stock/A', 'narrow')).toBe(403);
    expect(await asked('/v1/stock/A/locations/L1', 'narrow')).toBe(200);
    expect(await asked('/v1/stock/A/locations/L2', 'narrow')).toBe(403);
  });

  it('answer a wrong method with the right ones, and an unknown path as such', async () => {
    const { server } = await sampleServer();
    const wrong = await server.inject({ method: 'DELETE', url: '/v1/stock/A', headers });
    expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, 'GET, HEAD']);
    const batch = await server.inject({ method: 'PUT', url: '/v1/stock:batchGet', headers });
    expect(batch.json().code).toBe('METHOD_NOT_ALLOWED');
    expect((await server.inject({ url: '/v1/nothing', headers })).statusCode).toBe(404);
    await server.close();
  });

  it('wait until the figures are restored', async () => {
    const view = filledView();
    Object.defineProperty(view, 'isRestored', { value: false });
    expect((await get('/v1/stock/A', {}, view)).json().code).toBe('NOT_READY');
  });
});

describe('changes', () => {
  it('are told once each, without a gap, and expire by name', async () => {
    const view = filledView(10);
    const { server } = await sampleServer(undefined, { view });
    const changes = async (cursor?: string) =>
      server.inject({
        url: `/v1/changes?limit=4${cursor === undefined ? '' : `&cursor=${cursor}`}`,
        headers,
      });
    const begin = (await changes()).json().cursor;
    for (let offset = 3; offset < 13; offset += 1) {
      const one = level('A', 'L1', offset * 1000, offset);
      view.apply('stock 0', offset, { kind: 'stock', key: one, level: one });
    }
    const seen: number[] = [];
    let cursor: string = begin;
    for (let page = 0; page < 3; page += 1) {
      const answer = (await changes(cursor)).json();
      for (const { cell } of answer.changes) seen.push(cell.sequence);
      cursor = answer.cursor;
    }
    expect(seen).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for (let offset = 13; offset < 40; offset += 1) {
      const one = level('A', 'L1', 1000, offset);
      view.apply('stock 0', offset, { kind: 'stock', key: one, level: one });
    }
    expect((await changes(begin)).json()).toMatchObject({ status: 410, code: 'CURSOR_EXPIRED' });
    expect((await changes('nonsense')).json().code).toBe('CURSOR_INVALID');
    await server.close();
  });

  it('are streamed, go on after Last-Event-ID, and the stream stays alive while nothing happens', async () => {
    const view = filledView();
    const { server } = await sampleServer(undefined, { view, heartbeatMs: 20 });
    const url = await server.listen({ port: 0, host: '127.0.0.1' });
    const read = async (
      until: RegExp,
      more: Record<string, string> = {},
      onAlive: () => void = () => {},
    ) => {
      const stop = new AbortController();
      const response = await fetch(`${url}/v1/stock/stream`, {
        headers: { ...headers, ...more },
        signal: stop.signal,
      });
      let text = '';
      const decoder = new TextDecoder();
      for await (const bytes of response.body ?? []) {
        text += decoder.decode(bytes as Uint8Array);
        if (until.test(text)) break;
        if (text.includes(': alive')) onAlive();
      }
      stop.abort();
      return text;
    };
    const change = (offset: number, sequence: number): void => {
      const one = level('A', 'L1', 1000, sequence);
      view.apply('stock 0', offset, { kind: 'stock', key: one, level: one });
    };
    let isChanged = false;
    const first = await read(/"sequence":5/, {}, () => {
      if (!isChanged) change(3, 5);
      isChanged = true;
    });
    expect(first).toContain(': alive');
    const id = String(/id: (\S+)/.exec(first)?.[1]);
    change(4, 6);
    const second = await read(/"sequence":6/, { 'last-event-id': id });
    expect(second).not.toContain('"sequence":5');
    await server.close();
  });

  it('may be read by web pages of the origins that are allowed, streams too, and of no other', async () => {
    const asked = async (origins: readonly string[], path: string) => {
      const { server } = await sampleServer(undefined, { origins });
      const url = await server.listen({ port: 0, host: '127.0.0.1' });
      const stop = new AbortController();
      const answer = await fetch(`${url}${path}`, {
        headers: { ...headers, origin: 'https://shop.example' },
        signal: stop.signal,
      });
      stop.abort();
      await server.close();
      return Object.fromEntries(answer.headers);
    };
    for (const path of ['/v1/stock/A', '/v1/stock/stream']) {
      expect(await asked(['https://shop.example'], path)).toMatchObject({
        'access-control-allow-origin': 'https://shop.example',
        'x-content-type-options': 'nosniff',
      });
      for (const origins of [['https://other.example'], []]) {
        expect(await asked(origins, path)).not.toHaveProperty('access-control-allow-origin');
      }
    }
  });
});
