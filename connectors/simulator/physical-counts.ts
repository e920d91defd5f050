/** Physical counts: lines entered while the shop sells on, made final later, now and then corrected or deleted afterwards. */
import { chance, integer, pick } from './random.ts';
import { stockEffect } from './receipts.ts';
import { cellAt, nextNumber, type PhysicalCount, type Retailer } from './retailer.ts';
import { correctCount, deleteCount, onHand, recordCount } from './stock-ledger.ts';
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
  placeKey,
  quoted,
  sealErp,
  timestamp,
} from './transaction.ts';

const countDaysRemembered = 60;
/** A final count is corrected or deleted within this many days or never. */
const correctionDaysMax = 2;

export function beginCount(retailer: Retailer): PlannedTransaction | null {
  const place = pick(retailer.random, retailer.places);
  if (place === undefined) return null;
  const count: PhysicalCount = {
    invnr: retailer.counters.invnr + 1,
    lagnr: place.lagnr,
    day: retailer.today,
    final: false,
    lines: [],
  };
  const draft = draftCount('count', count);
  addStatement(
    draft,
    1,
    `INSERT INTO invkop (invnr,lagnr,stat,invdat) VALUES (${count.invnr},${count.lagnr},'O',${date(count.day)})`,
  );
  if (!enterLines(retailer, draft, count, integer(retailer.random, 1, 8))) return null;
  nextNumber(retailer, 'invnr');
  retailer.counts.push(count);
  draft.probe = createdProbe('invkop', 'invnr', count.invnr);
  return sealErp(draft);
}

/** More lines for a count of today that is still open. */
export function continueCount(retailer: Retailer): PlannedTransaction | null {
  const open = retailer.counts.filter((one) => !one.final && one.day === retailer.today);
  const count = pick(retailer.random, open);
  if (count === undefined || count.lines.length >= 24) return null;
  const draft = draftCount('count lines', count);
  const posnr = count.lines.length + 1;
  if (!enterLines(retailer, draft, count, integer(retailer.random, 1, 6))) return null;
  draft.probe = {
    sql: `SELECT 1 FROM invpos WHERE invnr = ${count.invnr} AND posnr = ${posnr}`,
    committedWhen: 'found',
  };
  return sealErp(draft);
}

/** Counts cells that no move of the ERP is dated today, each once a day. False when there is none. */
function enterLines(
  retailer: Retailer,
  draft: ErpDraft,
  count: PhysicalCount,
  wanted: number,
): boolean {
  const { random, today } = retailer;
  const rows: string[] = [];
  for (let attempt = 0; attempt < wanted * 4 && rows.length < wanted; attempt++) {
    const { artnr, byWeight } = chance(random, 0.7)
      ? popularArticle(retailer)
      : (pick(random, retailer.articles) ?? popularArticle(retailer));
    const cell = cellAt(retailer, artnr, count.lagnr);
    if (cell.lastMoveDay >= today || cell.countDays.includes(today)) continue;
    cell.countDays = [...cell.countDays.filter((day) => day > today - countDaysRemembered), today];
    // Fractions of a second: no till line can have the same time.
    const atMs = Math.floor(retailer.nowMs / 1000) * 1000 - 1000 + integer(random, 1, 999);
    const onTheShelf = onHand(cell.ledger) + heldOffline(retailer, artnr, count.lagnr);
    const quantity = Math.max(0, onTheShelf + shrinkage(retailer, byWeight));
    const posnr = count.lines.length + 1;
    count.lines.push({ posnr, artnr, quantity, atMs });
    rows.push(`(${count.invnr},${posnr},${quoted(artnr)},${decimal(quantity)},${timestamp(atMs)})`);
  }
  if (rows.length === 0) return false;
  addStatement(
    draft,
    rows.length,
    `INSERT INTO invpos (invnr,posnr,artnr,zmenge,zzeit) VALUES ${rows.join()}`,
  );
  return true;
}

function shrinkage(retailer: Retailer, byWeight: boolean): number {
  const { random } = retailer;
  if (chance(random, 0.5)) return 0;
  if (byWeight) return integer(random, -1500, 300);
  return 1000 * integer(random, -4, 1);
}

