/** Two systems whose tables nobody here designed, on real parts: a day of their own kind of traffic, then their own figures. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { odooMapping } from '../../connectors/odoo/mapping.ts';
import { osposMapping } from '../../connectors/ospos/mapping.ts';
import {
  type CapturedSystem,
  captureSystem,
  type Figures,
  figuresOf,
} from '../support/captured-system.ts';
import { seededRandom } from '../support/seeded-random.ts';

const schemaOf = (system: string): string =>
  readFileSync(`connectors/${system}/schema.sql`, 'utf8');

describe('Odoo', () => {
  const below = seededRandom(11);
  let source: CapturedSystem;
  beforeAll(async () => {
    source = await captureSystem({
      stack: inject('stack'),
      mapping: odooMapping,
      schema: `${schemaOf('odoo')}
        INSERT INTO product_product (default_code, product_tmpl_id)
          SELECT CASE WHEN g % 5 = 0 THEN NULL ELSE 'P' || g END, g FROM generate_series(1, 20) g;
        INSERT INTO stock_location (id, name, usage) VALUES
          (4, 'Vendors', 'supplier'), (5, 'Customers', 'customer'), (8, 'Stock', 'internal'), (9, 'Shelf', 'internal'), (14, 'Loss', 'inventory');
        INSERT INTO stock_quant (product_id, location_id, quantity, reserved_quantity, in_date)
          SELECT g, 8, 10 * g, 0, now() FROM generate_series(1, 10) g;`,
      meanwhile: traffic,
    });
  });
  afterAll(() => source?.stop());

  const figures = (): Promise<Figures> =>
    figuresOf(
      source,
      `WITH told AS (
         SELECT 'onHand' AS bucket, product_id, location_id, quantity FROM stock_quant
         UNION ALL SELECT 'reserved', product_id, location_id, reserved_quantity FROM stock_quant
         UNION ALL SELECT 'incoming', product_id, location_dest_id, product_qty FROM stock_move m
           WHERE state IN ('waiting', 'confirmed', 'partially_available', 'assigned')
             AND (SELECT usage FROM stock_location l WHERE l.id = m.location_id) <> 'internal')
       SELECT bucket || ' ' || coalesce(p.default_code, 'odoo-' || p.id) || ' ' || l.id AS name, round(sum(t.quantity)::numeric, 3)::float8 AS sum
       FROM told t JOIN product_product p ON p.id = t.product_id JOIN stock_location l ON l.id = t.location_id
       WHERE l.usage = 'internal' GROUP BY 1`,
    );

  /** What Odoo does to the quants of a product at a place. */
  const put = (product: number, place: number, quantity: string, reserved = '0'): string => `
    WITH changed AS (UPDATE stock_quant SET quantity = quantity + ${quantity}, reserved_quantity = reserved_quantity + ${reserved}
      WHERE id = (SELECT min(id) FROM stock_quant WHERE product_id = ${product} AND location_id = ${place}) RETURNING id)
    INSERT INTO stock_quant (product_id, location_id, quantity, reserved_quantity, in_date)
      SELECT ${product}, ${place}, ${quantity}, ${reserved}, now() WHERE NOT EXISTS (SELECT 1 FROM changed);`;
  const move = (
    product: number,
    from: number,
    to: number,
    quantity: string,
    state: string,
  ): string =>
    `INSERT INTO stock_move (name, product_id, product_uom, product_uom_qty, product_qty, location_id, location_dest_id, state, date)
       VALUES ('m', ${product}, 1, ${quantity}, ${quantity}, ${from}, ${to}, '${state}', now());`;
  const finish = (product: number, from: number): string =>
    `UPDATE stock_move SET state = 'done' WHERE product_id = ${product} AND location_id = ${from} AND state <> 'done';`;

  const traffic = async (sql: CapturedSystem['sql'], isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      const product = 1 + below(20);
      const quantity = `${1 + below(9)}.${below(1000)}`;
      const acts = [
        move(product, 4, 8, quantity, 'assigned'),
        finish(product, 4) + put(product, 8, quantity),
        move(product, 8, 5, quantity, 'assigned') + put(product, 8, '0', quantity),
        finish(product, 8) + put(product, 8, `-${quantity}`, `-${quantity}`),
        put(product, 8, `-${quantity}`) + put(product, 9, quantity),
        move(product, 14, 8, quantity, 'done') +
          put(product, 14, `-${quantity}`) +
          put(product, 8, quantity),
        // Quants of one place that were made twice are merged.
        `INSERT INTO stock_quant (product_id, location_id, quantity, reserved_quantity, in_date) VALUES (${product}, 9, 1, 0, now());`,
        `UPDATE stock_quant q SET quantity = (SELECT sum(quantity) FROM stock_quant o WHERE o.product_id = q.product_id AND o.location_id = 9)
           WHERE q.id = (SELECT min(id) FROM stock_quant WHERE product_id = ${product} AND location_id = 9);
         DELETE FROM stock_quant WHERE product_id = ${product} AND location_id = 9
           AND id <> (SELECT min(id) FROM stock_quant WHERE product_id = ${product} AND location_id = 9);`,
      ];
      await sql(`BEGIN; ${acts[below(acts.length)]} COMMIT;`);
    }
  };

  it('D1: receipts, reservations, deliveries, transfers, counts and merged quants, also while its capture begins', async () => {
    await source.settles(figures);
    let left = 300;
    await traffic(source.sql, () => left-- === 0);
    await source.settles(figures);
  });
});

