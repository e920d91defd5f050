/** The nightly posting of till receipts in the ERP, shop by shop: begun, filled in parts, completed. */
import type { Day } from './local-time.ts';
import { dayOf } from './local-time.ts';
import { chance } from './random.ts';
import { changeReceipt, isPostable, receiptText, stockEffect, validLines } from './receipts.ts';
import { canMove, cellAt, nextNumber, type Receipt, type Retailer, type Shop } from './retailer.ts';
import {
  addMove,
  addStatement,
  createdProbe,
  date,
  decimal,
  documentKey,
  draftErp,
  type ErpDraft,
  type Limits,
  type PlannedTransaction,
  placeKey,
  quoted,
  sealErp,
} from './transaction.ts';

const leftOutChance = 0.02;
/** How often the paper of an offline till reaches the ERP before its upload does. */
const postedAheadChance = 0.3;
const linesMax = 400;
/** A system that keeps its transactions smaller than this posts receipt by receipt. */
const batchRowsMin = 1000;
/** A receipt that has nothing to post is forgotten when it is this old. */
const forgottenAfterMs = 4 * 86_400_000;
/** A posted line is a row of its own, a move and a balance. */
const rowsPerLine = 3;

/** Begins the posting of a business day for all shops, unless it has begun. */
export function beginPosting(retailer: Retailer, scheduledDay: number): void {
  if (retailer.posting?.scheduledDay === scheduledDay || retailer.posting?.current != null) return;
  retailer.posting = {
    scheduledDay,
    day: retailer.today,
    shopsLeft: [...retailer.shops],
    current: null,
  };
}

/** The next transaction of the posting under way; null when there is none. */
export function continuePosting(retailer: Retailer, limits: Limits): PlannedTransaction | null {
  const { posting } = retailer;
  if (posting === null) return null;
  for (;;) {
    if (posting.current !== null) return postChunk(retailer, limits, posting.day, posting.current);
    const shop = posting.shopsLeft.shift();
    if (shop === undefined) return null;
    const receipts = receiptsToPost(retailer, shop, posting.day);
    if (receipts.length === 0) continue;
    const kbnr = nextNumber(retailer, 'kbnr');
    posting.current = { shop, kbnr, nextLine: 1, receipts };
  }
}

type Current = NonNullable<NonNullable<Retailer['posting']>['current']>;

function postChunk(
  retailer: Retailer,
  limits: Limits,
  day: Day,
  current: Current,
): PlannedTransaction {
  const { shop, kbnr } = current;
  const draft = draftErp(current.nextLine === 1 ? 'posting' : 'posting lines');
  draft.keys.add(documentKey('kbkop', kbnr));
  draft.keys.add(placeKey(shop.place.lagnr));
  if (current.nextLine === 1) {
    addStatement(
      draft,
      1,
      `INSERT INTO kbkop (kbnr,filnr,budat,stat) VALUES (${kbnr},${shop.shopId},${date(day)},'E')`,
    );
    draft.probe = createdProbe('kbkop', 'kbnr', kbnr);
  }
  const rows: string[] = [];
  const byArticle = new Map<string, number>();
  const budget = Math.min(linesMax, Math.floor((limits.rowsMax - 2) / rowsPerLine));
  const isBatch = limits.rowsMax >= batchRowsMin;
  while (isBatch || rows.length === 0) {
    const receipt = current.receipts[0];
    if (receipt === undefined || rows.length + receipt.printed.length > budget) break;
    current.receipts.shift();
    postReceipt(retailer, { receipt, day, current, rows, byArticle });
  }
  if (rows.length > 0) {
    addStatement(
      draft,
      rows.length,
      `INSERT INTO kbpos (kbnr,posnr,bonnr,artnr,menge) VALUES ${rows.join()}`,
    );
  }
  bookSales(retailer, draft, { kbnr, day, lagnr: shop.place.lagnr, byArticle });
  if (rows.length === 0) completePosting(retailer, draft, current);
  return sealErp(draft);
}

