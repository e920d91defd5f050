/** The same figures by SQL in the two legacy databases alone, independent of the simulator and of Stockline. */
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import type { DatabaseLogin } from './databases.ts';
import { type CellTruth, emptyCell } from './stock-truth.ts';

/** Everything that the ERP alone can say, as (what, sku, location, thousandths, local time, reference). */
const erpSql = `
WITH counted AS (
  SELECT DISTINCT ON (p.artnr, k.lagnr) p.artnr, k.lagnr, p.zmenge, p.zzeit
  FROM invpos p JOIN invkop k ON k.invnr = p.invnr
  WHERE k.stat = 'F'
  ORDER BY p.artnr, k.lagnr, p.zzeit DESC, p.invnr DESC, p.posnr DESC)
SELECT 'count' AS what, artnr AS sku, lagnr AS location, zmenge * 1000 AS quantity,
       to_char(zzeit, 'YYYY-MM-DD HH24:MI:SS.MS') AS at, '' AS reference
FROM counted
UNION ALL
SELECT 'move', b.artnr, b.lagnr, sum(b.menge) * 1000, '', ''
FROM lagbew b LEFT JOIN counted c ON c.artnr = b.artnr AND c.lagnr = b.lagnr
WHERE b.bewart NOT IN ('INV', 'KAS')
  AND (c.zzeit IS NULL OR b.budat + time '23:59:59.999' > c.zzeit)
GROUP BY b.artnr, b.lagnr
UNION ALL
SELECT 'posting', p.artnr, s.lagnr, sum(p.menge) * 1000, k.budat || ' 23:59:59.999', p.bonnr
FROM kbpos p JOIN kbkop k ON k.kbnr = p.kbnr JOIN lagst s ON s.filnr = k.filnr
GROUP BY p.artnr, s.lagnr, k.budat, p.bonnr
UNION ALL
SELECT 'reserved', p.artnr, k.lagnr, sum(greatest(0, p.menge - p.gelmg)) * 1000, '', ''
FROM aufpos p JOIN aufkop k ON k.aufnr = p.aufnr WHERE k.stat IN (10, 20)
GROUP BY p.artnr, k.lagnr
UNION ALL
SELECT 'incoming', p.artnr, k.lagnr, sum(greatest(0, p.menge - p.wemg)) * 1000, '', ''
FROM bstpos p JOIN bstkop k ON k.bstnr = p.bstnr WHERE k.stat IN (10, 20)
GROUP BY p.artnr, k.lagnr
UNION ALL
SELECT 'inTransit', p.artnr, k.nachlag, sum(greatest(0, p.abmg - p.zumg)) * 1000, '', ''
FROM umlpos p JOIN umlkop k ON k.umlnr = p.umlnr WHERE k.stat = 20
GROUP BY p.artnr, k.nachlag
UNION ALL
SELECT CASE p.zust WHEN 'B' THEN 'damaged' ELSE 'qualityControl' END, p.artnr, k.lagnr,
       sum(p.menge) * 1000, '', ''
FROM rtpos p JOIN rtkop k ON k.rtnr = p.rtnr WHERE k.stat = 90 AND p.zust IN ('B', 'Q')
GROUP BY p.zust, p.artnr, k.lagnr
UNION ALL
SELECT 'barcode', artnr, 0, 0, '', ean FROM artean
UNION ALL
SELECT 'shop', '', lagnr, 0, '', filnr::text FROM lagst WHERE filnr IS NOT NULL`;

/** Of each receipt number the lowest id: what it moved by barcode; a receipt that moved nothing has one row without. */
const posSql = `
SELECT r.shop_id AS shop, CONCAT(r.shop_id, '/', r.till_no, '/', r.receipt_no) AS reference,
       DATE_FORMAT(r.sold_at, '%Y-%m-%d %H:%i:%s.000') AS at, p.barcode AS barcode,
       SUM(IF(l.kind = 'sale', -l.quantity, l.quantity)) * 1000 AS quantity
FROM receipt r
JOIN (SELECT MIN(id) AS id FROM receipt GROUP BY shop_id, till_no, receipt_no) first ON first.id = r.id
LEFT JOIN receipt_line l ON l.receipt_id = r.id AND l.voided = 0 AND r.status = 1
LEFT JOIN product p ON p.plu = l.plu
GROUP BY r.id, p.barcode`;

