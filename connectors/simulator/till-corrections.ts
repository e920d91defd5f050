/** Receipts that change after the fact, as long as the ERP has not posted them; and the housekeeping that deletes old ones. */
import { dayOf } from './local-time.ts';
import { chance, integer, pick } from './random.ts';
import { changeReceipt, money, shopKey, totalCents, validLines } from './receipts.ts';
import {
  cellKey,
  type Receipt,
  type ReceiptLine,
  type Retailer,
  type Shop,
  type Upload,
} from './retailer.ts';
import { popularArticle, soldQuantity } from './tills.ts';
import { decimal, type Limits, type PlannedTransaction } from './transaction.ts';

const dayMs = 86_400_000;
/** Nobody corrects a receipt that is older. */
const correctionAgeMaxMs = 2 * dayMs;
const housekeepingAgeMs = 14 * dayMs;
const housekeepingReceiptsMax = 200;

type Found = { readonly shop: Shop; readonly receipt: Receipt; readonly upload: Upload };

/** A receipt that was uploaded once, not voided, not posted, and young. */
function correctable(retailer: Retailer): Found | null {
  const shop = pick(retailer.random, retailer.shops);
  if (shop === undefined) return null;
  for (let attempt = 0; attempt < 8; attempt++) {
    const receipt = pick(retailer.random, shop.unposted);
    const upload = receipt?.uploads[0];
    if (receipt === undefined || upload === undefined || upload.voided) continue;
    if (receipt.uploads.length > 1 || receipt.posted !== null) continue;
    if (retailer.nowMs - receipt.soldMs > correctionAgeMaxMs) continue;
    return { shop, receipt, upload };
  }
  return null;
}

export function voidLine(retailer: Retailer): PlannedTransaction | null {
  const found = correctableLine(retailer);
  if (found === null) return null;
  const { receipt, upload, line, lineId } = found;
  changeReceipt(retailer, receipt, () => {
    line.voided = true;
  });
  return corrected('line void', found, [
    `UPDATE receipt_line SET voided = 1 WHERE id = ${lineId}`,
    newTotal(upload),
  ]);
}

export function correctLine(retailer: Retailer): PlannedTransaction | null {
  const found = correctableLine(retailer);
  if (found === null) return null;
  const { receipt, upload, line, lineId } = found;
  const isOtherProduct = chance(retailer.random, 0.4);
  changeReceipt(retailer, receipt, () => {
    if (isOtherProduct) {
      const product = pick(retailer.random, popularArticle(retailer).products);
      line.product = product ?? line.product;
    }
    const quantity = soldQuantity(retailer, line.product.article);
    // An update that changes nothing is no transaction in MariaDB's log.
    line.quantity = quantity === line.quantity ? quantity + 1000 : quantity;
  });
  const { product, quantity } = line;
  return corrected('line correction', found, [
    `UPDATE receipt_line SET plu = ${product.plu}, quantity = ${decimal(quantity)}, ` +
      `unit_price = ${money(product.priceCents)} WHERE id = ${lineId}`,
    newTotal(upload),
  ]);
}

function correctableLine(
  retailer: Retailer,
): (Found & { readonly line: ReceiptLine; readonly lineId: number }) | null {
  const found = correctable(retailer);
  if (found === null) return null;
  const line = pick(retailer.random, validLines(found.upload));
  if (line === undefined) return null;
  return { ...found, line, lineId: found.upload.firstLineId + found.upload.lines.indexOf(line) };
}

function newTotal(upload: Upload): string {
  return `UPDATE receipt SET total = ${money(totalCents(upload))} WHERE id = ${upload.id}`;
}

/** The whole receipt is void, in all its uploads. */
export function voidReceipt(retailer: Retailer): PlannedTransaction | null {
  const found = pickRepeatedOr(retailer);
  if (found === null) return null;
  const { receipt } = found;
  changeReceipt(retailer, receipt, () => {
    for (const upload of receipt.uploads) upload.voided = true;
  });
  const ids = receipt.uploads.map((upload) => upload.id);
  return {
    ...corrected('receipt void', found, [
      `UPDATE receipt SET status = 2 WHERE id IN (${ids.join()})`,
    ]),
    rows: ids.length,
  };
}

