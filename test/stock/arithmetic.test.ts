/** The arithmetic of DESIGN.md section 4, each rule with the case that a simpler one gets wrong. */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../schemas/types.ts';
import { linesOf, noon, type Shop, shop, told } from '../carts/shop.ts';

const hour = 3_600_000;
const at = (clock: number): number => noon + (clock - 12) * hour;
const balanceAt = (location: string) => ({ rules: { balanceLocations: new Set([location]) } });

const opening = (units: number): Partial<Effect> => ({ kind: 'opening', quantity: units * 1000 });
const count = (clock: number, units: number, order = '1'): Partial<Effect> => ({
  kind: 'count',
  quantity: units * 1000,
  occurredAt: at(clock),
  order,
});
const sale = (clock: number, units: number, given: Partial<Effect> = {}): Partial<Effect> => ({
  quantity: -units * 1000,
  occurredAt: at(clock),
  ...given,
});
const takenBack = (told: Partial<Effect>): Partial<Effect> => ({
  ...told,
  asserted: false,
  quantity: -(told.quantity ?? 0),
});
const till = (units: number, key = 'receipt', rule: 'supersede' | 'max' = 'supersede') =>
  sale(11, units, {
    echo: { key, role: 'till', rule, complete: true, contained: false, netted: false },
  });
const posting = (
  units: number,
  given: { complete?: boolean; rule?: 'supersede' | 'max'; key?: string } = {},
) =>
  sale(23, units, {
    echo: {
      key: given.key ?? 'receipt',
      role: 'posting',
      rule: given.rule ?? 'supersede',
      complete: given.complete ?? true,
      contained: false,
      netted: false,
    },
  });
const open = (made: Shop) =>
  [...new Map(made.alerts().map((alert) => [alert.id, alert])).values()]
    .filter((alert) => alert.open)
    .map((alert) => alert.kind);

describe('counts', () => {
  it('square: 100, a sale of 3, an offline sale of 2, a count of 95, then the offline sale arrives: 95', () => {
    const made = shop();
    made.move('A', [opening(100)]);
    made.move('A', [sale(13, 3)]);
    made.move('A', [count(13.5, 95)]);
    made.move('A', [sale(13.4, 2)], 'pos');
    expect(made.cell('A').onHand).toBe(95);
  });

  it('a line that is redated across a count moves the stock, and says since when it had been wrong', () => {
    const made = shop();
    const before = sale(8, 3);
    made.move('A', [opening(100)]);
    made.move('A', [before]);
    made.move('A', [count(9, 95)]);
    made.move('A', [takenBack(before), sale(10, 3, { order: '2' })]);
    expect(made.cell('A').onHand).toBe(92);
    expect(made.ledger().at(-1)?.restatement).toEqual({
      old: 95_000,
      new: 92_000,
      from: at(10),
      to: noon,
    });
    expect(made.alerts().at(-1)).toMatchObject({ kind: 'restatement', expected: '95', seen: '92' });
  });

  it('a count that is taken back uncovers the one before it', () => {
    const made = shop();
    made.move('A', [count(9, 95)]);
    made.move('A', [count(10, 50)]);
    made.move('A', [{ ...count(10, 50), asserted: false }]);
    expect(made.cell('A').onHand).toBe(95);
  });
});

