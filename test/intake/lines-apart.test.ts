/** Documents whose lines are kept apart: they say what they say when they are kept whole, and cost what changes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DocumentMapping,
  dayMs,
  type SystemMapping,
} from '../../processors/intake/mapping.ts';
import type { IntakeState } from '../../processors/intake/state.ts';
import { intakeStateCodec } from '../../processors/intake/state-codec.ts';
import { intakeStep } from '../../processors/intake/step.ts';
import { intakeTopology } from '../../processors/intake/topology.ts';
import { openState } from '../../processors/runtime/state.ts';
import { movements } from '../../processors/topics.ts';
import type { Emit, Input } from '../../processors/topology/topology.ts';
import type { Movement } from '../../schemas/types.ts';
import { type Commit, DebeziumSource, interleave, type Write } from '../support/debezium.ts';
import { commit, crash, redeliver, runTopology } from '../support/topology-driver.ts';
import {
  article,
  balance,
  cornerShop,
  linesApart,
  ticket,
  ticketLine,
  toldBy,
} from './corner-shop.ts';
import { begin, second } from './played.ts';

const codes = ['a', 'b', 'c'];

/** A shop whose tickets the opening balance contains, or does not; by the lines it opens cells, or does not. */
const shops: Readonly<Record<string, SystemMapping>> = {
  'that are added to the opening': cornerShop,
  'that the opening contains': changed({ containedInOpening: true }),
  'that open cells by their lines': changed({
    effects: ({ header, lines }, resolver) =>
      lines.map((line) => ({
        kind: 'opening',
        bucket: 'onHand',
        sku: resolver.lookup('sku-by-code', String(line.code)),
        location: String(header.number),
        quantity: Number(line.amount),
        occurredAt: 0,
        reason: 'opening',
        reference: '',
      })),
  }),
};

function changed(change: Partial<DocumentMapping>): SystemMapping {
  const documents = cornerShop.documents.map((one) =>
    one.name === 'ticket' ? { ...one, ...change } : one,
  );
  return { ...cornerShop, documents };
}

const row = fc.record({
  what: fc.nat(9),
  id: fc.nat(4),
  of: fc.nat(4),
  amount: fc.integer({ min: 1, max: 9 }),
});
const acts = fc.array(row, { minLength: 1, maxLength: 4 });
const log = fc.record({
  before: fc.array(row, { maxLength: 12 }),
  first: fc.array(acts, { maxLength: 6 }),
  /** What the log does not tell: gone before the second snapshot. */
  unseen: fc.array(row, { maxLength: 4 }),
  second: fc.array(acts, { maxLength: 6 }),
  order: fc.infiniteStream(fc.nat(1000)),
  faults: fc.infiniteStream(fc.nat(9)),
});

/** The tables as they are, and what a change of them is in the log. */
class Tables {
  readonly tickets = new Map<number, Record<string, unknown>>();
  readonly lines = new Map<number, Record<string, unknown>>();

  act({ what, id, of, amount }: typeof row extends fc.Arbitrary<infer T> ? T : never): Write[] {
    if (what === 0) return this.remove(ticket, this.tickets, id);
    if (what <= 2) return this.remove(ticketLine, this.lines, id);
    if (what <= 4) {
      const sold = {
        id,
        number: `n${of % 3}`,
        sold_at: begin - amount * 3 * dayMs,
        done: amount % 2,
      };
      return [this.put(ticket, this.tickets, sold)];
    }
    const line = { id, ticket_id: of, code: codes[amount % 3], amount: amount * 1000 };
    return [this.put(ticketLine, this.lines, line)];
  }

  rows(): readonly Write[] {
    const read = (table: Write['table'], rows: Iterable<Record<string, unknown>>) =>
      [...rows].map((one): Write => ({ table, operation: 'r', row: one }));
    return [...read(ticket, this.tickets.values()), ...read(ticketLine, this.lines.values())];
  }

  private put(table: Write['table'], rows: Tables['lines'], value: { readonly id: number }): Write {
    const operation = rows.has(value.id) ? 'u' : 'c';
    rows.set(value.id, value);
    return { table, operation, row: value };
  }

  private remove(table: Write['table'], rows: Tables['lines'], id: number): Write[] {
    const gone = rows.get(id);
    rows.delete(id);
    return gone === undefined ? [] : [{ table, operation: 'd', row: gone }];
  }
}

/** All that was told, contained in the opening or not. */
function told(mapping: SystemMapping, script: Parameters<typeof runTopology>[1]) {
  const result = runTopology(intakeTopology(mapping), script);
  const contained: Record<string, number> = {};
  for (const { value } of result.records(movements)) {
    for (const effect of value?.contained ?? []) {
      const name = `${effect.kind} ${value?.sku} ${effect.occurredAt}`;
      contained[name] = (contained[name] ?? 0) + effect.quantity;
    }
  }
  const letters = result.deadLetters.map(({ code }) => code);
  return { told: toldBy(result), contained, letters };
}