function pickRepeatedOr(retailer: Retailer): Found | null {
  const receipt = chance(retailer.random, 0.2)
    ? pick(retailer.random, retailer.repeated)
    : undefined;
  const shop = retailer.shops.find((one) => one.shopId === receipt?.shopId);
  const upload = receipt?.uploads[0];
  if (receipt === undefined || shop === undefined || upload === undefined || upload.voided) {
    return correctable(retailer);
  }
  const isOld = retailer.nowMs - receipt.soldMs > correctionAgeMaxMs;
  return receipt.posted !== null || isOld ? correctable(retailer) : { receipt, shop, upload };
}

/** A receipt that never should have been is deleted. */
export function deleteReceipt(retailer: Retailer): PlannedTransaction | null {
  const found = correctable(retailer);
  if (found === null) return null;
  const { shop, receipt } = found;
  const deletion = deletionOf([receipt]);
  changeReceipt(retailer, receipt, () => {
    receipt.uploads = [];
  });
  shop.unposted = shop.unposted.filter((one) => one !== receipt);
  return { ...deletion, kind: 'receipt deletion', keys: [shopKey(shop.shopId)] };
}

/** One of two uploads of the same receipt is deleted; after the posting only the one that does not count. */
export function deleteRepeat(retailer: Retailer): PlannedTransaction | null {
  const receipt = pick(retailer.random, retailer.repeated);
  if (receipt === undefined) return null;
  retailer.repeated = retailer.repeated.filter((one) => one !== receipt);
  if (receipt.uploads.length < 2) return null;
  if (retailer.nowMs - receipt.soldMs > correctionAgeMaxMs) return null;
  const isPosted = receipt.posted !== null;
  const index = isPosted ? receipt.uploads.length - 1 : integer(retailer.random, 0, 1);
  const upload = receipt.uploads[index];
  if (upload === undefined) return null;
  changeReceipt(retailer, receipt, () => {
    receipt.uploads = receipt.uploads.filter((one) => one !== upload);
  });
  const deletion = deletionOf([{ ...receipt, uploads: [upload] }]);
  return { ...deletion, kind: 'repeat deletion', keys: [shopKey(receipt.shopId)] };
}

/** Deletes posted receipts older than two weeks, lines and headers, many at once. */
export function housekeeping(retailer: Retailer, limits: Limits): PlannedTransaction | null {
  const shop = pick(retailer.random, retailer.shops);
  if (shop === undefined) return null;
  const purged: Receipt[] = [];
  let rows = 0;
  let looked = 0;
  for (const receipt of shop.posted) {
    if (retailer.nowMs - receipt.soldMs <= housekeepingAgeMs) break;
    const more = rowsOf(receipt);
    if (rows + more > limits.rowsMax || purged.length >= housekeepingReceiptsMax) break;
    looked += 1;
    if (isCountedMeanwhile(retailer, receipt)) continue;
    rows += more;
    purged.push(receipt);
  }
  shop.posted.splice(0, looked);
  if (purged.length === 0) return null;
  return { ...deletionOf(purged), kind: 'housekeeping', keys: [shopKey(shop.shopId)] };
}

/**
 * With the receipt gone, the databases know its sale only by the posting, as of the end of the posting's day. A count
 * between the two times would then no longer see what it has seen, so such a receipt is kept.
 */
function isCountedMeanwhile(retailer: Retailer, receipt: Receipt): boolean {
  const { posted } = receipt;
  if (posted === null) return true;
  const soldDay = dayOf(receipt.soldMs);
  return posted.lines.some((line) => {
    const cell = retailer.cells.get(cellKey(line.artnr, receipt.lagnr));
    return (cell?.countDays ?? []).some((day) => day >= soldDay && day <= posted.day);
  });
}

function rowsOf(receipt: Receipt): number {
  return receipt.uploads.reduce((sum, upload) => sum + 1 + upload.lines.length, 0);
}

function deletionOf(receipts: readonly Receipt[]): Omit<PlannedTransaction, 'kind' | 'keys'> {
  const uploads = receipts.flatMap((receipt) => receipt.uploads);
  const lineIds = uploads.flatMap((upload) =>
    upload.lines.map((_, index) => upload.firstLineId + index),
  );
  return {
    system: 'pos',
    statements: [
      `DELETE FROM receipt_line WHERE id IN (${lineIds.join()})`,
      `DELETE FROM receipt WHERE id IN (${uploads.map((upload) => upload.id).join()})`,
    ],
    rows: lineIds.length + uploads.length,
    probe: null,
  };
}

function corrected(kind: string, found: Found, statements: readonly string[]): PlannedTransaction {
  return {
    system: 'pos',
    kind,
    keys: [shopKey(found.shop.shopId)],
    statements,
    rows: statements.length,
    probe: null,
  };
}