describe('authority', () => {
  const told100 = [{ kind: 'level' as const, quantity: 100_000 }];
  const told97 = [{ kind: 'level' as const, quantity: -3_000 }];

  it.each([
    ['ledger: the count holds, the balance is only compared', {}, 95],
    ["balance: the ERP's figure holds, the count is only compared", balanceAt('L1'), 97],
  ])('balance 100 at 9, count 95 at 10, balance 97 at 11; %s', (_name, rules, onHand) => {
    const made = shop(rules);
    made.move(
      'A',
      rules === undefined || !('rules' in rules) ? [opening(100), ...told100] : told100,
    );
    made.move('A', [count(10, 95)]);
    made.move('A', told97);
    expect(made.cell('A').onHand).toBe(onHand);
  });

  it("a till's sale is pending on top of the ERP's balance and leaves in the step in which it is posted", () => {
    const made = shop(balanceAt('L1'));
    made.move('A', told100);
    made.move('A', [till(4)], 'pos');
    expect(made.cell('A').onHand).toBe(96);
    made.move('A', [posting(3, { complete: false }), { kind: 'level', quantity: -3_000 }]);
    expect(made.cell('A').onHand).toBe(96);
    made.move('A', [posting(1), { kind: 'level', quantity: -1_000 }]);
    expect(made.cell('A').onHand).toBe(96);
    expect(made.ledger().map((entry) => entry.quantities.onHand)).toEqual([
      100_000, 96_000, 96_000, 96_000,
    ]);
  });

  it('odoo#62139: a balance that moves by other than its moves is told, not copied silently', () => {
    const made = shop();
    made.move('A', [sale(11, 3), { kind: 'level', quantity: -2_000 }]);
    expect(made.alerts().at(-1)).toMatchObject({
      kind: 'balanceMismatch',
      expected: '-3',
      seen: '-2',
    });
  });

  it('what the ERP decides is not changed here', () => {
    const made = shop(balanceAt('L1'));
    const adjusted = made.ask('adjust', { kind: 'adjust', lines: linesOf(['A', 1, 'L1']) });
    expect(told(adjusted)).toBe('AUTHORITY_ELSEWHERE');
  });
});

describe('echoes', () => {
  it.each([
    ['posted once', [posting(5)], 5],
    ['posted in part: a missing line is open, not 0', [posting(3, { complete: false })], 5],
    ['posted in two parts', [posting(3, { complete: false }), posting(2)], 5],
    ['the ERP has more', [posting(6)], 6],
    ['the ERP has less', [posting(4)], 4],
    ['posted twice and taken back once', [posting(5), posting(5), takenBack(posting(5))], 5],
    ['cancelled', [posting(5), takenBack(posting(5))], 5],
    ['by max the larger figure holds', [posting(4, { rule: 'max' })], 5, 'max'],
  ])('a sale of 5 told by the till, %s', (_name, postings, sold, given = '') => {
    const rule = given === 'max' ? 'max' : 'supersede';
    for (const order of [0, 1]) {
      const made = shop();
      made.move('A', [opening(100)]);
      if (order === 0) made.move('A', [till(5, 'receipt', rule)], 'pos');
      for (const one of postings) made.move('A', [one]);
      if (order === 1) made.move('A', [till(5, 'receipt', rule)], 'pos');
      expect(made.cell('A').onHand).toBe(100 - sold);
    }
  });

  it.each([
    ['sale and return posted, net 2: nothing is missing', [2], 98, 0],
    ['the total says 3: a return has not been posted', [3], 97, 1],
    ['in two totals, 3 and then -1', [3, -1], 98, 0],
    ['returns alone, -1', [-1], 101, 1],
  ])(
    'a daily total that nets returns against sales (netted): %s',
    (_name, totals, onHand, told) => {
      const netted = (one: Partial<Effect>): Partial<Effect> => ({
        ...one,
        echo: one.echo === null || one.echo === undefined ? null : { ...one.echo, netted: true },
      });
      for (const tillFirst of [true, false]) {
        const made = shop();
        made.move('A', [opening(100)]);
        const sold = () => made.move('A', [netted(till(3, 'day')), netted(till(-1, 'day'))], 'pos');
        if (tillFirst) sold();
        totals.forEach((units, index) => {
          made.move('A', [
            netted(posting(units, { key: 'day', complete: index + 1 === totals.length })),
          ]);
        });
        if (!tillFirst) sold();
        expect(made.cell('A').onHand).toBe(onHand);
        expect(open(made).filter((kind) => kind === 'echoMismatch')).toHaveLength(told);
      }
    },
  );

  it('a receipt and its return in one daily total are told apart by their sign', () => {
    const made = shop();
    made.move('A', [opening(100)]);
    made.move('A', [till(3, 'day')], 'pos');
    made.move('A', [till(-1, 'day')], 'pos');
    made.move('A', [posting(3, { key: 'day', complete: false })]);
    expect(made.cell('A').onHand).toBe(98);
    made.move('A', [posting(-1, { key: 'day' })]);
    expect(made.cell('A').onHand).toBe(98);
  });

  it('a sale that the ERP does not post in time raises an alert, and closes it when it does', () => {
    const made = shop({ rules: { echoOpenAfterMs: 48 * hour } });
    made.move('A', [opening(100)]);
    made.move('A', [till(5)], 'pos');
    made.wait(47 * hour);
    expect(open(made)).toEqual([]);
    made.wait(2 * hour);
    expect(open(made)).toEqual(['echoOpen']);
    made.move('A', [posting(5)]);
    expect(open(made)).toEqual([]);
  });

  it('a difference within the tolerance is none', () => {
    const mismatches = (tolerance: number) => {
      const made = shop({ rules: { echoTolerance: tolerance } });
      made.move('A', [till(5)], 'pos');
      made.move('A', [posting(5.01)]);
      return open(made).filter((kind) => kind === 'echoMismatch').length;
    };
    expect([mismatches(10), mismatches(9)]).toEqual([0, 1]);
  });
});

