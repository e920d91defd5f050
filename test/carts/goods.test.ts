/** Goods that move by command: over several lines at once, on their way, coming back. */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../schemas/types.ts';
import { linesOf, request, type Shop, shop, told } from './shop.ts';

const stocked = (cells: Readonly<Record<string, number>>, given = {}): Shop => {
  const made = shop(given);
  for (const [cell, units] of Object.entries(cells)) {
    const [sku = '', location = 'L1'] = cell.split('@');
    made.ask(`stock ${cell}`, { kind: 'adjust', lines: linesOf([sku, units, location]) });
  }
  return made;
};

const onHand = (made: Shop, ...cells: readonly string[]): readonly number[] =>
  cells.map((cell) => {
    const [sku = '', location = 'L1'] = cell.split('@');
    return made.cell(sku, location).onHand;
  });

describe('several lines, all or none', () => {
  const both = linesOf(['A', 3, 'L1'], ['B', 3, 'L1']);

  it.each([
    ['transfer', { toLocation: 'L2' }, { 'A@L1': 5, 'B@L1': 2 }, 'INSUFFICIENT_STOCK'],
    ['dispatch', { toLocation: 'L2' }, { 'A@L1': 5, 'B@L1': 2 }, 'INSUFFICIENT_STOCK'],
    ['allocate', { channel: 'web' }, { 'A@L1': 5, 'B@L1': 2 }, 'ALLOCATION_TOO_LARGE'],
    ['set', { changeFromQuantity: 5000 }, { 'A@L1': 5, 'B@L1': 2 }, 'CHANGE_FROM_QUANTITY_STALE'],
    ['receive', {}, { 'A@L1': 5, 'B@L1': 2 }, 'INSUFFICIENT_STOCK'],
  ] as const)('D2: %s: one line that cannot be done, and none is', (kind, given, cells, code) => {
    const made = stocked(cells);
    expect(told(made.ask('both', { kind, lines: both, ...given }))).toBe(code);
    expect(onHand(made, 'A', 'B', 'A@L2', 'B@L2')).toEqual([5, 2, 0, 0]);
    expect(made.cell('A').reserved).toBe(0);
    expect(made.level('A')?.allocations).toEqual([]);
  });

  it('transfer, set, allocate and adjust are done when each line can be', () => {
    const made = stocked({ A: 5, B: 5 });
    const ask = (key: string, given: object) => made.ask(key, { lines: both, ...given }).accepted;
    expect(ask('move', { kind: 'transfer', toLocation: 'L2' })).toBe(true);
    expect(onHand(made, 'A', 'B', 'A@L2', 'B@L2')).toEqual([2, 2, 3, 3]);
    expect(ask('set', { kind: 'set', changeFromQuantity: 2000 })).toBe(true);
    expect(onHand(made, 'A', 'B')).toEqual([3, 3]);
    expect(ask('share', { kind: 'allocate', channel: 'web' })).toBe(true);
    expect(made.level('B')?.allocations).toEqual([{ channel: 'web', quantity: 3000 }]);
    const back = {
      kind: 'allocate',
      channel: 'web',
      lines: linesOf(['A', -2, 'L1'], ['B', -3, 'L1']),
    };
    expect(ask('back', back)).toBe(true);
    expect(made.level('A')?.allocations).toEqual([{ channel: 'web', quantity: 1000 }]);
    expect(ask('more', { kind: 'adjust' })).toBe(true);
    expect(onHand(made, 'A', 'B')).toEqual([6, 6]);
    expect([made.cell('A').reserved, made.cell('B').reserved]).toEqual([0, 0]);
  });

  it('a line that is refused for its own sake undoes the others: the ERP decides at L2', () => {
    const made = stocked({ A: 5 }, { rules: { balanceLocations: new Set(['L2']) } });
    const lines = linesOf(['A', 3, 'L1'], ['B', 3, 'L2']);
    expect(told(made.ask('both', { kind: 'adjust', lines }))).toBe('AUTHORITY_ELSEWHERE');
    const move = { kind: 'transfer', lines: linesOf(['A', 1, 'L1']), toLocation: 'L2' } as const;
    expect(told(made.ask('move', move))).toBe('AUTHORITY_ELSEWHERE');
    expect(onHand(made, 'A', 'B@L2')).toEqual([5, 0]);
  });

  it('D2: of two that set the same cells from the same figure, one is done', () => {
    const made = stocked({ A: 5, B: 5 });
    const set = { kind: 'set', changeFromQuantity: 5000 } as const;
    made.send(request('one', { ...set, lines: linesOf(['A', 7, 'L1'], ['B', 7, 'L1']) }));
    made.send(request('two', { ...set, lines: linesOf(['A', 9, 'L1'], ['B', 9, 'L1']) }));
    made.wait(0);
    const answers = [told(made.outcome('one')), told(made.outcome('two'))];
    expect(answers.filter((one) => one.startsWith('accepted'))).toHaveLength(1);
    const left = answers[0]?.startsWith('accepted') ? 7 : 9;
    expect(onHand(made, 'A', 'B')).toEqual([left, left]);
  });

  it('what a transfer will take is held until all its lines are known: nobody else gets it', () => {
    const made = stocked({ A: 3, B: 3 });
    const [carts, stock] = made.pipeline.processors;
    const run = (processor: typeof carts): void => {
      while (processor?.takeOne(() => 0)) processor.commit();
    };
    made.send(request('move', { kind: 'transfer', lines: both, toLocation: 'L2' }));
    run(carts);
    run(stock);
    made.send(request('late', { lines: linesOf(['A', 1, 'L1']) }));
    made.wait(300);
    expect(told(made.outcome('move'))).toBe('accepted, 3 A at L2, 3 B at L2');
    expect(told(made.outcome('late'))).toBe('INSUFFICIENT_STOCK');
    expect(onHand(made, 'A@L1', 'A@L2')).toEqual([0, 3]);
  });

  it('two lines that set or count the same cell contradict each other', () => {
    const made = stocked({ A: 5 });
    const lines = linesOf(['A', 3, 'L1'], ['A', 4, 'L1']);
    expect(told(made.ask('twice', { kind: 'count', lines }))).toBe('LINE_TWICE');
  });

  it('FillAllAvailable does what can be done, line by line', () => {
    const made = stocked({ A: 5, B: 2 });
    const move = { kind: 'transfer', lines: both, toLocation: 'L2' } as const;
    const outcome = made.ask('some', { ...move, policy: 'FillAllAvailable' });
    expect(told(outcome)).toBe('accepted, 3 A at L2');
    expect(outcome.lines.find((line) => line.sku === 'B')?.code).toBe('INSUFFICIENT_STOCK');
    expect(onHand(made, 'A@L2', 'B@L1')).toEqual([3, 2]);
  });
});

