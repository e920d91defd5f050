/** Transfers between places: planned, shipped, received, sometimes less than was shipped. What is under way is in transit. */

import { somePacks } from './purchase-orders.ts';
import { chance, integer, pick } from './random.ts';
import { canMove, nextNumber, type Retailer, type Transfer } from './retailer.ts';
import { oldestOf, orderedLines } from './sales-orders.ts';
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

export function planTransfer(retailer: Retailer): PlannedTransaction | null {
  const { random } = retailer;
  const from = chance(random, 0.85)
    ? pick(
        random,
        retailer.places.filter((one) => one.shopId === null),
      )
    : pick(random, retailer.places);
  const to = pick(
    random,
    retailer.places.filter((one) => one !== from && one.shopId !== null),
  );
  if (from === undefined || to === undefined) return null;
  const transfer: Transfer = {
    umlnr: nextNumber(retailer, 'umlnr'),
    from: from.lagnr,
    to: to.lagnr,
    stat: 10,
    lines: orderedLines(retailer, integer(random, 1, 8), somePacks).map((line) => ({
      posnr: line.posnr,
      artnr: line.artnr,
      menge: line.menge,
      shipped: 0,
      received: 0,
    })),
  };
  retailer.transfers.push(transfer);
  const draft = draftTransfer('transfer', transfer);
  draft.probe = createdProbe('umlkop', 'umlnr', transfer.umlnr);
  addStatement(
    draft,
    1,
    `INSERT INTO umlkop (umlnr,vonlag,nachlag,stat,umdat) VALUES (${transfer.umlnr},${transfer.from},` +
      `${transfer.to},10,${date(retailer.today)})`,
  );
  const rows = transfer.lines.map(
    (line) => `(${transfer.umlnr},${line.posnr},${quoted(line.artnr)},${decimal(line.menge)},0,0)`,
  );
  addStatement(
    draft,
    rows.length,
    `INSERT INTO umlpos (umlnr,posnr,artnr,menge,abmg,zumg) VALUES ${rows.join()}`,
  );
  return sealErp(draft);
}

export function shipTransfer(retailer: Retailer): PlannedTransaction | null {
  const { random, today } = retailer;
  const planned = retailer.transfers.filter((one) => one.stat === 10);
  const transfer = oldestOf(retailer, planned);
  if (transfer === undefined) return null;
  if (!transfer.lines.every((line) => canMove(retailer, line.artnr, transfer.from, today))) {
    return null;
  }
  const draft = draftTransfer('transfer shipment', transfer);
  transfer.stat = 20;
  for (const line of transfer.lines) {
    // The picker sometimes finds less than was asked for.
    line.shipped = chance(random, 0.9) ? line.menge : Math.floor(line.menge / 2000) * 1000;
    if (line.shipped === 0) continue;
    setLine(draft, transfer, line.posnr, `abmg = ${decimal(line.shipped)}`);
    addMove(retailer, draft, {
      artnr: line.artnr,
      lagnr: transfer.from,
      bewart: 'UMA',
      menge: -line.shipped,
      budat: today,
      belnr: `UM${transfer.umlnr}`,
      belpos: line.posnr,
    });
  }
  setTransferStatus(draft, transfer, 20);
  return sealErp(draft);
}

/** Receives what is under way, in one go or some lines first. */
export function receiveTransfer(retailer: Retailer): PlannedTransaction | null {
  const { random, today } = retailer;
  const underWay = retailer.transfers.filter((one) => one.stat === 20);
  const transfer = oldestOf(retailer, underWay);
  if (transfer === undefined) return null;
  if (!transfer.lines.every((line) => canMove(retailer, line.artnr, transfer.to, today))) {
    return null;
  }
  const open = transfer.lines.filter((line) => line.received < line.shipped);
  const isLast = open.length <= 1 || chance(random, 0.8);
  const unloaded = isLast ? open : open.slice(0, Math.ceil(open.length / 2));
  const draft = draftTransfer('transfer receipt', transfer);
  for (const line of unloaded) {
    const missing = chance(random, 0.05) ? Math.min(1000, line.shipped - line.received) : 0;
    const received = line.shipped - line.received - missing;
    if (received === 0) continue;
    line.received += received;
    setLine(draft, transfer, line.posnr, `zumg = ${decimal(line.received)}`);
    addMove(retailer, draft, {
      artnr: line.artnr,
      lagnr: transfer.to,
      bewart: 'UME',
      menge: received,
      budat: today,
      belnr: `UM${transfer.umlnr}`,
      belpos: line.posnr,
    });
  }
  if (isLast) {
    retailer.transfers = retailer.transfers.filter((one) => one !== transfer);
    setTransferStatus(draft, transfer, 30);
  }
  return draft.rows === 0 ? null : sealErp(draft);
}

export function cancelTransfer(retailer: Retailer): PlannedTransaction | null {
  const transfer = pick(
    retailer.random,
    retailer.transfers.filter((one) => one.stat === 10),
  );
  if (transfer === undefined) return null;
  retailer.transfers = retailer.transfers.filter((one) => one !== transfer);
  const draft = draftTransfer('transfer cancellation', transfer);
  setTransferStatus(draft, transfer, 99);
  return sealErp(draft);
}

function draftTransfer(kind: string, transfer: Transfer): ErpDraft {
  const draft = draftErp(kind);
  draft.keys.add(documentKey('umlkop', transfer.umlnr));
  return draft;
}

function setLine(draft: ErpDraft, transfer: Transfer, posnr: number, set: string): void {
  addStatement(
    draft,
    1,
    `UPDATE umlpos SET ${set} WHERE umlnr = ${transfer.umlnr} AND posnr = ${posnr}`,
  );
}

function setTransferStatus(draft: ErpDraft, transfer: Transfer, stat: 20 | 30 | 99): void {
  addStatement(draft, 1, `UPDATE umlkop SET stat = ${stat} WHERE umlnr = ${transfer.umlnr}`);
}
