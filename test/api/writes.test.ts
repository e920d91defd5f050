import { describe, expect, it } from 'vitest';
import { outcomeOf, sampleServer } from './samples.ts';

type Sample = Awaited<ReturnType<typeof sampleServer>>;
const body = { lines: [{ sku: 'A', quantity: 1.5 }] };

const post = (
  { server }: Sample,
  url: string,
  payload: object,
  key: string | undefined = 'k1',
  more: Record<string, string> = {},
) =>
  server.inject({
    method: 'POST',
    url,
    payload,
    headers: {
      authorization: 'all',
      ...(key === undefined || key === '' ? {} : { 'idempotency-key': key }),
      ...more,
    },
  });

describe('writes of the API', () => {
  it('become one request to the single writer, in thousandths, and tell its outcome', async () => {
    const sample = await sampleServer();
    const answer = await post(sample, '/v1/reservations', body);
    expect(answer.json()).toMatchObject({ accepted: true, reservation: 'k1', key: 'k1' });
    expect(sample.asked).toMatchObject([
      { client: 'shop', kind: 'reserve', lines: [{ sku: 'A', location: null, quantity: 1500 }] },
    ]);
    await sample.server.close();
  });

  it('L2: need a key; the same key and body are done once, another body is refused', async () => {
    const sample = await sampleServer();
    expect((await post(sample, '/v1/reservations', body, '')).json()).toMatchObject({
      status: 400,
      code: 'IDEMPOTENCY_KEY_MISSING',
    });
    const first = await post(sample, '/v1/reservations', body);
    expect((await post(sample, '/v1/reservations', body)).json()).toEqual(first.json());
    expect(sample.asked.length).toBe(1);
    const other = { lines: [{ sku: 'A', quantity: 2 }] };
    expect((await post(sample, '/v1/reservations', other)).statusCode).toBe(422);
    await sample.server.close();
  });

  it('with a key under way are refused, and a time-out says how to learn the outcome', async () => {
    const sample = await sampleServer(() => undefined);
    const first = post(sample, '/v1/reservations', body);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await post(sample, '/v1/reservations', body)).json().code).toBe('REQUEST_IN_FLIGHT');
    expect((await first).json()).toMatchObject({
      status: 504,
      code: 'OUTCOME_UNKNOWN',
      outcome: '/v1/requests/k1',
    });
    const look = () =>
      sample.server.inject({ url: '/v1/requests/k1', headers: { authorization: 'all' } });
    expect((await look()).statusCode).toBe(404);
    const [request] = sample.asked;
    if (request !== undefined) sample.tell(outcomeOf(request));
    expect((await look()).json()).toMatchObject({ accepted: true });
    await sample.server.close();
  });

  it('pass on why the stock refuses', async () => {
    const refusing = (code: string) =>
      sampleServer((request) => outcomeOf(request, { accepted: false, code, reason: 'no' }));
    const expected = [
      ['INSUFFICIENT_STOCK', 409],
      ['SEQUENCE_STALE', 412],
      ['RESERVATION_UNKNOWN', 404],
    ] as const;
    for (const [code, status] of expected) {
      const sample = await refusing(code);
      expect((await post(sample, '/v1/reservations', body)).json()).toMatchObject({ status, code });
      await sample.server.close();
    }
  });

  it('name only reservations of their own client, and the sequence that If-Match expects', async () => {
    const sample = await sampleServer();
    await post(sample, '/v1/reservations/other%7Ck/release', {}, 'k2');
    await post(
      sample,
      '/v1/adjustments',
      { lines: [{ sku: 'A', location: 'L1', quantity: -1 }] },
      'k3',
      { 'if-match': '"7"' },
    );
    expect(sample.asked).toMatchObject([
      { kind: 'release', reservation: 'shop|other|k' },
      { kind: 'adjust', expectedSequence: 7 },
    ]);
    await sample.server.close();
  });

  it('are refused without their scope, when too large, and when not as described', async () => {
    const sample = await sampleServer();
    const reader = { authorization: 'reader' };
    expect((await post(sample, '/v1/reservations', body, 'k1', reader)).statusCode).toBe(403);
    const large = { ...body, reason: 'x'.repeat(300_000) };
    expect((await post(sample, '/v1/reservations', large)).json().code).toBe('BODY_TOO_LARGE');
    const wrong = { lines: [{ sku: 'A', quantity: 0.0001 }] };
    expect((await post(sample, '/v1/reservations', wrong)).json()).toMatchObject({
      status: 400,
      code: 'INPUT_INVALID',
    });
    expect(sample.asked).toEqual([]);
    await sample.server.close();
  });
});
