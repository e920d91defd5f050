/** What Open Source Point of Sale's tables mean: every change of stock is a row of its inventory journal. */
import { dayMs, defineMapping, type Lookup, type Table } from '../../processors/intake/mapping.ts';

const ospos = { name: 'ospos', kind: 'mariadb', schema: 'ospos' } as const;

const table = (name: string, primaryKey: readonly string[], columns: Table['columns']): Table => ({
  name,
  primaryKey,
  columns,
  onDelete: 'retract',
});

/** The barcode is the SKU; an item without one goes by its id, as on the till. */
const skuByItem: Lookup = {
  name: 'sku-by-item',
  system: ospos,
  table: table('ospos_items', ['item_id'], { item_id: 'id', item_number: 'text' }),
  entry: (row) => ({ key: String(row.item_id), value: String(row.item_number || row.item_id) }),
};

export const osposMapping = defineMapping({
  system: ospos.name,
  kind: ospos.kind,
  schema: ospos.schema,
  timeZone: 'UTC',
  lateAfterMs: 35 * dayMs,
  lookups: [skuByItem],
  documents: [
    {
      name: 'balance',
      header: table('ospos_item_quantities', ['item_id', 'location_id'], {
        item_id: 'id',
        location_id: 'id',
        quantity: 'quantity',
      }),
      containedInOpening: false,
      effects: ({ header }, resolver) => [
        {
          kind: 'opening',
          bucket: 'onHand',
          sku: resolver.lookup(skuByItem.name, String(header.item_id)),
          location: String(header.location_id),
          quantity: Number(header.quantity),
          occurredAt: 0,
          reason: 'opening',
          reference: 'ospos_item_quantities',
        },
      ],
    },
    {
      name: 'journal',
      header: table('ospos_inventory', ['trans_id'], {
        trans_id: 'id',
        trans_items: 'id',
        trans_date: 'instant',
        trans_location: 'id',
        trans_inventory: 'quantity',
      }),
      containedInOpening: true,
      effects: ({ header }, resolver) => {
        const quantity = Number(header.trans_inventory);
        return [
          {
            kind: 'event',
            bucket: 'onHand',
            sku: resolver.lookup(skuByItem.name, String(header.trans_items)),
            location: String(header.trans_location),
            quantity,
            occurredAt: Number(header.trans_date),
            reason: quantity < 0 ? 'issue' : 'receipt',
            reference: `ospos_inventory/${header.trans_id}`,
          },
        ];
      },
    },
  ],
});
