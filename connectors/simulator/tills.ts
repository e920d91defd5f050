/** What the tills do: sell, take goods back, go offline and upload later, upload once more. */
import { chance, fraction, integer, pick, pickIndex } from './random.ts';
import { changeReceipt, insertUploads, isPostable, shopKey, uploadOf } from './receipts.ts';
import type { Article, Receipt, ReceiptLine, Retailer, Shop, Till } from './retailer.ts';
import type { Limits, PlannedTransaction } from './transaction.ts';

const offlineChance = 0.006;
const repeatChance = 0.01;
const lateRepeatChance = 0.08;
const lateUploadReceiptsMax = 12;
/** A receipt has at most this many rows. */
const receiptRowsMax = 9;

/** One receipt. A sale at an offline till is kept there, and another till sells. */
export function sale(retailer: Retailer): PlannedTransaction | null {
  for (let attempt = 0; attempt < 20; attempt++) {
    const shop = pick(retailer.random, retailer.shops);
    const till = shop === undefined ? undefined : pick(retailer.random, shop.tills);
    if (shop === undefined || till === undefined) return null;
    const receipt = ring(retailer, shop, till);
    if (till.offlineUntil !== null) {
      till.held.push(receipt);
      continue;
    }
    if (chance(retailer.random, offlineChance)) {
      till.offlineUntil =
        retailer.scheduled +
        integer(retailer.random, 100, retailer.schedule.transactionsPerDay / 2);
    }
    return upload(retailer, 'sale', shop, [receipt], repeatChance);
  }
  return null;
}

/** A till that is online again uploads what it has held, a bunch at a time. */
export function lateUpload(retailer: Retailer, limits: Limits): PlannedTransaction | null {
  for (const shop of retailer.shops) {
    for (const till of shop.tills) {
      if (till.offlineUntil === null || till.offlineUntil > retailer.scheduled) continue;
      const bunch = Math.min(lateUploadReceiptsMax, Math.floor(limits.rowsMax / receiptRowsMax));
      const receipts = till.held.splice(0, Math.max(1, bunch));
      if (till.held.length === 0) till.offlineUntil = null;
      if (receipts.length > 0) {
        return upload(retailer, 'late upload', shop, receipts, lateRepeatChance);
      }
    }
  }
  return null;
}

/** The same receipt again under new ids. */
export function repeatUpload(retailer: Retailer): PlannedTransaction | null {
  while ((retailer.repeats[0]?.dueAt ?? Number.POSITIVE_INFINITY) <= retailer.scheduled) {
    const receipt = retailer.repeats.shift()?.receipt;
    const first = receipt?.uploads[0];
    if (receipt === undefined || first === undefined || first.voided) continue;
    if (receipt.posted === null && !isPostable(receipt)) continue;
    const shop = retailer.shops.find((one) => one.shopId === receipt.shopId);
    if (shop === undefined) continue;
    retailer.repeated.push(receipt);
    return upload(retailer, 'repeated upload', shop, [receipt], 0);
  }
  return null;
}

function upload(
  retailer: Retailer,
  kind: string,
  shop: Shop,
  receipts: readonly Receipt[],
  repeat: number,
): PlannedTransaction {
  const uploads = receipts.map((receipt) => {
    const added = uploadOf(retailer, receipt);
    const isFirst = receipt.uploads.length === 0;
    changeReceipt(retailer, receipt, () => receipt.uploads.push(added));
    if (isFirst) (receipt.posted === null ? shop.unposted : shop.posted).push(receipt);
    if (chance(retailer.random, repeat)) {
      const dueAt = retailer.scheduled + integer(retailer.random, 10, 400);
      retailer.repeats.push({ dueAt, receipt });
      retailer.repeats.sort((one, other) => one.dueAt - other.dueAt);
    }
    return { receipt, upload: added };
  });
  const { statements, rows } = insertUploads(retailer, uploads);
  const freshProducts = receipts.flatMap((receipt) =>
    receipt.printed
      .filter((line) => !line.product.article.eanKnown)
      .map((line) => productKey(line.product.plu)),
  );
  return {
    system: 'pos',
    kind,
    keys: [...new Set([shopKey(shop.shopId), ...freshProducts])],
    statements,
    rows,
    probe: {
      sql: `SELECT 1 FROM receipt WHERE id = ${uploads[0]?.upload.id ?? 0}`,
      committedWhen: 'found',
    },
  };
}

export function productKey(plu: number): string {
  return `product ${plu}`;
}

/** Rings up a receipt: one to eight lines, now and then goods that come back. */
function ring(retailer: Retailer, shop: Shop, till: Till): Receipt {
  const { random } = retailer;
  const count = 1 + Math.floor(fraction(random) ** 2.2 * 8);
  const isReturn = chance(random, 0.03);
  const printed: ReceiptLine[] = Array.from({ length: count }, () => ({
    ...rungLine(retailer, articleToSell(retailer)),
    kind: isReturn || chance(random, 0.01) ? ('return' as const) : ('sale' as const),
  }));
  till.nextReceipt += 1;
  return {
    shopId: shop.shopId,
    lagnr: shop.place.lagnr,
    till: till.number,
    number: till.nextReceipt,
    soldMs: Math.floor(retailer.nowMs / 1000) * 1000,
    printed,
    uploads: [],
    posted: null,
  };
}

function rungLine(retailer: Retailer, article: Article): ReceiptLine {
  const product = pick(retailer.random, article.products);
  if (product === undefined)
    throw new Error(`article ${article.artnr} has no product at the tills`);
  return { product, kind: 'sale', quantity: soldQuantity(retailer, article), voided: false };
}

/** Popular articles sell by Zipf's law; what the ERP does not know yet is tried at once. */
function articleToSell(retailer: Retailer): Article {
  const fresh = retailer.newArticles.filter((one) => one.step === 'ean');
  if (fresh.length > 0 && chance(retailer.random, 0.1)) {
    const tried = pick(retailer.random, fresh)?.article;
    if (tried !== undefined) return tried;
  }
  return popularArticle(retailer);
}

export function popularArticle(retailer: Retailer): Article {
  const article = retailer.articles[pickIndex(retailer.random, retailer.popularity)];
  if (article === undefined) throw new Error('the retailer has no articles');
  return article;
}

export function soldQuantity(retailer: Retailer, article: Article): number {
  const { random } = retailer;
  if (article.byWeight) return integer(random, 80, 2400);
  return chance(random, 0.75) ? 1000 : 1000 * integer(random, 2, 6);
}