type ErpFigure = keyof CellTruth;

type ErpRow = {
  readonly what: ErpFigure | 'count' | 'move' | 'posting' | 'barcode' | 'shop';
  readonly sku: string;
  readonly location: number;
  readonly quantity: string;
  readonly at: string;
  readonly reference: string;
};

type PosRow = {
  readonly shop: number;
  readonly reference: string;
  readonly at: string;
  readonly barcode: string | null;
  readonly quantity: string | null;
};

/** Thousandths by `sku|location`. */
export async function legacySql(connections: {
  readonly postgres: DatabaseLogin;
  readonly mariadb: DatabaseLogin;
}): Promise<ReadonlyMap<string, CellTruth>> {
  const [erp, pos] = await Promise.all([
    queryErp(connections.postgres),
    queryPos(connections.mariadb),
  ]);
  return combine(erp, pos);
}

async function queryErp(login: DatabaseLogin): Promise<readonly ErpRow[]> {
  const client = new pg.Client({ ...login });
  await client.connect();
  try {
    return (await client.query<ErpRow>(erpSql)).rows;
  } finally {
    await client.end();
  }
}

async function queryPos(login: DatabaseLogin): Promise<readonly PosRow[]> {
  const connection = await createConnection({ ...login });
  try {
    const [rows] = await connection.query<(PosRow & RowDataPacket)[]>(posSql);
    return rows;
  } finally {
    await connection.end();
  }
}

/** Joins by key: barcode to SKU, shop to location, receipt number to posting, cell to its latest count. */
function combine(erp: readonly ErpRow[], pos: readonly PosRow[]): ReadonlyMap<string, CellTruth> {
  const cells = new Map<string, CellTruth>();
  const add = (key: string, figure: ErpFigure, quantity: number): void => {
    const cell = cells.get(key) ?? emptyCell;
    cells.set(key, { ...cell, [figure]: cell[figure] + quantity });
  };
  const countedAt = new Map<string, string>();
  const skus = new Map<string, string>();
  const locations = new Map<string, number>();
  for (const row of erp) {
    if (row.what === 'count') countedAt.set(`${row.sku}|${row.location}`, row.at);
    if (row.what === 'barcode') skus.set(row.reference, row.sku);
    if (row.what === 'shop') locations.set(row.reference, row.location);
  }
  const addIfAfterCount = (key: string, at: string, quantity: number): void => {
    // Local times of one zone, written alike: they compare as text.
    if (at > (countedAt.get(key) ?? '')) add(key, 'onHand', quantity);
  };
  const uploaded = new Set<string>();
  for (const row of pos) {
    uploaded.add(row.reference);
    const sku = row.barcode === null ? undefined : skus.get(row.barcode);
    const location = locations.get(String(row.shop));
    if (sku === undefined || location === undefined) continue;
    addIfAfterCount(`${sku}|${location}`, row.at, thousandths(row.quantity));
  }
  for (const row of erp) {
    const key = `${row.sku}|${row.location}`;
    const quantity = thousandths(row.quantity);
    if (row.what === 'count' || row.what === 'move') add(key, 'onHand', quantity);
    else if (row.what === 'posting') {
      if (!uploaded.has(row.reference)) addIfAfterCount(key, row.at, -quantity);
    } else if (row.what !== 'barcode' && row.what !== 'shop') add(key, row.what, quantity);
  }
  return cells;
}

function thousandths(quantity: string | null): number {
  return Math.round(Number(quantity ?? 0));
}