describe("our reservation and the ERP's order", () => {
  const booked = (
    line: string,
    units: number,
    openUnits = units,
    location = 'L1',
  ): Partial<Effect> => ({
    kind: 'level',
    bucket: 'reserved',
    location,
    booking: { order: 'aufkop/7', line, quantity: units * 1000, open: openUnits * 1000 },
  });
  const level = (units: number, location = 'L1'): Partial<Effect> => ({
    kind: 'level',
    bucket: 'reserved',
    quantity: units * 1000,
    location,
  });
  const paid = () => {
    const made = shop();
    made.move('A', [opening(20)]);
    const { reservation } = made.ask('cart', { lines: linesOf(['A', 5]) });
    made.ask('pay', { kind: 'commit', reservation, reference: 'aufkop/7' });
    return made;
  };

  it('is 5 at every moment while the ERP books it in parts, at another location, ships and closes it', () => {
    const made = paid();
    const total = () => made.cell('A', 'L1').reserved + made.cell('A', 'L2').reserved;
    const seen = [total()];
    made.move('A', [level(3), booked('1', 3)]);
    seen.push(total());
    made.move('A', [level(2, 'L2'), booked('2', 2, 2, 'L2')]);
    seen.push(total());
    made.move('A', [level(-3), booked('1', 3, 0), sale(12, 3)]);
    seen.push(total());
    made.move('A', [level(-2, 'L2'), booked('2', 2, 0, 'L2'), sale(12, 2, { location: 'L2' })]);
    seen.push(total());
    expect(seen).toEqual([5, 5, 5, 2, 0]);
    expect(made.cell('A', 'L1').onHand + made.cell('A', 'L2').onHand).toBe(15);
  });

  it('an order that the ERP had booked before it was paid holds once', () => {
    const made = shop();
    made.move('A', [opening(20)]);
    const { reservation } = made.ask('cart', { lines: linesOf(['A', 5]) });
    made.move('A', [level(5), booked('1', 5)]);
    expect(made.cell('A').reserved).toBe(10);
    expect(made.ask('pay', { kind: 'commit', reservation, reference: 'aufkop/7' }).state).toBe(
      'ECHOED',
    );
    expect(made.cell('A').reserved).toBe(5);
  });

  it('a cancelled order stays booked: our hold does not come back to life', () => {
    const made = paid();
    made.move('A', [level(5), booked('1', 5)]);
    made.move('A', [level(-5), booked('1', 5, 0)]);
    expect(made.cell('A').reserved).toBe(0);
  });

  it('magento#2269: handed out by us, posted by the ERP hours later: deducted once, reserved by nobody', () => {
    const made = paid();
    made.move('A', [level(5), booked('1', 5)]);
    made.ask('out', { kind: 'fulfil', reservation: 'web|cart', echoKey: 'parcel 9' });
    expect(made.cell('A')).toMatchObject({ onHand: 15, reserved: 0, available: 15 });
    made.wait(5 * hour);
    const shipped = { ...posting(5, { key: 'parcel 9' }), occurredAt: at(17) };
    made.move('A', [level(-5), booked('1', 5, 0), shipped]);
    expect(made.cell('A')).toMatchObject({ onHand: 15, reserved: 0, available: 15 });
  });

  it('a paid order that nobody takes up raises an alert; one that the ERP closed short is called a leak', () => {
    const made = paid();
    made.wait(49 * hour);
    expect(open(made)).toEqual(['reservationOpen']);
    made.ask('cancel', { kind: 'release', reservation: 'web|cart' });
    expect(open(made)).toEqual([]);
    const leaking = paid();
    leaking.move('A', [booked('1', 3, 0)]);
    leaking.wait(49 * hour);
    expect(open(leaking)).toEqual(['reservationLeak']);
    expect(leaking.cell('A').reserved).toBe(2);
  });
});

