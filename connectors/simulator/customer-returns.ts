/** Goods that customers send back: announced, booked in, and for what is in quality control the verdict. */
import { chance, integer, pick } from './random.ts';
import { type CustomerReturn, canMove, cellAt, nextNumber, type Retailer } from './retailer.ts';
import { oldestOf, orderedLines } from './sales-orders.ts';
import {
  addMove,
  addStatement,
  changeBalance,
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

type ReturnLine = CustomerReturn['lines'][number];

const verdictDaysMax = 5;

export function announceReturn(retailer: Retailer): PlannedTransaction | null {
  const { random } = retailer;
  const place = pick(random, retailer.places);
  if (place === undefined) return null;
  const returned: CustomerReturn = {
    rtnr: nextNumber(retailer, 'rtnr'),
    lagnr: place.lagnr,
    day: retailer.today,
    stat: 10,
    lines: orderedLines(retailer, integer(random, 1, 3), () => 1000 * integer(random, 1, 2)).map(
      (line) => ({
        posnr: line.posnr,
        artnr: line.artnr,
        quantity: line.menge,
        condition: pick(random, ['A', 'A', 'A', 'B', 'Q'] as const) ?? 'A',
      }),
    ),
  };
  retailer.returns.push(returned);
  const draft = draftReturn('return', returned);
  draft.probe = createdProbe('rtkop', 'rtnr', returned.rtnr);
  const order = chance(random, 0.6) ? integer(random, 1, retailer.counters.aufnr) : 'NULL';
  addStatement(
    draft,
    1,
    `INSERT INTO rtkop (rtnr,aufnr,rtdat,lagnr,stat) VALUES (${returned.rtnr},${order},` +
      `${date(retailer.today)},${returned.lagnr},10)`,
  );
  const rows = returned.lines.map(
    (line) =>
      `(${returned.rtnr},${line.posnr},${quoted(line.artnr)},${decimal(line.quantity)},'${line.condition}')`,
  );
  addStatement(
    draft,
    rows.length,
    `INSERT INTO rtpos (rtnr,posnr,artnr,menge,zust) VALUES ${rows.join()}`,
  );
  return sealErp(draft);
}

/** Books a return in: on hand again, but damaged or in quality control where the line says so. */
export function bookReturn(retailer: Retailer): PlannedTransaction | null {
  const { today } = retailer;
  const returned = oldestOf(
    retailer,
    retailer.returns.filter((one) => one.stat === 10),
  );
  if (returned === undefined) return null;
  if (!returned.lines.every((line) => canMove(retailer, line.artnr, returned.lagnr, today))) {
    return null;
  }
  const draft = draftReturn('return booked in', returned);
  returned.stat = 90;
  addStatement(draft, 1, `UPDATE rtkop SET stat = 90 WHERE rtnr = ${returned.rtnr}`);
  for (const line of returned.lines) {
    addMove(retailer, draft, {
      artnr: line.artnr,
      lagnr: returned.lagnr,
      bewart: 'RET',
      menge: line.quantity,
      budat: today,
      belnr: `RT${returned.rtnr}`,
      belpos: line.posnr,
    });
    block(retailer, draft, returned, line, 1);
  }
  return sealErp(draft);
}

/** Quality control has looked: sellable or damaged. */
export function judgeReturn(retailer: Retailer): PlannedTransaction | null {
  const returned = pick(
    retailer.random,
    retailer.returns.filter(
      (one) =>
        one.stat === 90 &&
        one.day < retailer.today &&
        one.lines.some((line) => line.condition === 'Q'),
    ),
  );
  const line = returned?.lines.find((one) => one.condition === 'Q');
  if (returned === undefined || line === undefined) return null;
  const draft = draftReturn('return judged', returned);
  block(retailer, draft, returned, line, -1);
  line.condition = chance(retailer.random, 0.6) ? 'A' : 'B';
  block(retailer, draft, returned, line, 1);
  const where = `rtnr = ${returned.rtnr} AND posnr = ${line.posnr}`;
  addStatement(draft, 1, `UPDATE rtpos SET zust = '${line.condition}' WHERE ${where}`);
  draft.probe = {
    sql: `SELECT 1 FROM rtpos WHERE ${where} AND zust = '${line.condition}'`,
    committedWhen: 'found',
  };
  return sealErp(draft);
}

/** Booked returns without an open question are forgotten, and so are very old ones. */
export function forgetOldReturns(retailer: Retailer): void {
  retailer.returns = retailer.returns.filter(
    (one) =>
      one.stat === 10 ||
      (retailer.today - one.day <= verdictDaysMax &&
        one.lines.some((line) => line.condition === 'Q')),
  );
}

function block(
  retailer: Retailer,
  draft: ErpDraft,
  returned: CustomerReturn,
  line: ReturnLine,
  sign: 1 | -1,
): void {
  if (line.condition === 'A') return;
  const quantity = sign * line.quantity;
  const cell = cellAt(retailer, line.artnr, returned.lagnr);
  if (line.condition === 'B') cell.damaged += quantity;
  else cell.qualityControl += quantity;
  changeBalance(retailer, draft, line.artnr, returned.lagnr, { menge: 0, gesperrt: quantity });
}

function draftReturn(kind: string, returned: CustomerReturn): ErpDraft {
  const draft = draftErp(kind);
  draft.keys.add(documentKey('rtkop', returned.rtnr));
  return draft;
}
