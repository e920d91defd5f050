/** Where the ERP's balance is the figure, and where its order meets our reservation: the end does not depend on who came first. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Effect } from '../../schemas/types.ts';
import { linesOf, shop } from '../carts/shop.ts';

const echo = (key: string, role: 'till' | 'posting', netted: boolean) => ({
  ...{ key, role, rule: 'supersede' as const },
  ...{ complete: true, contained: false, netted },
});

/** Puts two lists together, each in its own order. */
function interleaved<T>(one: readonly T[], other: readonly T[], picks: readonly boolean[]): T[] {
  const [first, second] = [[...one], [...other]];
  const all: T[] = [];
  for (const pick of picks) all.push(...(pick ? first : second).splice(0, 1));
  return [...all, ...first, ...second];
}

const sale = fc.record({
  receipt: fc.nat(5),
  units: fc.integer({ min: 1, max: 5 }),
  isReturn: fc.boolean(),
  isTold: fc.boolean(),
  isPosted: fc.boolean(),
  missing: fc.nat(1),
});
const picks = fc.array(fc.boolean(), { maxLength: 40 });

it("D1: a balance with the till's sales pending on it: the same end in whatever order till and ERP tell", () => {
  fc.assert(
    fc.property(fc.array(sale, { maxLength: 10 }), fc.boolean(), picks, (sales, netted, order) => {
      const signed = sales.map((one) => ({ ...one, units: one.isReturn ? one.units : -one.units }));
      const event = (
        units: number,
        receipt: number,
        role: 'till' | 'posting',
      ): Partial<Effect> => ({
        quantity: units * 1000,
        echo: echo(`r${receipt}`, role, netted),
      });
      type Told = { readonly system: string; readonly effects: readonly Partial<Effect>[] };
      const till = signed
        .filter(({ isTold }) => isTold)
        .map(
          ({ units, receipt }): Told => ({
            system: 'pos',
            effects: [event(units, receipt, 'till')],
          }),
        );
      // The ERP changes its balance in the step in which it posts; a count and moves of its own are in it already.
      const erp = signed
        .filter(({ isPosted }) => isPosted)
        .map(({ units, receipt, missing }): Told => {
          const posted = units - Math.sign(units) * missing * (Math.abs(units) > 1 ? 1 : 0);
          const balance = { kind: 'level', quantity: posted * 1000 } as const;
          return { system: 'erp', effects: [event(posted, receipt, 'posting'), balance] };
        });
      const start: Told = { system: 'erp', effects: [{ kind: 'level', quantity: 100_000 }] };
      const counted: Told = { system: 'erp', effects: [{ kind: 'count', quantity: 7_000 }] };
      const made = shop({ rules: { balanceLocations: new Set(['L1']) } });
      for (const { system, effects } of interleaved(till, [start, counted, ...erp], order)) {
        made.move('A', effects, system);
      }
      expect(made.cell('A').onHand).toBe(100 + pendingAndPosted([...till, ...erp], netted));
    }),
    { numRuns: 300 },
  );
});

/** Per group: what the ERP has posted, or as long as it has not, what the till told. */
function pendingAndPosted(
  told: readonly { readonly effects: readonly Partial<Effect>[] }[],
  netted: boolean,
): number {
  const groups = new Map<string, { till: number; posted: number | undefined }>();
  for (const { quantity = 0, echo: named } of told.flatMap(({ effects }) => effects)) {
    if (named === null || named === undefined) continue;
    const key = netted ? named.key : `${named.key}${quantity < 0}`;
    const group = groups.get(key) ?? { till: 0, posted: undefined };
    if (named.role === 'till') group.till += quantity / 1000;
    else group.posted = (group.posted ?? 0) + quantity / 1000;
    groups.set(key, group);
  }
  return [...groups.values()].reduce((sum, { till, posted }) => sum + (posted ?? till), 0);
}

it('D1: our hold and the ERP’s order in parts: the same end however bookings and commands interleave', () => {
  const life = fc.record({
    parts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    extra: fc.nat(2),
    ships: fc.boolean(),
    end: fc.constantFrom('held', 'released' as const),
  });
  fc.assert(
    fc.property(life, picks, ({ parts, extra, ships, end }, order) => {
      const booked = parts.reduce((sum, units) => sum + units, 0);
      const made = shop();
      made.move('A', [{ kind: 'opening', quantity: 100_000 }]);
      const { reservation } = made.ask('cart', { lines: linesOf(['A', booked + extra, 'L1']) });
      const level = (units: number): Partial<Effect> => ({
        ...{ kind: 'level', bucket: 'reserved', quantity: units * 1000 },
      });
      const booking = (line: number, units: number, open: number): Partial<Effect> => ({
        ...{ kind: 'level', bucket: 'reserved', quantity: 0 },
        booking: { order: 'o', line: `${line}`, quantity: units * 1000, open: open * 1000 },
      });
      const erp = [
        ...parts.map(
          (units, line) => () => made.move('A', [level(units), booking(line, units, units)]),
        ),
        ...parts.map((units, line) => () => {
          const left = { quantity: -units * 1000, order: `${line}` };
          if (ships) made.move('A', [level(-units), booking(line, units, 0), left]);
        }),
      ];
      const web = [
        () => void made.ask('pay', { kind: 'commit', reservation, reference: 'o' }),
        () => {
          if (end === 'released') made.ask('no', { kind: 'release', reservation });
        },
      ];
      for (const step of interleaved(erp, web, order)) step();
      const ours = end === 'released' ? 0 : extra;
      const theirs = ships ? 0 : booked;
      expect(made.cell('A').reserved).toBe(ours + theirs);
      expect(made.cell('A').onHand).toBe(100 - (ships ? booked : 0));
    }),
    { numRuns: 300 },
  );
});