function completePosting(retailer: Retailer, draft: ErpDraft, current: Current): void {
  const { shop, kbnr } = current;
  addStatement(draft, 1, `UPDATE kbkop SET stat = 'F' WHERE kbnr = ${kbnr}`);
  if (retailer.posting !== null) retailer.posting.current = null;
  shop.unposted = shop.unposted.filter(
    (receipt) =>
      isPostable(receipt) ||
      (isAlive(receipt) && retailer.nowMs - receipt.soldMs < forgottenAfterMs),
  );
}

function postReceipt(
  retailer: Retailer,
  into: {
    readonly receipt: Receipt;
    readonly day: Day;
    readonly current: Current;
    readonly rows: string[];
    readonly byArticle: Map<string, number>;
  },
): void {
  const { receipt, day, current, rows, byArticle } = into;
  // Corrected, voided or deleted since the posting began?
  const counting = receipt.uploads[0];
  const isDue = counting === undefined ? isHeld(current.shop, receipt) : isPostable(receipt);
  if (!isDue) return;
  const lines = (counting === undefined ? receipt.printed : validLines(counting)).map((line) => ({
    artnr: line.product.article.artnr,
    quantity: -stockEffect(line),
  }));
  for (const { artnr, quantity } of lines) {
    rows.push(
      `(${current.kbnr},${current.nextLine},${quoted(receiptText(receipt))},${quoted(artnr)},${decimal(quantity)})`,
    );
    current.nextLine += 1;
    byArticle.set(artnr, (byArticle.get(artnr) ?? 0) + quantity);
  }
  changeReceipt(retailer, receipt, () => {
    receipt.posted = { day, lines };
  });
  if (counting !== undefined) current.shop.posted.push(receipt);
}

/** Not uploaded yet; a receipt without an upload that no till holds was deleted. */
function isHeld({ tills }: Shop, receipt: Receipt): boolean {
  return tills.some(({ held }) => held.includes(receipt));
}

function bookSales(
  retailer: Retailer,
  draft: ErpDraft,
  sales: {
    readonly kbnr: number;
    readonly day: Day;
    readonly lagnr: number;
    readonly byArticle: ReadonlyMap<string, number>;
  },
): void {
  for (const [artnr, quantity] of sales.byArticle) {
    addMove(retailer, draft, {
      artnr,
      lagnr: sales.lagnr,
      bewart: 'KAS',
      menge: -quantity,
      budat: sales.day,
      belnr: `KB${sales.kbnr}`,
      belpos: null,
    });
  }
}

function receiptsToPost(retailer: Retailer, shop: Shop, day: Day): Receipt[] {
  const { random } = retailer;
  // A posting that takes until the next day leaves that day's sales to the next one.
  const uploaded = shop.unposted.filter(
    (receipt) =>
      isPostable(receipt) && dayOf(receipt.soldMs) <= day && !chance(random, leftOutChance),
  );
  const ahead = shop.tills
    .flatMap((till) => till.held)
    .filter((receipt) => receipt.posted === null && chance(random, postedAheadChance))
    .filter((receipt) => canPostAhead(retailer, receipt, day));
  for (const line of ahead.flatMap((receipt) => receipt.printed)) {
    if (!retailer.isNow) continue;
    const cell = cellAt(retailer, line.product.article.artnr, shop.place.lagnr);
    cell.lastMoveDay = Math.max(cell.lastMoveDay, day);
  }
  return [...uploaded, ...ahead];
}

/**
 * Until its upload comes, a posting stands for the sale with its date alone. On the real present day that date takes
 * the commit's time, which no later query can see, so no cell may be counted on such a day.
 */
function canPostAhead(retailer: Retailer, receipt: Receipt, day: Day): boolean {
  if (dayOf(receipt.soldMs) > day) return false;
  return receipt.printed.every((line) => {
    const { artnr, eanKnown } = line.product.article;
    return eanKnown && (!retailer.isNow || canMove(retailer, artnr, receipt.lagnr, day));
  });
}

function isAlive(receipt: Receipt): boolean {
  return receipt.posted === null && receipt.uploads[0]?.voided === false;
}
