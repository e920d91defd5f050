/**
 * Thousands of source transactions that interleave on few SKUs, with voids, transfers, rollbacks and restarts of the connector:
 * stock equals SQL, and each movement is all that its source transaction did to its SKU, never a part.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  dayMs,
  defineMapping,
  type EffectDraft,
  type Table,
} from '../../processors/intake/mapping.ts';
import { type CapturedSystem, captureSystem, figuresOf } from '../support/captured-system.ts';
import { seededRandom } from '../support/seeded-random.ts';

const wanted = Number(process.env.STOCKLINE_INTERLEAVED ?? 600);
const sessions = 8;
const skus = 20;
const places = 3;

const table = (name: string, columns: Table['columns']): Table => ({
  name,
  primaryKey: ['id'],
  columns: { id: 'id', ...columns },
  onDelete: 'retract',
});
const event = (sku: unknown, place: unknown, quantity: number, reason: string): EffectDraft => ({
  ...{ kind: 'event', bucket: 'onHand', sku: String(sku), location: String(place), quantity },
  ...{ occurredAt: Date.UTC(2026, 0, 1), reason, reference: '' },
});

const mapping = defineMapping({
  system: 'interleaved',
  kind: 'postgresql',
  schema: 'public',
  timeZone: 'UTC',
  lateAfterMs: 3_650 * dayMs,
  lookups: [],
  documents: [
    {
      name: 'sale',
      header: table('sale', { place: 'id', state: 'text' }),
      lines: {
        table: table('sale_line', { sale: 'id', sku: 'text', units: 'quantity' }),
        headerKey: ['sale'],
      },
      containedInOpening: false,
      effects: ({ header, lines }) =>
        header.state === 'done'
          ? lines.map((line) => event(line.sku, header.place, -Number(line.units), 'sale'))
          : [],
    },
    {
      name: 'transfer',
      header: table('transfer', { sku: 'text', source: 'id', target: 'id', units: 'quantity' }),
      containedInOpening: false,
      effects: ({ header: { sku, source, target, units } }) => [
        event(sku, source, -Number(units), 'transfer'),
        event(sku, target, Number(units), 'transfer'),
      ],
    },
  ],
});
const schema = `
  CREATE TABLE sale (id bigserial PRIMARY KEY, place int NOT NULL, state text NOT NULL);
  CREATE TABLE sale_line (id bigserial PRIMARY KEY, sale bigint NOT NULL, sku text NOT NULL, units numeric(9,3) NOT NULL);
  CREATE TABLE transfer (id bigserial PRIMARY KEY, sku text NOT NULL, source int NOT NULL, target int NOT NULL, units numeric(9,3) NOT NULL);`;

/** By SKU and place: what one source transaction did, in units. */
type Did = Map<string, number>;

describe(`${wanted} source transactions that interleave on ${skus} SKUs`, () => {
  let source: CapturedSystem;
  const did = new Map<string, Did>();
  beforeAll(async () => {
    source = await captureSystem({ stack: inject('stack'), mapping, schema });
  });
  afterAll(() => source?.stop());

  const figures = () =>
    figuresOf(
      source,
      `
      WITH told AS (
        SELECT l.sku, s.place, -l.units AS units FROM sale s JOIN sale_line l ON l.sale = s.id WHERE s.state = 'done'
        UNION ALL SELECT sku, source, -units FROM transfer UNION ALL SELECT sku, target, units FROM transfer)
      SELECT 'onHand ' || sku || ' ' || place AS name, sum(units)::float8 AS sum FROM told GROUP BY 1`,
    );

  async function work(seed: number, count: number): Promise<void> {
    const below = seededRandom(seed);
    const session = await source.session();
    const one = async (text: string): Promise<Record<string, string>> => {
      const result = (await session.sql(text)) as { readonly rows: Record<string, string>[] };
      return result.rows[0] ?? {};
    };
    /** Sales of this session that are done: what each took. */
    const done: { readonly id: string; readonly took: readonly (readonly [string, number])[] }[] =
      [];
    for (let n = 0; n < count; n += 1) {
      const mine: Did = new Map();
      const add = (sku: string, place: number, units: number): void => {
        const cell = `${sku} ${place}`;
        mine.set(cell, (mine.get(cell) ?? 0) + units);
      };
      const sku = (): string => `I${1 + below(skus)}`;
      await session.sql('BEGIN');
      const { id: transaction = '' } = await one('SELECT pg_current_xact_id()::text AS id');
      const isUndone = below(10) === 0;
      const made: typeof done = [];
      const voided: string[] = [];
      for (let act = 0; act <= below(3); act += 1) {
        const kind = below(4);
        const last = done.at(-1);
        if (kind === 0) {
          const [what, from, units] = [sku(), 1 + below(places), 1 + below(5)];
          const to = 1 + (from % places);
          await session.sql(
            `INSERT INTO transfer (sku, source, target, units) VALUES ('${what}', ${from}, ${to}, ${units})`,
          );
          add(what, from, -units);
          add(what, to, units);
        } else if (kind === 1 && last !== undefined && !voided.includes(last.id)) {
          await session.sql(`UPDATE sale SET state = 'void' WHERE id = ${last.id}`);
          voided.push(last.id);
          for (const [cell, units] of last.took) mine.set(cell, (mine.get(cell) ?? 0) + units);
        } else {
          const place = 1 + below(places);
          const { id = '' } = await one(
            `INSERT INTO sale (place, state) VALUES (${place}, 'done') RETURNING id::text`,
          );
          const took: (readonly [string, number])[] = [];
          for (let line = 0; line <= below(4); line += 1) {
            const [what, units] = [sku(), 1 + below(5)];
            await session.sql(
              `INSERT INTO sale_line (sale, sku, units) VALUES (${id}, '${what}', ${units})`,
            );
            add(what, place, -units);
            took.push([`${what} ${place}`, units]);
          }
          made.push({ id, took });
        }
      }
      await session.sql(isUndone ? 'ROLLBACK' : 'COMMIT');
      if (isUndone) continue;
      for (const id of voided)
        done.splice(
          done.findIndex((one) => one.id === id),
          1,
        );
      done.push(...made);
      did.set(transaction, mine);
    }
    await session.end();
  }

  it('O1: stock equals SQL, and no movement is a part of its source transaction', async () => {
    const restarting = setInterval(() => {
      source.connector('POST', '/restart?includeTasks=true').catch(() => undefined);
    }, 6_000);
    const each = Math.ceil(wanted / sessions);
    await Promise.all(Array.from({ length: sessions }, (_, at) => work(100 + at, each)));
    clearInterval(restarting);
    await source.settles(figures, 120_000);
    const parts: string[] = [];
    const seen = new Set<string>();
    for (const { transaction, sku, effects } of source.movements()) {
      const name = `${transaction} ${sku}`;
      if (seen.has(name)) parts.push(`${name}: told in two movements`);
      seen.add(name);
      const mine = did.get(transaction);
      const told = new Map<string, number>();
      for (const { location, quantity } of effects) {
        told.set(location, (told.get(location) ?? 0) + quantity);
      }
      for (let place = 1; place <= places; place += 1) {
        const right = mine?.get(`${sku} ${place}`) ?? 0;
        const found = told.get(String(place)) ?? 0;
        if (found !== right) parts.push(`${name} at ${place}: ${found}, and it did ${right}`);
      }
    }
    expect(parts.slice(0, 5)).toEqual([]);
    expect(seen.size).toBeGreaterThan(did.size);
  });
});
