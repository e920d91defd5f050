/** What a client asks and what comes of it: golden scenarios of other systems' bugs, as tables. */
import { describe, expect, it } from 'vitest';
import { parseBundles } from '../../processors/carts/bundles.ts';
import { linesOf, noon, request, shop, told } from './shop.ts';

const stocked = (cells: Readonly<Record<string, number>>, given = {}) => {
  const made = shop(given);
  for (const [cell, units] of Object.entries(cells)) {
    const [sku = '', location = 'L1'] = cell.split('@');
    made.ask(`stock ${cell}`, { kind: 'adjust', lines: linesOf([sku, units, location]) });
  }
  return made;
};

const bundlesOf = (plain: unknown) => {
  const parsed = parseBundles(plain);
  if ('errors' in parsed) throw new Error(parsed.errors.join());
  return parsed.bundles;
};

describe('sourcing', () => {
  it('vendure#4030: an order is split over locations in their order, prior holds taken off', () => {
    const made = stocked({ 'A@L1': 10, 'A@L2': 15 });
    expect(told(made.ask('first', { lines: linesOf(['A', 13]) }))).toBe(
      'accepted, 10 A at L1, 3 A at L2',
    );
    expect(told(made.ask('second', { lines: linesOf(['A', 12]) }))).toBe('accepted, 12 A at L2');
    expect(told(made.ask('third', { lines: linesOf(['A', 1]) }))).toBe('INSUFFICIENT_STOCK');
  });

  it('medusa#14987: 1 + 1 over two locations, an order of 2 is split; an order of 3 is refused', () => {
    const made = stocked({ 'A@L1': 1, 'A@L2': 1 });
    expect(told(made.ask('three', { lines: linesOf(['A', 3]) }))).toBe('INSUFFICIENT_STOCK');
    expect(told(made.ask('two', { lines: linesOf(['A', 2]) }))).toBe(
      'accepted, 1 A at L1, 1 A at L2',
    );
  });

  it('takes from the locations that the request prefers', () => {
    const made = stocked({ 'A@L1': 5, 'A@L2': 5 });
    const asked = { lines: linesOf(['A', 6]), locations: ['L2', 'L1'] };
    expect(told(made.ask('one', asked))).toBe('accepted, 5 A at L2, 1 A at L1');
  });

  it('medusa#16488: a reservation does not move to a location that has nothing', () => {
    const made = stocked({ 'A@L1': 5, 'A@L2': 1 });
    const { reservation } = made.ask('cart', { lines: linesOf(['A', 3, 'L1']) });
    const move = { kind: 'transfer', reservation, toLocation: 'L2' } as const;
    expect(told(made.ask('all', { ...move, lines: linesOf(['A', 3, 'L1']) }))).toBe(
      'INSUFFICIENT_STOCK',
    );
    expect(told(made.ask('one', { ...move, lines: linesOf(['A', 1, 'L1']) }))).toBe(
      'accepted, 1 A at L2',
    );
    expect([made.cell('A', 'L1').reserved, made.cell('A', 'L2').reserved]).toEqual([2, 1]);
  });
});

