/** Web orders in the ERP: created, changed, shipped in parts, cancelled. What is open is reserved. */
import { chance, integer, pick } from './random.ts';
import {
  type Article,
  canMove,
  type DocumentLine,
  nextNumber,
  type Retailer,
  type SalesOrder,
} from './retailer.ts';
import { popularArticle } from './tills.ts';
import {
  addMove,
  addStatement,
  createdProbe,
  date,
  decimal,
  documentKey,
  draftErp,
  type ErpDraft,
  type PlannedTransaction,
  quoted,
  sealErp,
} from './transaction.ts';

const channels = ['WEB', 'WEB', 'WEB', 'APP', 'MKT'] as const;

export function createOrder(retailer: Retailer): PlannedTransaction | null {
  const { random } = retailer;
  const place = chance(random, 0.8)
    ? pick(
        random,
        retailer.places.filter((one) => one.shopId === null),
      )
    : pick(random, retailer.places);
  if (place === undefined) return null;
  const order: SalesOrder = {
    aufnr: nextNumber(retailer, 'aufnr'),
    lagnr: place.lagnr,
    stat: 10,
    lines: orderedLines(retailer, integer(random, 1, 5), orderedQuantity),
  };
  retailer.orders.push(order);
  const draft = draftOrder('order', order);
  const customer = integer(random, 10_000, 99_999);
  const channel = pick(random, channels) ?? 'WEB';
  addStatement(
    draft,
    1,
    `INSERT INTO aufkop (aufnr,kdnr,audat,stat,lagnr,kanal) VALUES (${order.aufnr},${customer},` +
      `${date(retailer.today)},10,${order.lagnr},'${channel}')`,
  );
  insertLines(draft, order, order.lines);
  draft.probe = createdProbe('aufkop', 'aufnr', order.aufnr);
  return sealErp(draft);
}

/** Another quantity, another article, a line more or less, another place to ship from. */
export function changeOrder(retailer: Retailer): PlannedTransaction | null {
  const { random } = retailer;
  const order = pick(random, retailer.orders);
  const line = order === undefined ? undefined : pick(random, order.lines);
  if (order === undefined || line === undefined) return null;
  const draft = draftOrder('order change', order);
  const where = `aufnr = ${order.aufnr} AND posnr = ${line.posnr}`;
  const kind = integer(random, 0, 4);
  if (kind === 0 && line.done === 0 && order.lines.length > 1) {
    order.lines = order.lines.filter((one) => one !== line);
    addStatement(draft, 1, `DELETE FROM aufpos WHERE ${where}`);
  } else if (kind === 1) {
    const posnr = Math.max(...order.lines.map((one) => one.posnr)) + 1;
    const [added] = orderedLines(retailer, 1, orderedQuantity).map((one) => ({ ...one, posnr }));
    if (added === undefined || order.lines.some((one) => one.artnr === added.artnr)) return null;
    order.lines.push(added);
    insertLines(draft, order, [added]);
    draft.probe = {
      sql: `SELECT 1 FROM aufpos WHERE aufnr = ${order.aufnr} AND posnr = ${posnr}`,
      committedWhen: 'found',
    };
  } else if (kind === 2 && line.done === 0) {
    line.artnr = popularArticle(retailer).artnr;
    addStatement(draft, 1, `UPDATE aufpos SET artnr = ${quoted(line.artnr)} WHERE ${where}`);
  } else if (kind === 3 && order.lines.every((one) => one.done === 0)) {
    order.lagnr = pick(random, retailer.places)?.lagnr ?? order.lagnr;
    addStatement(draft, 1, `UPDATE aufkop SET lagnr = ${order.lagnr} WHERE aufnr = ${order.aufnr}`);
  } else {
    line.menge = Math.max(1000, line.done, line.menge + 1000 * integer(random, -2, 3));
    addStatement(draft, 1, `UPDATE aufpos SET menge = ${decimal(line.menge)} WHERE ${where}`);
  }
  return sealErp(draft);
}