describe('Open Source Point of Sale', () => {
  const below = seededRandom(12);
  let source: CapturedSystem;
  beforeAll(async () => {
    source = await captureSystem({
      stack: inject('stack'),
      mapping: osposMapping,
      schema: `${schemaOf('ospos')}
        INSERT INTO ospos_stock_locations (location_name) VALUES ('shop'), ('back');
        INSERT INTO ospos_items (name, item_number) SELECT concat('item ', seq), IF(seq % 4 = 0, NULL, concat('400', seq)) FROM seq_1_to_15;
        INSERT INTO ospos_item_quantities SELECT seq, 1, 10 FROM seq_1_to_15;
        INSERT INTO ospos_inventory (trans_items, trans_comment, trans_location, trans_inventory) SELECT seq, 'Manual', 1, 10 FROM seq_1_to_15;`,
      meanwhile: traffic,
    });
  });
  afterAll(() => source?.stop());

  const figures = (): Promise<Figures> =>
    figuresOf(
      source,
      `SELECT concat('onHand ', coalesce(i.item_number, i.item_id), ' ', q.location_id) AS name, q.quantity + 0e0 AS sum
       FROM ospos_item_quantities q JOIN ospos_items i ON i.item_id = q.item_id`,
    );

  /** Every change of stock in OSPOS: the balance and a row of the journal. */
  const change = (item: number, place: number, by: string, comment: string): string =>
    `INSERT INTO ospos_item_quantities VALUES (${item}, ${place}, ${by}) ON DUPLICATE KEY UPDATE quantity = quantity + (${by});
     INSERT INTO ospos_inventory (trans_items, trans_comment, trans_location, trans_inventory) VALUES (${item}, '${comment}', ${place}, ${by});`;

  const traffic = async (sql: CapturedSystem['sql'], isOver: () => boolean): Promise<void> => {
    for (let at = 1; !isOver(); at += 1) {
      const item = 1 + below(15);
      const place = 1 + below(2);
      const quantity = `${1 + below(5)}.${below(1000)}`;
      const acts = [
        `INSERT INTO ospos_sales (sale_status) VALUES (0);
         INSERT INTO ospos_sales_items VALUES (last_insert_id(), ${item}, 1, ${quantity}, ${place});${change(item, place, `-${quantity}`, `POS ${at}`)}`,
        'INSERT INTO ospos_sales (sale_status) VALUES (1);',
        change(item, place, quantity, `Deleting sale ${at}`),
        `INSERT INTO ospos_receivings (supplier_id) VALUES (1);${change(item, place, `12 * ${quantity}`, `RECV ${at}`)}`,
        change(item, 1, `-${quantity}`, 'transfer') + change(item, 2, quantity, 'transfer'),
        change(item, place, '-1', 'Manual Edit of Quantity'),
      ];
      await sql(`BEGIN; ${acts[below(acts.length)]} COMMIT;`);
    }
  };

  it('D1: sales, suspended and deleted sales, receivings, transfers and edits, also while its capture begins', async () => {
    await source.settles(figures);
    let left = 300;
    await traffic(source.sql, () => left-- === 0);
    await source.settles(figures);
  });
});