describe('all or nothing', () => {
  it('D2: magento#3072: ten buyers and one unit make one reservation, and available never is below 0', () => {
    const made = stocked({ A: 1 });
    for (let buyer = 0; buyer < 10; buyer += 1) {
      made.send(request(`b${buyer}`, { lines: linesOf(['A', 1]) }));
    }
    made.wait(0);
    const all = Array.from({ length: 10 }, (_, buyer) => told(made.outcome(`b${buyer}`)));
    expect(all.filter((one) => one.startsWith('accepted'))).toHaveLength(1);
    expect(made.ledger().every((entry) => entry.quantities.available >= 0)).toBe(true);
  });

  it('D2: medusa#16502: two lines that share a component and together are more than the stock are refused whole', () => {
    const bundles = bundlesOf({ desk: { top: 1, leg: 4 }, stool: { seat: 1, leg: 3 } });
    const made = stocked({ leg: 6, top: 5, seat: 5 }, { bundles });
    const both = made.ask('both', { lines: linesOf(['desk', 1], ['stool', 1]) });
    expect(told(both)).toBe('INSUFFICIENT_STOCK');
    expect(both.lines.find((line) => line.sku === 'leg')?.short).toBe(1000);
    expect(made.cell('leg').reserved + made.cell('top').reserved).toBe(0);
    expect(told(made.ask('desk', { lines: linesOf(['desk', 1]) }))).toBe(
      'accepted, 1 top at L1, 4 leg at L1',
    );
  });

  it('FillAllAvailable gives what there is, and says what is short', () => {
    const made = stocked({ A: 2, B: 5 });
    const asked = { policy: 'FillAllAvailable', lines: linesOf(['A', 3], ['B', 1]) } as const;
    const outcome = made.ask('some', asked);
    expect(told(outcome)).toBe('accepted, 2 A at L1, 1 B at L1');
    expect(outcome.lines.map((line) => line.short)).toEqual([1000, 0]);
  });

  it('FillAll waits for goods as long as the reservation would live', () => {
    const made = stocked({ A: 2, B: 5 });
    const lines = linesOf(['A', 3], ['B', 1]);
    made.send(request('later', { policy: 'FillAll', lines, expiresAt: noon + 600_000 }));
    made.wait(1_000);
    expect(made.outcome('later')).toBeUndefined();
    expect(told(made.ask('other', { lines: linesOf(['A', 2]) }))).toBe('accepted, 2 A at L1');
    made.ask('goods', { kind: 'adjust', lines: linesOf(['A', 3, 'L1']) });
    expect(told(made.outcome('later'))).toBe('accepted, 3 A at L1, 1 B at L1');
    made.send(request('never', { policy: 'FillAll', lines, expiresAt: noon + 60_000 }));
    made.wait(58_900);
    expect(told(made.outcome('never'))).toBe('INSUFFICIENT_STOCK');
    expect(made.cell('B').reserved).toBe(1);
  });

  it('a line blocked only by an undecided cart waits, and is served when that cart gives up', () => {
    const made = stocked({ A: 1, B: 0 });
    const [carts, stock] = made.pipeline.processors;
    made.send(request('two', { lines: linesOf(['A', 1], ['B', 1]) }));
    made.send(request('one', { lines: linesOf(['A', 1]) }));
    while (carts?.takeOne(() => 0)) carts.commit();
    while (stock?.takeOne(() => 0)) stock.commit();
    expect(
      made.decisions().filter((one) => one.sku === 'A' && one.reservation === 'web|one'),
    ).toEqual([]);
    made.wait(50);
    expect(told(made.outcome('two'))).toBe('INSUFFICIENT_STOCK');
    expect(told(made.outcome('one'))).toBe('accepted, 1 A at L1');
  });

  it('two carts that wait for each other do not stop each other: the older one goes on', () => {
    const made = stocked({ A: 1, B: 1 });
    const [carts, stock] = made.pipeline.processors;
    made.send(request('old', { lines: linesOf(['A', 1], ['B', 1]) }));
    while (carts?.takeOne(() => 0)) carts.commit();
    made.wait(0);
    expect(told(made.outcome('old'))).toBe('accepted, 1 A at L1, 1 B at L1');
    expect(stock?.name).toBe('stock');
  });
});

describe('idempotency', () => {
  it('the same key and body get the same answer and one effect; another body is refused', () => {
    const made = stocked({ A: 5 });
    const first = made.ask('key', { lines: linesOf(['A', 2]) });
    const again = made.ask('key', { lines: linesOf(['A', 2]) });
    const other = made.ask('key', { lines: linesOf(['A', 3]) });
    expect(again).toEqual(first);
    expect([other.code, other.request === first.request]).toEqual([
      'IDEMPOTENCY_KEY_REUSED',
      false,
    ]);
    expect(made.cell('A').reserved).toBe(2);
  });
});

describe('the life of a reservation', () => {
  it('runs out within a second of its time, and a payment after that is refused', () => {
    const made = stocked({ A: 5 });
    const asked = { lines: linesOf(['A', 2]), expiresAt: noon + 10_000 };
    const { reservation } = made.ask('cart', asked);
    made.wait(9_999);
    expect(made.cell('A').reserved).toBe(2);
    made.wait(1_000);
    expect(made.cell('A').reserved).toBe(0);
    expect(made.ask('pay', { kind: 'commit', reservation }).code).toBe('RESERVATION_EXPIRED');
  });

  it('a paid one does not run out; without lines its cart is asked for them', () => {
    const made = stocked({ A: 5, B: 5 });
    const asked = { lines: linesOf(['A', 2], ['B', 1]), expiresAt: noon + 10_000 };
    const { reservation } = made.ask('cart', asked);
    expect(told(made.ask('pay', { kind: 'commit', reservation }))).toBe(
      'accepted, 2 A at L1, 1 B at L1',
    );
    made.wait(100_000);
    expect([made.cell('A').reserved, made.cell('B').reserved]).toEqual([2, 1]);
  });

  it('magento#1849: shipped, cancelled and credited in every order, it is made good once', () => {
    const orders = [
      ['fulfil', 'release', 'release'],
      ['release', 'fulfil', 'release'],
      ['release', 'release', 'fulfil'],
    ] as const;
    for (const kinds of orders) {
      const made = stocked({ A: 5 });
      const { reservation } = made.ask('cart', { lines: linesOf(['A', 2]) });
      const answers = kinds.map(
        (kind, at) => made.ask(`then ${at}`, { kind, reservation }).accepted,
      );
      expect(answers).toEqual([true, false, false]);
      const isSold = kinds[0] === 'fulfil';
      expect(made.cell('A')).toMatchObject({ onHand: isSold ? 3 : 5, reserved: 0 });
    }
  });

  it('is changed up to what there is, all lines or none', () => {
    const made = stocked({ A: 5, B: 2 });
    const { reservation } = made.ask('cart', { lines: linesOf(['A', 1], ['B', 1]) });
    const change = (key: string, a: number, b: number) =>
      told(
        made.ask(key, {
          kind: 'update',
          reservation,
          lines: linesOf(['A', a, 'L1'], ['B', b, 'L1']),
        }),
      );
    expect(change('more', 4, 3)).toBe('INSUFFICIENT_STOCK');
    expect([made.cell('A').reserved, made.cell('B').reserved]).toEqual([1, 1]);
    expect(change('some', 5, 0)).toMatch(/^accepted/);
    expect([made.cell('A').reserved, made.cell('B').reserved]).toEqual([5, 0]);
  });

  it('is handed out in parts', () => {
    const made = stocked({ A: 5 });
    const { reservation } = made.ask('cart', { lines: linesOf(['A', 3]) });
    const part = { kind: 'fulfil', reservation, lines: linesOf(['A', 1]) } as const;
    expect(told(made.ask('one', part))).toBe('accepted, 1 A at L1');
    expect(made.cell('A')).toMatchObject({ onHand: 4, reserved: 2, available: 2 });
    expect(told(made.ask('rest', { kind: 'fulfil', reservation }))).toBe('accepted, 2 A at L1');
    expect(made.cell('A')).toMatchObject({ onHand: 2, reserved: 0, available: 2 });
  });
});