/** Ships an order, whole or in part: shipped quantities, moves, balances and the status together. */
export function shipOrder(retailer: Retailer): PlannedTransaction | null {
  const { random, today } = retailer;
  const order = oldestOf(retailer, retailer.orders);
  if (order === undefined) return null;
  const isWhole = chance(random, 0.7);
  const shipped = order.lines.filter(
    (line) =>
      line.menge > line.done &&
      (isWhole || chance(random, 0.6)) &&
      canMove(retailer, line.artnr, order.lagnr, today),
  );
  if (shipped.length === 0) return null;
  const draft = draftOrder('shipment', order);
  for (const line of shipped) {
    const open = line.menge - line.done;
    const quantity = isWhole || open <= 1000 ? open : Math.ceil(open / 2000) * 1000;
    const shippedNow = Math.min(open, quantity);
    line.done += shippedNow;
    addStatement(
      draft,
      1,
      `UPDATE aufpos SET gelmg = ${decimal(line.done)} WHERE aufnr = ${order.aufnr} AND posnr = ${line.posnr}`,
    );
    addMove(retailer, draft, {
      artnr: line.artnr,
      lagnr: order.lagnr,
      bewart: 'WA',
      menge: -shippedNow,
      budat: today,
      belnr: `AU${order.aufnr}`,
      belpos: line.posnr,
    });
  }
  const isDone = order.lines.every((line) => line.done >= line.menge);
  order.stat = 20;
  if (isDone) retailer.orders = retailer.orders.filter((one) => one !== order);
  setOrderStatus(draft, order, isDone ? 90 : 20);
  return sealErp(draft);
}

export function cancelOrder(retailer: Retailer): PlannedTransaction | null {
  const order = pick(retailer.random, retailer.orders);
  if (order === undefined) return null;
  retailer.orders = retailer.orders.filter((one) => one !== order);
  const draft = draftOrder('order cancellation', order);
  setOrderStatus(draft, order, 99);
  return sealErp(draft);
}

function setOrderStatus(draft: ErpDraft, order: SalesOrder, stat: 20 | 90 | 99): void {
  addStatement(draft, 1, `UPDATE aufkop SET stat = ${stat} WHERE aufnr = ${order.aufnr}`);
}

function draftOrder(kind: string, order: SalesOrder): ErpDraft {
  const draft = draftErp(kind);
  draft.keys.add(documentKey('aufkop', order.aufnr));
  return draft;
}

function insertLines(draft: ErpDraft, order: SalesOrder, lines: readonly DocumentLine[]): void {
  const rows = lines.map(
    (line) => `(${order.aufnr},${line.posnr},${quoted(line.artnr)},${decimal(line.menge)},0)`,
  );
  addStatement(
    draft,
    rows.length,
    `INSERT INTO aufpos (aufnr,posnr,artnr,menge,gelmg) VALUES ${rows.join()}`,
  );
}

function orderedQuantity(retailer: Retailer, article: Article): number {
  const { random } = retailer;
  return article.byWeight ? 250 * integer(random, 2, 12) : 1000 * integer(random, 1, 4);
}

/** Lines of a new document, each of another article. */
export function orderedLines(
  retailer: Retailer,
  count: number,
  quantityOf: (retailer: Retailer, article: Article) => number,
): DocumentLine[] {
  const articles = new Set(Array.from({ length: count }, () => popularArticle(retailer)));
  return [...articles].map((article, index) => ({
    posnr: (index + 1) * 10,
    artnr: article.artnr,
    menge: quantityOf(retailer, article),
    done: 0,
  }));
}

/** One of the documents that wait longest. */
export function oldestOf<Document>(
  retailer: Retailer,
  documents: readonly Document[],
): Document | undefined {
  return pick(retailer.random, documents.slice(0, Math.max(3, Math.floor(documents.length / 3))));
}
