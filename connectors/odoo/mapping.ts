/** What Odoo's stock tables mean: its quants are the figure, moves that have not been done are what is to come. */
import {
  dayMs,
  defineMapping,
  type EffectDraft,
  type Lookup,
  type Table,
} from '../../processors/intake/mapping.ts';

const odoo = { name: 'odoo', kind: 'postgresql', schema: 'public' } as const;

const table = (name: string, columns: Table['columns']): Table => ({
  name,
  primaryKey: ['id'],
  columns: { id: 'id', ...columns },
  onDelete: 'retract',
});

/** The internal reference is the SKU; a product without one goes by its id. */
const skuByProduct: Lookup = {
  name: 'sku-by-product',
  system: odoo,
  table: table('product_product', { default_code: 'text' }),
  entry: (row) => ({ key: String(row.id), value: String(row.default_code || `odoo-${row.id}`) }),
};

/** Only goods in internal locations are stock; suppliers, customers and losses are locations too. */
const usageByLocation: Lookup = {
  name: 'usage-by-location',
  system: odoo,
  table: table('stock_location', { usage: 'text' }),
  entry: (row) => ({ key: String(row.id), value: String(row.usage) }),
};

const isOpen = new Set<unknown>(['waiting', 'confirmed', 'partially_available', 'assigned']);

export const odooMapping = defineMapping({
  system: odoo.name,
  kind: odoo.kind,
  schema: odoo.schema,
  timeZone: 'UTC',
  lateAfterMs: 35 * dayMs,
  lookups: [skuByProduct, usageByLocation],
  documents: [
    {
      name: 'quant',
      header: table('stock_quant', {
        product_id: 'id',
        location_id: 'id',
        quantity: 'roundedQuantity',
        reserved_quantity: 'roundedQuantity',
      }),
      containedInOpening: false,
      effects: ({ header }, resolver): readonly EffectDraft[] => {
        const location = String(header.location_id);
        if (resolver.lookup(usageByLocation.name, location) !== 'internal') return [];
        const common = {
          kind: 'level',
          sku: resolver.lookup(skuByProduct.name, String(header.product_id)),
          location,
          occurredAt: 0,
          reference: `stock_quant/${header.id}`,
        } as const;
        return [
          {
            ...common,
            bucket: 'onHand',
            quantity: Number(header.quantity ?? 0),
            reason: 'balance',
          },
          {
            ...common,
            bucket: 'reserved',
            quantity: Number(header.reserved_quantity ?? 0),
            reason: 'reservation',
          },
        ];
      },
    },
    {
      name: 'move',
      header: table('stock_move', {
        product_id: 'id',
        product_qty: 'roundedQuantity',
        location_id: 'id',
        location_dest_id: 'id',
        state: 'text',
      }),
      containedInOpening: false,
      effects: ({ header }, resolver): readonly EffectDraft[] => {
        if (!isOpen.has(header.state)) return [];
        const usageOf = (id: unknown) => resolver.lookup(usageByLocation.name, String(id));
        const from = usageOf(header.location_id);
        if (usageOf(header.location_dest_id) !== 'internal' || from === 'internal') return [];
        return [
          {
            kind: 'level',
            bucket: 'incoming',
            sku: resolver.lookup(skuByProduct.name, String(header.product_id)),
            location: String(header.location_dest_id),
            quantity: Number(header.product_qty ?? 0),
            occurredAt: 0,
            reason: 'receipt',
            reference: `stock_move/${header.id}`,
          },
        ];
      },
    },
  ],
});