describe('stock commands', () => {
  it('set compares before it swaps, by figure or by sequence', () => {
    const made = stocked({ A: 5 });
    const set = (key: string, given: object) =>
      told(made.ask(key, { kind: 'set', lines: linesOf(['A', 8, 'L1']), ...given }));
    expect(set('blind', {})).toBe('EXPECTATION_MISSING');
    expect(set('old', { changeFromQuantity: 4000 })).toBe('CHANGE_FROM_QUANTITY_STALE');
    expect(set('gone', { expectedSequence: 9 })).toBe('SEQUENCE_STALE');
    expect(set('right', { changeFromQuantity: 5000 })).toBe('accepted, 3 A at L1');
    expect(made.cell('A').onHand).toBe(8);
  });

  it('a count anchors at its time: what was sold later is taken off it', () => {
    const made = stocked({ A: 5 });
    made.wait(3_600_000);
    made.ask('sold', { kind: 'adjust', lines: linesOf(['A', -2, 'L1']) });
    made.ask('counted', {
      kind: 'count',
      lines: linesOf(['A', 9, 'L1']),
      occurredAt: noon + 60_000,
    });
    expect(made.cell('A').onHand).toBe(7);
  });

  it('flink-cdc#1600: a transfer is one step: the sum over locations never dips', () => {
    const made = stocked({ 'A@L1': 5, 'A@L2': 1 });
    const move = { kind: 'transfer', lines: linesOf(['A', 3, 'L1']), toLocation: 'L2' } as const;
    expect(told(made.ask('move', move))).toBe('accepted, 3 A at L2');
    expect([made.cell('A', 'L1').onHand, made.cell('A', 'L2').onHand]).toEqual([2, 4]);
    expect(told(made.ask('more', move))).toBe('INSUFFICIENT_STOCK');
  });

  it("a channel's own share is for it alone, then the free pool is for all", () => {
    const made = stocked({ A: 10 });
    const share = { kind: 'allocate', channel: 'web', lines: linesOf(['A', 4, 'L1']) } as const;
    expect(told(made.ask('share', share))).toBe('accepted, 4 A at L1');
    const reserve = (key: string, channel: string | null, units: number) =>
      told(made.ask(key, { channel, lines: linesOf(['A', units]) }));
    expect(reserve('pos 7', 'pos', 7)).toBe('INSUFFICIENT_STOCK');
    expect(reserve('pos 6', 'pos', 6)).toBe('accepted, 6 A at L1');
    expect(reserve('web 5', 'web', 5)).toBe('INSUFFICIENT_STOCK');
    expect(reserve('web 3', 'web', 3)).toBe('accepted, 3 A at L1');
    expect(made.level('A')?.allocations).toEqual([{ channel: 'web', quantity: 1000 }]);
    made.ask('back', { kind: 'release', reservation: 'web|web 3' });
    expect(made.level('A')?.allocations).toEqual([{ channel: 'web', quantity: 4000 }]);
  });

  it('back-order goes as far below zero as the rules say, and no further', () => {
    const made = stocked({ A: 1 }, { rules: { backOrder: new Map([['A', 2000]]) } });
    expect(told(made.ask('four', { lines: linesOf(['A', 4]) }))).toBe('INSUFFICIENT_STOCK');
    expect(told(made.ask('three', { lines: linesOf(['A', 3]) }))).toBe('accepted, 3 A at L1');
    expect(made.cell('A').available).toBe(-2);
  });

  it('goods by weight are reserved to the gram', () => {
    const made = stocked({ cheese: 1.25 });
    expect(told(made.ask('some', { lines: linesOf(['cheese', 1.249]) }))).toBe(
      'accepted, 1.249 cheese at L1',
    );
    expect(told(made.ask('more', { lines: linesOf(['cheese', 0.002]) }))).toBe(
      'INSUFFICIENT_STOCK',
    );
  });
});