describe.each(Object.entries(shops))('documents %s', (_, mapping) => {
  it('D1: say the same with their lines apart: snapshots, deletions, moves, housekeeping, crashes', () => {
    fc.assert(
      fc.property(log, (given) => {
        const source = new DebeziumSource('shop', intakeTopology(mapping) as never);
        const tables = new Tables();
        const named = codes.map(
          (code): Write => ({ table: article, operation: 'r', row: { code, sku: `sku-${code}` } }),
        );
        const snapshot = (committedAt: number) =>
          source.snapshot({ committedAt, writes: [...named, ...tables.rows()] });
        const commits = (all: readonly (typeof given.before)[], from: number) =>
          all.flatMap((one, index) => {
            const writes = one.flatMap((act) => tables.act(act));
            const committed: Commit = { committedAt: begin + (from + index) * second, writes };
            return writes.length === 0 ? [] : source.commit(committed);
          });
        for (const act of given.before) tables.act(act);
        const opening = snapshot(begin);
        const first = commits(given.first, 1);
        for (const act of given.unseen) tables.act(act);
        const again = snapshot(begin + 60 * second);
        const rest = commits(given.second, 100);
        const choose = (below: number): number => Number(given.order.next().value) % below;
        const script = [opening, first, again, rest]
          .flatMap((part) => interleave(part, choose))
          .flatMap((item) => {
            const fault = Number(given.faults.next().value);
            if (fault === 0) return [item, crash];
            if (fault === 1) return [item, redeliver];
            return fault <= 4 ? [item, commit] : [item];
          });
        expect(told(linesApart(mapping), script)).toEqual(told(mapping, script));
      }),
      { numRuns: 100 },
    );
  });
});

/** Rows by themselves, without transactions, into a state whose committed bytes are counted. */
function growing() {
  const bytes = new Map<string, Uint8Array>();
  const committed = {
    get: (key: string) => bytes.get(key),
    keys: (beginning: string) => [...bytes.keys()].filter((key) => key.startsWith(beginning)),
  };
  const state = openState<IntakeState>(intakeStateCodec, committed, { hotCellsMax: 1_000 });
  let place = 0;
  return {
    send: (mapping: SystemMapping, table: string, key: string, values: object): readonly Emit[] => {
      place += 1;
      const change = {
        ...{ kind: 'change', table, key, operation: 'c', row: values, transaction: null },
        ...{ position: String(place).padStart(8, '0'), committedAt: begin },
      };
      const record = { topic: table, partition: 0, offset: BigInt(place), timestampMs: begin };
      const input = { kind: 'record', record: { ...record, key, value: change, headers: [] } };
      return intakeStep(mapping)(input as unknown as Input, state.view);
    },
    /** How many bytes the transaction writes. */
    commit: (): number => {
      const changes = state.changes();
      for (const [key, value] of changes) if (value !== undefined) bytes.set(key, value);
      state.commit();
      return changes.reduce((sum, [, value]) => sum + (value?.length ?? 0), 0);
    },
  };
}

const effectsOf = (emits: readonly Emit[]) =>
  emits.flatMap((one) => {
    const { effects = [] } = one.kind === 'record' ? (one.value as Partial<Movement>) : {};
    return effects.map(({ kind, quantity }) => [kind, quantity]);
  });

const header = { id: 1, number: 'n1', sold_at: begin, done: 1 };
const lineOf = (id: number) => ({ id, ticket_id: 1, code: 'a', amount: 1000 });

it('what a further line writes does not grow with its document', () => {
  const apart = linesApart(cornerShop);
  const { send, commit: take } = growing();
  send(apart, 'article', 'a', { code: 'a', sku: 'sku-a' });
  send(apart, 'ticket', '1', header);
  take();
  const written = Array.from({ length: 2_000 }, (_, id) => {
    send(apart, 'ticket_line', String(id), lineOf(id));
    return take();
  });
  // Each line is also noted in a block of 64.
  expect(Math.max(...written)).toBeLessThan(1_000);
});

it('D1: a document that was begun whole stays whole, and says the same', () => {
  const [first, later] = [growing(), growing()];
  const play = ({ send, commit: take }: ReturnType<typeof growing>, then: SystemMapping) => {
    const all: unknown[] = [];
    const tell = (mapping: SystemMapping, table: string, key: string, values: object) => {
      all.push(...effectsOf(send(mapping, table, key, values)));
      take();
    };
    tell(cornerShop, 'article', 'a', { code: 'a', sku: 'sku-a' });
    tell(cornerShop, 'ticket', '1', header);
    for (const id of [1, 2]) tell(cornerShop, 'ticket_line', String(id), lineOf(id));
    for (const id of [2, 3]) tell(then, 'ticket_line', String(id), { ...lineOf(id), amount: 5000 });
    tell(then, 'ticket', '1', { ...header, done: 0 });
    return all;
  };
  expect(play(later, linesApart(cornerShop))).toEqual(play(first, cornerShop));
});

it('balances beside them are told as before', () => {
  const { send } = growing();
  const told = send(linesApart(cornerShop), balance.name, 'A', { sku: 'A', quantity: 3000 });
  expect(told.length).toBeGreaterThan(0);
});
