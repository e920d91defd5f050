import { describe, expect, it } from 'vitest';
import { outcomeOf, sampleServer } from './samples.ts';

async function ask(query: string, authorization = 'all', answer = outcomeOf) {
  const { server, asked } = await sampleServer(answer);
  const response = await server.inject({
    method: 'POST',
    url: '/v1/graphql',
    headers: { authorization },
    payload: { query },
  });
  await server.close();
  return { status: response.statusCode, asked, ...response.json() };
}

describe('GraphQL', () => {
  it('tells what REST tells', async () => {
    const { data, errors } = await ask(
      `{ sku(sku: "A") { available cells { location quantities { available } } freshness { provenance } }
         channelStock(channel: "shop") { items { sku sellable } } cell(sku: "none", location: "L1") { sku } }`,
    );
    expect(errors).toBeUndefined();
    expect(data.sku).toMatchObject({ available: 6.5, freshness: { provenance: 'unknown' } });
    expect(data.channelStock.items).toEqual([{ sku: 'A', sellable: 6 }]);
    expect(data.cell).toBeNull();
  });

  it('writes by the same requests, and refuses by the same codes', async () => {
    const reserve = `mutation { reserve(key: "k1", input: { lines: [{ sku: "A", quantity: 2 }] }) { accepted reservation } }`;
    const good = await ask(reserve);
    expect(good.data.reserve).toEqual({ accepted: true, reservation: 'k1' });
    expect(good.asked).toMatchObject([{ kind: 'reserve', lines: [{ quantity: 2000 }] }]);
    const refused = await ask(reserve, 'all', (request) =>
      outcomeOf(request, { accepted: false, code: 'INSUFFICIENT_STOCK', reason: 'no' }),
    );
    expect(refused.errors[0].extensions).toMatchObject({ code: 'INSUFFICIENT_STOCK', status: 409 });
    expect((await ask(reserve, 'reader')).errors[0].extensions.code).toBe('FORBIDDEN');
    expect((await ask(reserve, 'nobody')).status).toBe(401);
  });

  it('refuses what is too deep, too dear or hidden in fragments, and what is no question', async () => {
    const many = Array.from(
      { length: 20 },
      (_, at) => `a${at}: stock(limit: 500) { items { sku } }`,
    );
    expect((await ask(`{ ${many.join(' ')} }`)).errors[0].message).toContain('too large');
    const bomb = Array.from(
      { length: 20 },
      (_, at) => `fragment f${at} on Query { ...f${at + 1} ...f${at + 1} }`,
    );
    const last = 'fragment f20 on Query { stock { items { sku } } }';
    expect((await ask(`{ ...f0 } ${bomb.join(' ')} ${last}`)).errors).toBeDefined();
    const loop = 'fragment a on Query { ...b } fragment b on Query { ...a }';
    expect((await ask(`{ ...a } ${loop}`)).errors).toBeDefined();
    expect((await ask('{ nothing }')).errors).toBeDefined();
    expect((await ask('{')).errors).toBeDefined();
  });
});