describe('on their way', () => {
  it('flink-cdc#1600: dispatched goods are in transit until they are received; no unit is lost on the way', () => {
    const made = stocked({ A: 5 });
    const figures = () => {
      const there = made.level('A', 'L2')?.quantities;
      return [made.cell('A').onHand, (there?.inTransit ?? 0) / 1000, (there?.onHand ?? 0) / 1000];
    };
    const seen: (readonly number[])[] = [];
    const steps = [
      { kind: 'dispatch', lines: linesOf(['A', 4, 'L1']), toLocation: 'L2' },
      { kind: 'receive', lines: linesOf(['A', 3, 'L2']) },
      { kind: 'receive', lines: linesOf(['A', 1, 'L2']), bucket: 'damaged' },
    ] as const;
    steps.forEach((step, index) => {
      expect(made.ask(`step ${index}`, step).accepted).toBe(true);
      seen.push(figures());
    });
    expect(seen).toEqual([
      [1, 4, 0],
      [1, 1, 3],
      [1, 0, 4],
    ]);
    expect(made.level('A', 'L2')?.quantities.available).toBe(3000);
    const more = made.ask('more', { kind: 'receive', lines: linesOf(['A', 1, 'L2']) });
    expect(told(more)).toBe('INSUFFICIENT_STOCK');
  });
});