/** What offline tills have sold and nobody knows of yet is gone from the shelf all the same. */
function heldOffline(retailer: Retailer, artnr: string, lagnr: number): number {
  const shop = retailer.shops.find((one) => one.place.lagnr === lagnr);
  const lines = (shop?.tills ?? [])
    .flatMap((till) => till.held.filter((receipt) => receipt.posted === null))
    .flatMap((receipt) => receipt.printed.filter((line) => line.product.article.artnr === artnr));
  return lines.reduce((sum, line) => sum + stockEffect(line), 0);
}

/** Makes the oldest open count final: the ERP's balances follow, in the same transaction. */
export function finishCount(retailer: Retailer): PlannedTransaction | null {
  const count = retailer.counts.find((one) => !one.final);
  if (count === undefined) return null;
  const draft = draftCount('count final', count);
  addStatement(draft, 1, `UPDATE invkop SET stat = 'F' WHERE invnr = ${count.invnr}`);
  count.final = true;
  for (const line of count.lines) {
    const cell = cellAt(retailer, line.artnr, count.lagnr);
    recordCount(cell.ledger, {
      id: countId(count, line.posnr),
      atMs: line.atMs,
      quantity: line.quantity,
    });
    bookDifference(retailer, draft, { count, line, difference: line.quantity - cell.book });
  }
  return sealErp(draft);
}

/** A final count's line was wrong. */
export function correctFinalCount(retailer: Retailer): PlannedTransaction | null {
  const count = recentFinal(retailer);
  const line = count === undefined ? undefined : pick(retailer.random, count.lines);
  if (count === undefined || line === undefined) return null;
  const difference = 1000 * integer(retailer.random, 1, 3);
  line.quantity += difference;
  correctCount(
    cellAt(retailer, line.artnr, count.lagnr).ledger,
    countId(count, line.posnr),
    line.quantity,
  );
  const draft = draftCount('count correction', count);
  addStatement(
    draft,
    1,
    `UPDATE invpos SET zmenge = ${decimal(line.quantity)} WHERE invnr = ${count.invnr} AND posnr = ${line.posnr}`,
  );
  bookDifference(retailer, draft, { count, line, difference });
  return sealErp(draft);
}

/** A count of the wrong shelf is deleted; what it booked stays in the books. */
export function deleteFinalCount(retailer: Retailer): PlannedTransaction | null {
  const count = recentFinal(retailer);
  if (count === undefined) return null;
  retailer.counts = retailer.counts.filter((one) => one !== count);
  const draft = draftCount('count deletion', count);
  addStatement(draft, count.lines.length, `DELETE FROM invpos WHERE invnr = ${count.invnr}`);
  addStatement(draft, 1, `DELETE FROM invkop WHERE invnr = ${count.invnr}`);
  for (const line of count.lines) {
    const cell = cellAt(retailer, line.artnr, count.lagnr);
    deleteCount(cell.ledger, countId(count, line.posnr));
  }
  draft.probe = {
    sql: `SELECT 1 FROM invkop WHERE invnr = ${count.invnr}`,
    committedWhen: 'absent',
  };
  return sealErp(draft);
}

/** Final counts that are too old to be corrected are forgotten. */
export function forgetOldCounts(retailer: Retailer): void {
  retailer.counts = retailer.counts.filter(
    (one) => !one.final || retailer.today - one.day <= correctionDaysMax,
  );
}

function recentFinal(retailer: Retailer): PhysicalCount | undefined {
  const recent = retailer.counts.filter(
    (one) => one.final && retailer.today - one.day <= correctionDaysMax,
  );
  return pick(retailer.random, recent);
}

function bookDifference(
  retailer: Retailer,
  draft: ErpDraft,
  booked: {
    readonly count: PhysicalCount;
    readonly line: PhysicalCount['lines'][number];
    readonly difference: number;
  },
): void {
  const { count, line, difference } = booked;
  if (difference === 0) return;
  addMove(retailer, draft, {
    artnr: line.artnr,
    lagnr: count.lagnr,
    bewart: 'INV',
    menge: difference,
    budat: retailer.today,
    belnr: `IN${count.invnr}`,
    belpos: line.posnr,
  });
}

function countId(count: PhysicalCount, posnr: number): string {
  return `${count.invnr}/${posnr}`;
}

function draftCount(kind: string, count: PhysicalCount): ErpDraft {
  const draft = draftErp(kind);
  draft.keys.add(documentKey('invkop', count.invnr));
  draft.keys.add(placeKey(count.lagnr));
  return draft;
}