describe('the other quantities', () => {
  it('available = onHand - reserved - damaged - qualityControl - safetyStock; incoming and inTransit are apart', () => {
    const made = shop();
    const buckets = {
      reserved: 1,
      damaged: 2,
      qualityControl: 3,
      safetyStock: 4,
      incoming: 50,
      inTransit: 60,
    };
    made.move('A', [
      opening(100),
      ...Object.entries(buckets).map(([bucket, units]) => ({
        kind: 'level' as const,
        bucket: bucket as Effect['bucket'],
        quantity: units * 1000,
      })),
    ]);
    expect(made.cell('A').available).toBe(90);
  });

  it('purchase orders come in on their days, in parts', () => {
    const made = shop();
    const monday = Date.UTC(2026, 2, 9);
    const due = (units: number): Partial<Effect> => ({
      kind: 'level',
      bucket: 'incoming',
      quantity: units * 1000,
      expectedAt: monday,
    });
    made.move('A', [due(10)]);
    made.move('A', [due(-4), { quantity: 4000 }]);
    const day = monday / 86_400_000;
    expect(made.level('A')?.schedule).toEqual([{ day, incoming: 6000, reserved: 0 }]);
    made.move('A', [due(-6), { quantity: 6000, order: '2' }]);
    expect(made.level('A')?.schedule).toEqual([]);
    expect(made.cell('A').onHand).toBe(10);
  });

  it('low and out are told where the rules say what low is', () => {
    const made = shop({ rules: { lowDefault: 2_000 } });
    made.move('A', [opening(5)]);
    made.move('A', [sale(11, 3)]);
    made.move('A', [sale(11, 2, { order: '2' })]);
    const kinds = made.alerts().map(({ kind, open: isOpen }) => `${kind} ${isOpen}`);
    expect(kinds).toEqual(['stockLow true', 'stockOut true', 'stockLow false']);
  });

  it('a till that sells what is reserved raises oversell; the goods that come close it', () => {
    const made = shop();
    made.move('A', [opening(3)]);
    made.ask('cart', { lines: linesOf(['A', 2]) });
    made.move('A', [sale(12, 2)], 'pos');
    expect(open(made)).toEqual(['negativeAvailable', 'oversell']);
    made.move('A', [{ quantity: 1000, order: '3', occurredAt: noon }]);
    expect(open(made)).toEqual([]);
  });
});
