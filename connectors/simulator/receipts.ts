/** Till receipts in the simulator's memory: which upload counts, and what it does to the stock. */
import { endOfDayMs, localText, utcText } from './local-time.ts';
import {
  cellAt,
  nextNumber,
  type Receipt,
  type ReceiptLine,
  type Retailer,
  type Upload,
} from './retailer.ts';
import { recordMovement } from './stock-ledger.ts';
import { decimal } from './transaction.ts';

type Effect = { readonly artnr: string; readonly atMs: number; readonly quantity: number };

/** The till's figure and time once a receipt is there; until then what the ERP has posted, at the end of its day. */
function effectsOf(receipt: Receipt): readonly Effect[] {
  const counting = receipt.uploads[0];
  if (counting !== undefined) {
    return validLines(counting).map((line) => ({
      artnr: line.product.article.artnr,
      atMs: receipt.soldMs,
      quantity: stockEffect(line),
    }));
  }
  const posted = receipt.posted;
  if (posted === null) return [];
  return posted.lines.map((line) => ({
    artnr: line.artnr,
    atMs: endOfDayMs(posted.day),
    quantity: -line.quantity,
  }));
}

/** Lets a change of a receipt happen, and the stock with it. */
export function changeReceipt(retailer: Retailer, receipt: Receipt, change: () => void): void {
  const before = effectsOf(receipt);
  change();
  for (const effect of before) record(retailer, receipt, { ...effect, quantity: -effect.quantity });
  for (const effect of effectsOf(receipt)) record(retailer, receipt, effect);
}

function record(retailer: Retailer, receipt: Receipt, effect: Effect): void {
  const cell = cellAt(retailer, effect.artnr, receipt.lagnr);
  recordMovement(cell.ledger, effect.atMs, effect.quantity);
}

export function stockEffect(line: Pick<ReceiptLine, 'kind' | 'quantity'>): number {
  return line.kind === 'sale' ? -line.quantity : line.quantity;
}

export function validLines(upload: Upload): readonly ReceiptLine[] {
  return upload.voided ? [] : upload.lines.filter((line) => !line.voided);
}

/** A new upload with fresh ids, as printed. */
export function uploadOf(retailer: Retailer, receipt: Receipt): Upload {
  const id = nextNumber(retailer, 'receipt');
  const firstLineId = retailer.counters.receiptLine + 1;
  retailer.counters.receiptLine += receipt.printed.length;
  return { id, firstLineId, lines: receipt.printed.map((line) => ({ ...line })), voided: false };
}

/** The two statements that insert uploads of receipts, header and lines. */
export function insertUploads(
  retailer: Retailer,
  uploads: readonly { readonly receipt: Receipt; readonly upload: Upload }[],
): { readonly statements: readonly string[]; readonly rows: number } {
  const uploadedAt = utcText(retailer.nowMs).slice(0, 19);
  const headers = uploads.map(
    ({ receipt, upload }) =>
      `(${upload.id},${receipt.shopId},${receipt.till},${receipt.number},'${soldAt(receipt)}',` +
      `'${uploadedAt}',1,${money(totalCents(upload))})`,
  );
  const lines = uploads.flatMap(({ upload }) =>
    upload.lines.map(
      (line, index) =>
        `(${upload.firstLineId + index},${upload.id},${index + 1},${line.product.plu},'${line.kind}',` +
        `${decimal(line.quantity)},${money(line.product.priceCents)},0)`,
    ),
  );
  return {
    statements: [
      `INSERT INTO receipt (id,shop_id,till_no,receipt_no,sold_at,uploaded_at,status,total) VALUES ${headers.join()}`,
      `INSERT INTO receipt_line (id,receipt_id,line_no,plu,kind,quantity,unit_price,voided) VALUES ${lines.join()}`,
    ],
    rows: headers.length + lines.length,
  };
}

function soldAt(receipt: Receipt): string {
  return localText(receipt.soldMs).slice(0, 19);
}

export function totalCents(upload: Upload): number {
  return validLines(upload).reduce(
    (sum, line) => sum - Math.round((stockEffect(line) * line.product.priceCents) / 1000),
    0,
  );
}

export function money(cents: number): string {
  return (cents / 100).toFixed(2);
}

export function receiptText(receipt: Receipt): string {
  return `${receipt.shopId}/${receipt.till}/${receipt.number}`;
}

export function shopKey(shopId: number): string {
  return `shop ${shopId}`;
}

/** A receipt is known by its number until the ERP has posted it; then it does not change any more. */
export function isPostable(receipt: Receipt): boolean {
  const counting = receipt.uploads[0];
  return (
    receipt.posted === null &&
    counting !== undefined &&
    validLines(counting).length > 0 &&
    validLines(counting).every((line) => line.product.article.eanKnown)
  );
}
