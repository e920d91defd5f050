/** Moves without a document: scrap, corrections also of earlier days, wrong rows changed or deleted; the nightly rebuild of balances. */
import { chance, integer, pick } from './random.ts';
import { canMove, type FreeMove, type Retailer } from './retailer.ts';
import { popularArticle } from './tills.ts';
import {
  addMove,
  addStatement,
  changeBalance,
  decimal,
  documentKey,
  draftErp,
  type Limits,
  type PlannedTransaction,
  placeKey,
  quoted,
  recordErpMove,
  sealErp,
} from './transaction.ts';

const backdatedDaysMax = 3;
const freeMovesRemembered = 200;

export function scrap(retailer: Retailer): PlannedTransaction | null {
  const article = popularArticle(retailer);
  const quantity = article.byWeight
    ? integer(retailer.random, 50, 900)
    : 1000 * integer(retailer.random, 1, 3);
  return enterFreeMove(retailer, 'SCH', { artnr: article.artnr, menge: -quantity, backDays: 0 });
}

/** Corrects the book, sometimes as of an earlier day. */
export function correctStock(retailer: Retailer): PlannedTransaction | null {
  const { random } = retailer;
  const sign = chance(random, 0.5) ? -1 : 1;
  const backDays = chance(random, 0.5) ? integer(random, 1, backdatedDaysMax) : 0;
  const menge = sign * 1000 * integer(random, 1, 5);
  return enterFreeMove(retailer, 'KOR', { artnr: popularArticle(retailer).artnr, menge, backDays });
}

function enterFreeMove(
  retailer: Retailer,
  bewart: 'SCH' | 'KOR',
  wanted: { readonly artnr: string; readonly menge: number; readonly backDays: number },
): PlannedTransaction | null {
  const place = pick(retailer.random, retailer.places);
  const budat = retailer.today - wanted.backDays;
  if (place === undefined || !canMove(retailer, wanted.artnr, place.lagnr, budat)) return null;
  const { artnr, menge } = wanted;
  const { lagnr } = place;
  const draft = draftErp(bewart === 'SCH' ? 'scrap' : 'correction');
  const move = { artnr, lagnr, bewart, menge, budat, belnr: null, belpos: null };
  const bewnr = addMove(retailer, draft, move);
  retailer.freeMoves.push({ bewnr, artnr, lagnr, menge, budat, enteredDay: retailer.today });
  return sealErp(draft);
}

/** The ERP lets its people delete a wrong move on the day it was entered, and puts the balance back. */
export function deleteMove(retailer: Retailer): PlannedTransaction | null {
  const move = wrongMove(retailer);
  if (move === undefined) return null;
  retailer.freeMoves = retailer.freeMoves.filter((one) => one !== move);
  const { bewnr, artnr, lagnr, menge, budat } = move;
  const draft = draftErp('move deletion');
  draft.keys.add(documentKey('lagbew', bewnr));
  addStatement(draft, 1, `DELETE FROM lagbew WHERE bewnr = ${bewnr}`);
  changeBalance(retailer, draft, artnr, lagnr, { menge: -menge, gesperrt: 0 });
  recordErpMove(retailer, { artnr, lagnr, menge: -menge, budat });
  draft.probe = { sql: `SELECT 1 FROM lagbew WHERE bewnr = ${bewnr}`, committedWhen: 'absent' };
  return sealErp(draft);
}

