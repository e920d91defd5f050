/** Purchase orders and their goods receipts in parts. What is open is incoming. */
import { chance, integer, pick } from './random.ts';
import {
  type Article,
  canMove,
  nextNumber,
  type PurchaseOrder,
  type Retailer,
} from './retailer.ts';
import { oldestOf, orderedLines } from './sales-orders.ts';
import {
  addMove,
  addStatement,
  createdProbe,
  date,
  decimal,
  documentKey,
  draftErp,
  type PlannedTransaction,
  quoted,
  sealErp,
} from './transaction.ts';

export function createPurchase(retailer: Retailer): PlannedTransaction | null {
  const { random } = retailer;
  const place = chance(random, 0.7)
    ? pick(
        random,
        retailer.places.filter((one) => one.shopId === null),
      )
    : pick(random, retailer.places);
  if (place === undefined) return null;
  const isCentral = place.shopId === null;
  const purchase: PurchaseOrder = {
    bstnr: nextNumber(retailer, 'bstnr'),
    lagnr: place.lagnr,
    stat: 10,
    lines: orderedLines(retailer, integer(random, 2, 10), isCentral ? manyPacks : somePacks),
  };
  retailer.purchases.push(purchase);
  const draft = draftErp('purchase order');
  draft.keys.add(documentKey('bstkop', purchase.bstnr));
  draft.probe = createdProbe('bstkop', 'bstnr', purchase.bstnr);
  const due = retailer.today + integer(random, 1, 6);
  addStatement(
    draft,
    1,
    `INSERT INTO bstkop (bstnr,liefnr,bsdat,ldat,lagnr,stat) VALUES (${purchase.bstnr},` +
      `${integer(random, 700, 780)},${date(retailer.today)},${date(due)},${purchase.lagnr},10)`,
  );
  const rows = purchase.lines.map(
    (line) => `(${purchase.bstnr},${line.posnr},${quoted(line.artnr)},${decimal(line.menge)},0)`,
  );
  addStatement(
    draft,
    rows.length,
    `INSERT INTO bstpos (bstnr,posnr,artnr,menge,wemg) VALUES ${rows.join()}`,
  );
  return sealErp(draft);
}

/** Goods arrive, sometimes in parts, by weight sometimes a little more or less than ordered. */
export function receiveGoods(retailer: Retailer): PlannedTransaction | null {
  const { random, today } = retailer;
  const purchase = oldestOf(retailer, retailer.purchases);
  if (purchase === undefined) return null;
  const isWhole = chance(random, 0.6);
  const arrived = purchase.lines.filter(
    (line) =>
      line.menge > line.done &&
      (isWhole || chance(random, 0.5)) &&
      canMove(retailer, line.artnr, purchase.lagnr, today),
  );
  if (arrived.length === 0) return null;
  const draft = draftErp('goods receipt');
  draft.keys.add(documentKey('bstkop', purchase.bstnr));
  for (const line of arrived) {
    const open = line.menge - line.done;
    const quantity = chance(random, 0.1) ? open + integer(random, -40, 60) * 10 : open;
    const menge = Math.max(10, chance(random, 0.8) ? quantity : Math.ceil(open / 2000) * 1000);
    line.done += menge;
    addStatement(
      draft,
      1,
      `UPDATE bstpos SET wemg = ${decimal(line.done)} WHERE bstnr = ${purchase.bstnr} AND posnr = ${line.posnr}`,
    );
    addMove(retailer, draft, {
      artnr: line.artnr,
      lagnr: purchase.lagnr,
      bewart: 'WE',
      menge,
      budat: today,
      belnr: `BE${purchase.bstnr}`,
      belpos: line.posnr,
    });
  }
  // Now and then the rest never comes and the order is closed all the same.
  const isDone = purchase.lines.every((line) => line.done >= line.menge) || chance(random, 0.05);
  purchase.stat = 20;
  if (isDone) drop(retailer, purchase);
  const stat = isDone ? 90 : 20;
  addStatement(draft, 1, `UPDATE bstkop SET stat = ${stat} WHERE bstnr = ${purchase.bstnr}`);
  return sealErp(draft);
}

export function cancelPurchase(retailer: Retailer): PlannedTransaction | null {
  const purchase = pick(retailer.random, retailer.purchases);
  if (purchase === undefined) return null;
  drop(retailer, purchase);
  const draft = draftErp('purchase cancellation');
  draft.keys.add(documentKey('bstkop', purchase.bstnr));
  addStatement(draft, 1, `UPDATE bstkop SET stat = 99 WHERE bstnr = ${purchase.bstnr}`);
  return sealErp(draft);
}

function drop(retailer: Retailer, purchase: PurchaseOrder): void {
  retailer.purchases = retailer.purchases.filter((one) => one !== purchase);
}

function manyPacks(retailer: Retailer, article: Article): number {
  return article.pack * integer(retailer.random, 5, 30);
}

export function somePacks(retailer: Retailer, article: Article): number {
  return article.pack * integer(retailer.random, 1, 6);
}
