/** What the API reads from the records: explanations, proposals and their decision; and what it sends as it comes. */
import { describe, expect, it } from 'vitest';
import { ProposalDesk } from '../../processors/forecasts/desk.ts';
import type { Proposal } from '../../schemas/types.ts';
import { filledView, level, nowMs, sampleServer } from './samples.ts';

const proposal = (id: string, location: string, stockOutProbability: number): Proposal => ({
  ...{ id, sku: 'A', location, state: 'proposed', madeAt: nowMs, onHand: 1_000, available: 1_000 },
  ...{ incoming: 0, dailyDemand: 500, leadTimeDays: 5, leadTimeDeviationDays: 1, reviewDays: 1 },
  ...{ serviceLevel: 0.95, stockOutAt: nowMs, stockOutProbability, reorderPoint: 4_000 },
  ...{ orderUpTo: 9_000, quantity: 8_000, decidedBy: '', reason: '' },
});

async function office() {
  const desk = new ProposalDesk();
  for (const one of [proposal('p1', 'L1', 0.2), proposal('p2', 'L2', 0.9)]) desk.take(one);
  const written: Proposal[] = [];
  const explained: object[] = [];
  const sample = await sampleServer(undefined, {
    records: {
      explain: async (question) => {
        explained.push(question);
        return question.sku === 'A'
          ? [{ sku: 'A', formula: 'available 5 = onHand 5' }]
          : 'no such step';
      },
      proposals: () => desk.all(),
      decide: (id, state, by, reason) =>
        desk.decide(id, { state, by, reason }, async (decided) => void written.push(decided)),
    },
  });
  const ask = (url: string, authorization = 'all') =>
    sample.server.inject({ url, headers: { authorization } });
  const decide = (id: string, verb: string, authorization = 'all') =>
    sample.server.inject({
      method: 'POST',
      url: `/v1/proposals/${id}/${verb}`,
      payload: { reason: 'season' },
      headers: { authorization },
    });
  return { ...sample, ask, decide, written, explained };
}

describe('records behind the API', () => {
  it('explain a figure at a moment, and say when there is nothing to explain', async () => {
    const { server, ask, explained } = await office();
    const answer = await ask('/v1/stock/A/explain?location=L1&at=2026-05-20T07:00:00Z&source=true');
    expect(answer.json()).toEqual({ cells: [{ sku: 'A', formula: 'available 5 = onHand 5' }] });
    const atMs = Date.UTC(2026, 4, 20, 7);
    expect(explained).toEqual([{ sku: 'A', location: 'L1', atMs, source: true }]);
    expect((await ask('/v1/stock/Z/explain')).statusCode).toBe(404);
    expect((await ask('/v1/stock/A/explain', 'narrow')).statusCode).toBe(403);
    expect((await ask('/v1/stock/A/explain?location=L1', 'narrow')).statusCode).toBe(200);
    await server.close();
  });

  it('list proposals by urgency, and decide one once, by whom and why', async () => {
    const { server, ask, decide, written } = await office();
    const ids = (await ask('/v1/proposals')).json().proposals.map((one: { id: string }) => one.id);
    expect(ids).toEqual(['p2', 'p1']);
    expect((await decide('p2', 'approve', 'reader')).statusCode).toBe(403);
    expect((await decide('p9', 'approve')).statusCode).toBe(404);
    expect((await decide('p2', 'approve')).json()).toMatchObject({
      state: 'approved',
      quantity: 8,
    });
    expect((await decide('p2', 'reject')).json()).toMatchObject({ status: 409, code: 'REFUSED' });
    expect(written).toMatchObject([{ id: 'p2', decidedBy: 'shop', reason: 'season' }]);
    await server.close();
  });

  it('leave a proposal undecided when the decision could not be written', async () => {
    const desk = new ProposalDesk();
    desk.take(proposal('p1', 'L1', 0.2));
    const by = { state: 'approved', by: 'tom', reason: 'season' } as const;
    await expect(
      desk.decide('p1', by, async () => {
        throw new Error('away');
      }),
    ).rejects.toThrow('away');
    expect(desk.all()[0]?.state).toBe('proposed');
  });
});

describe('a GraphQL subscription', () => {
  const subscription =
    'subscription ($sku: String) { changes(sku: $sku) { cursor cells { sku sequence } } }';
  const body = (query: string) => JSON.stringify({ query, variables: { sku: 'A' } });
  const headers = (authorization: string) => ({
    authorization,
    accept: 'text/event-stream',
    'content-type': 'application/json',
  });

  it('sends what changes from now on as server-sent events, and only what was asked for', async () => {
    const view = filledView();
    const { server } = await sampleServer(undefined, { view });
    const url = await server.listen({ port: 0, host: '127.0.0.1' });
    const answer = await fetch(`${url}/v1/graphql`, {
      method: 'POST',
      headers: headers('all'),
      body: body(subscription),
    });
    const reader = answer.body?.getReader();
    const changed = [level('B', 'L1', 9_000, 2), level('A', 'L1', 4_000, 2)];
    for (const [at, one] of changed.entries()) {
      view.apply('stock 0', 3 + at, { kind: 'stock', key: one, level: one });
    }
    view.followed(nowMs);
    const { value } = (await reader?.read()) ?? {};
    const text = Buffer.from(value ?? []).toString();
    expect(text).toMatch(/^event: next\ndata: /);
    const [, data = '{}'] = text.split('data: ');
    expect(JSON.parse(data).data.changes.cells).toEqual([{ sku: 'A', sequence: 2 }]);
    await reader?.cancel();
    await server.close();
  });

  it.each([
    ['a question that is none', 'query { freshness { provenance } }', 'all', /only a subscription/],
    ['an unknown field', 'subscription { changes { secrets } }', 'all', /Cannot query field/],
    ['a client without scope', subscription, 'narrow', /stock:read is needed/],
  ])('refuses %s', async (_, query, authorization, message) => {
    const { server } = await sampleServer();
    const answer = await server.inject({
      method: 'POST',
      url: '/v1/graphql',
      headers: headers(authorization),
      payload: body(query),
    });
    expect(answer.body).toMatch(message);
    await server.close();
  });
});
