/** What the POS's tables mean for stock: receipts with their lines, products by barcode, shops by number. */
import {
  dayMs,
  defineMapping,
  type EffectDraft,
  type Lookup,
  type Resolver,
  type SourceDocument,
} from '../../processors/intake/mapping.ts';
import { locationByShop, skuByBarcode } from '../erp/mapping.ts';

const pos = { name: 'pos', kind: 'mariadb', schema: 'pos' } as const;

const barcodeByPlu: Lookup = {
  name: 'barcode-by-plu',
  system: pos,
  table: { name: 'product', primaryKey: ['plu'], columns: { plu: 'id', barcode: 'text' } },
  entry: (row) => ({ key: String(row.plu), value: String(row.barcode) }),
};

const complete = 1;

/** Names a receipt as the ERP names it when it posts it. */
function receiptName(header: SourceDocument['header']): string {
  return `${header.shop_id}/${header.till_no}/${header.receipt_no}`;
}

function receipt({ header, lines }: SourceDocument, resolver: Resolver): readonly EffectDraft[] {
  if (header.status !== complete) return [];
  const location = resolver.lookup(locationByShop.name, String(header.shop_id));
  const soldAt = resolver.instant(Number(header.sold_at));
  const name = receiptName(header);
  return lines
    .filter((line) => line.voided === 0)
    .map((line) => {
      const barcode = resolver.lookup(barcodeByPlu.name, String(line.plu));
      const isReturn = line.kind === 'return';
      return {
        kind: 'event',
        bucket: 'onHand',
        sku: barcode === '' ? '' : resolver.lookup(skuByBarcode.name, barcode),
        location,
        quantity: isReturn ? Number(line.quantity) : -Number(line.quantity),
        occurredAt: soldAt,
        reason: isReturn ? 'return' : 'sale',
        reference: `receipt/${name}`,
        echo: { key: name, role: 'till', rule: 'supersede', complete: true },
      };
    });
}

export const posMapping = defineMapping({
  system: pos.name,
  kind: pos.kind,
  schema: pos.schema,
  timeZone: 'Europe/Berlin',
  lateAfterMs: 35 * dayMs,
  lookups: [barcodeByPlu, skuByBarcode, locationByShop],
  documents: [
    {
      name: 'receipt',
      header: {
        name: 'receipt',
        primaryKey: ['id'],
        columns: {
          id: 'id',
          shop_id: 'id',
          till_no: 'id',
          receipt_no: 'id',
          sold_at: 'localTime',
          status: 'integer',
        },
        // Housekeeping removes receipts after two weeks.
        onDelete: { purgeOlderThanMs: 10 * dayMs, datedBy: 'sold_at' },
      },
      lines: {
        table: {
          name: 'receipt_line',
          primaryKey: ['id'],
          columns: {
            id: 'id',
            receipt_id: 'id',
            plu: 'id',
            kind: 'text',
            quantity: 'quantity',
            voided: 'integer',
          },
          onDelete: 'retract',
        },
        headerKey: ['receipt_id'],
      },
      containedInOpening: false,
      once: receiptName,
      effects: receipt,
    },
  ],
});