/** Another quantity, another article or another place, on the day it was entered. */
export function changeMove(retailer: Retailer): PlannedTransaction | null {
  const { random } = retailer;
  const move = wrongMove(retailer);
  if (move === undefined) return null;
  const { bewnr, artnr, lagnr, menge, budat } = move;
  const kind = integer(random, 0, 2);
  const changed = {
    artnr: kind === 0 ? popularArticle(retailer).artnr : artnr,
    lagnr: kind === 1 ? (pick(random, retailer.places)?.lagnr ?? lagnr) : lagnr,
    menge: kind === 2 ? menge + (menge < 0 ? -1000 : 1000) * integer(random, 1, 3) : menge,
  };
  if (!canMove(retailer, changed.artnr, changed.lagnr, budat)) return null;
  const draft = draftErp('move change');
  draft.keys.add(documentKey('lagbew', bewnr));
  addStatement(
    draft,
    1,
    `UPDATE lagbew SET artnr = ${quoted(changed.artnr)}, lagnr = ${changed.lagnr}, ` +
      `menge = ${decimal(changed.menge)} WHERE bewnr = ${bewnr}`,
  );
  changeBalance(retailer, draft, artnr, lagnr, { menge: -menge, gesperrt: 0 });
  changeBalance(retailer, draft, changed.artnr, changed.lagnr, {
    menge: changed.menge,
    gesperrt: 0,
  });
  recordErpMove(retailer, { artnr, lagnr, menge: -menge, budat });
  recordErpMove(retailer, { ...changed, budat });
  Object.assign(move, changed);
  draft.probe = {
    sql:
      `SELECT 1 FROM lagbew WHERE bewnr = ${bewnr} AND artnr = ${quoted(changed.artnr)} ` +
      `AND lagnr = ${changed.lagnr} AND menge = ${decimal(changed.menge)}`,
    committedWhen: 'found',
  };
  return sealErp(draft);
}

function wrongMove(retailer: Retailer): FreeMove | undefined {
  retailer.freeMoves = retailer.freeMoves
    .filter((move) => move.enteredDay === retailer.today)
    .slice(-freeMovesRemembered);
  return pick(retailer.random, retailer.freeMoves);
}

/** Deletes the balances of a place and inserts them again, in one transaction: it changes nothing. */
export function rebuildBalances(retailer: Retailer, limits: Limits): PlannedTransaction | null {
  const place = pick(retailer.random, retailer.places);
  if (place === undefined) return null;
  const cells = [...retailer.cells.values()].filter((cell) => cell.lagnr === place.lagnr);
  const cellsMax = Math.floor(limits.rowsMax / 2);
  const isPartly = cells.length > cellsMax;
  const start = isPartly ? integer(retailer.random, 0, cells.length - cellsMax) : 0;
  const rebuilt = isPartly ? cells.slice(start, start + cellsMax) : cells;
  if (rebuilt.length === 0) return null;
  const articles = rebuilt.map((cell) => quoted(cell.artnr)).join();
  const rows = rebuilt.map(
    (cell) =>
      `(${quoted(cell.artnr)},${cell.lagnr},${decimal(cell.book)},${decimal(cell.blocked)})`,
  );
  const draft = draftErp('balance rebuild');
  draft.keys.add(placeKey(place.lagnr));
  addStatement(
    draft,
    rows.length,
    `DELETE FROM bestand WHERE lagnr = ${place.lagnr}${isPartly ? ` AND artnr IN (${articles})` : ''}`,
  );
  addStatement(
    draft,
    rows.length,
    `INSERT INTO bestand (artnr,lagnr,menge,gesperrt) VALUES ${rows.join()}`,
  );
  return sealErp(draft);
}

/** The ERP's protocol, which has no primary key: written, amended and thinned out all day. */
export function writeProtocol(retailer: Retailer): PlannedTransaction {
  const { random, protocol } = retailer;
  const draft = draftErp('protocol');
  draft.keys.add('lagprot');
  const oldest = protocol[0];
  const kind = integer(random, 0, 3);
  if (kind === 0 && oldest !== undefined) {
    const sql = `UPDATE lagprot SET text = 'geprueft' WHERE zeit = ${protocolTime(oldest)}`;
    addStatement(draft, 1, sql);
    return sealErp(draft);
  }
  if (kind === 1 && oldest !== undefined) {
    protocol.shift();
    addStatement(draft, 1, `DELETE FROM lagprot WHERE zeit = ${protocolTime(oldest)}`);
    return sealErp(draft);
  }
  const id = retailer.planned;
  protocol.push(id);
  addStatement(
    draft,
    1,
    `INSERT INTO lagprot (zeit,erfnam,text) VALUES (${protocolTime(id)},'BATCH','Lauf ${id}')`,
  );
  return sealErp(draft);
}

/** The protocol counts seconds since the batch system was installed. */
function protocolTime(id: number): string {
  return `timestamp '2020-01-01' + interval '${id} seconds'`;
}