describe('returns', () => {
  it.each([
    ['sellable', 'onHand', { onHand: 12, damaged: 0, qualityControl: 0, available: 12 }],
    ['damaged', 'damaged', { onHand: 12, damaged: 2, qualityControl: 0, available: 10 }],
    [
      'to be looked at',
      'qualityControl',
      { onHand: 12, damaged: 0, qualityControl: 2, available: 10 },
    ],
  ])('%s', (_name, bucket, units) => {
    const made = stocked({ A: 10 });
    made.ask('back', { kind: 'return', bucket, lines: linesOf(['A', 2, 'L1']) });
    const quantities = made.level('A')?.quantities;
    for (const [name, value] of Object.entries(units)) {
      expect(quantities?.[name as keyof typeof quantities], name).toBe(value * 1000);
    }
  });

  it('what was looked at is sold again, or written off', () => {
    const made = stocked({ A: 10 });
    made.ask('back', { kind: 'return', bucket: 'qualityControl', lines: linesOf(['A', 2, 'L1']) });
    const adjust = (key: string, bucket: string, units: number) =>
      made.ask(key, { kind: 'adjust', bucket, lines: linesOf(['A', units, 'L1']) });
    adjust('good', 'qualityControl', -1);
    expect(made.cell('A').available).toBe(11);
    adjust('bad', 'qualityControl', -1);
    adjust('off', 'onHand', -1);
    expect(made.cell('A')).toMatchObject({ onHand: 11, available: 11 });
  });

  it('magento#2859: taken back by us and credited by the ERP hours later: the goods come back once', () => {
    const made = stocked({ A: 10 });
    const credited: Partial<Effect> = {
      quantity: 2000,
      occurredAt: made.now() + 1,
      echo: {
        ...{ key: 'credit 7', role: 'posting', rule: 'supersede' },
        ...{ complete: true, contained: false, netted: false },
      },
    };
    const back = { kind: 'return', lines: linesOf(['A', 2, 'L1']), echoKey: 'credit 7' } as const;
    made.ask('back', back);
    made.move('A', [credited]);
    expect(made.cell('A').onHand).toBe(12);
    const other = stocked({ A: 10 });
    other.move('A', [credited]);
    other.ask('back', back);
    expect(other.cell('A').onHand).toBe(12);
  });

  it('magento#2859: two of three shipped, one cancelled, one credited, in every order: made good exactly once', () => {
    const orders = [
      ['ship', 'cancel', 'credit'],
      ['ship', 'credit', 'cancel'],
      ['credit', 'ship', 'cancel'],
    ] as const;
    for (const order of orders) {
      const made = stocked({ A: 10 });
      const { reservation } = made.ask('cart', { lines: linesOf(['A', 3]) });
      const steps = {
        ship: { kind: 'fulfil', reservation, lines: linesOf(['A', 2]) },
        cancel: { kind: 'release', reservation },
        credit: { kind: 'return', lines: linesOf(['A', 1, 'L1']) },
      } as const;
      for (const step of order) expect(made.ask(step, steps[step]).accepted).toBe(true);
      // Once more: each is answered, and none has an effect again.
      for (const step of order) made.ask(step, steps[step]);
      expect(made.cell('A')).toMatchObject({ onHand: 9, reserved: 0, available: 9 });
    }
  });

  it('a place that is not one for returned goods is refused', () => {
    const made = stocked({ A: 1 });
    const asked = {
      kind: 'return',
      bucket: 'safetyStock',
      lines: linesOf(['A', 1, 'L1']),
    } as const;
    expect(told(made.ask('back', asked))).toBe('BUCKET_UNKNOWN');
  });
});
