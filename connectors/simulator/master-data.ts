/** A new retailer: articles, places, shops and opening stock, and the statements that bring them into empty databases. */
import { scheduleFrom } from './business-clock.ts';
import { dayOf } from './local-time.ts';
import { articleRow, eanRows, inventArticle, productRow } from './new-articles.ts';
import { chance, cumulate, integer, seededRandom, zipfWeights } from './random.ts';
import type { Place, Retailer, Shop } from './retailer.ts';
import {
  addMove,
  addStatement,
  draftErp,
  type PlannedTransaction,
  sealErp,
} from './transaction.ts';

export type RetailerOptions = {
  readonly shops: number;
  readonly centralPlaces: number;
  readonly articles: number;
  readonly transactionsPerDay: number;
  readonly historyTransactions: number;
  /** Day zero lies so many days before the real now. */
  readonly daysBack: number;
};

export const defaultOptions: RetailerOptions = {
  shops: 10,
  centralPlaces: 2,
  articles: 400,
  transactionsPerDay: 2500,
  historyTransactions: 200,
  daysBack: 25,
};

export const retailerVersion = 1;
const zipfExponent = 0.9;
const towns = [
  'Köln',
  'Bonn',
  'Aachen',
  'Essen',
  'Neuss',
  'Hagen',
  'Unna',
  'Kleve',
  'Moers',
  'Hamm',
];
/** Numbers that others draw from the databases' own sequences start here, far from the simulator's. */
const foreignNumbersFrom = 1_000_000_000;

/** The retailer on the evening before its first day, in memory only. */
export function newRetailer(seed: number, realMs: number, options: RetailerOptions): Retailer {
  const schedule = scheduleFrom(realMs, options);
  const places = placesOf(options);
  const retailer: Retailer = {
    version: retailerVersion,
    seed,
    random: seededRandom(seed),
    schedule,
    planned: 0,
    scheduled: 0,
    nowMs: 0,
    today: schedule.startDay,
    isNow: false,
    seeded: false,
    counters: {
      receipt: 0,
      receiptLine: 0,
      bewnr: 0,
      aufnr: 100_000,
      bstnr: 450_000,
      umlnr: 70_000,
      invnr: 3_000,
      rtnr: 20_000,
      kbnr: 9_000,
      article: 0,
      plu: 1_000,
    },
    articles: [],
    popularity: cumulate(zipfWeights(options.articles, zipfExponent)),
    places,
    shops: places.flatMap((place) => shopAt(place)),
    cells: new Map(),
    orders: [],
    purchases: [],
    transfers: [],
    counts: [],
    returns: [],
    freeMoves: [],
    repeats: [],
    repeated: [],
    newArticles: [],
    posting: null,
    protocol: [],
  };
  for (let index = 0; index < options.articles; index++) {
    const eans = chance(retailer.random, 0.25) ? 2 : 1;
    const products = chance(retailer.random, 0.05) ? eans : 1;
    retailer.articles.push(inventArticle(retailer, eans, products));
  }
  return retailer;
}

function placesOf(options: RetailerOptions): readonly Place[] {
  const central = Array.from({ length: options.centralPlaces }, (_, index) => ({
    lagnr: index + 1,
    name: `Zentrallager ${index + 1}`,
    shopId: null,
  }));
  const shops = Array.from({ length: options.shops }, (_, index) => ({
    lagnr: 10 + index,
    name: `Filiale ${towns[index % towns.length] ?? ''} ${index + 1}`,
    shopId: 101 + index,
  }));
  return [...central, ...shops];
}

function shopAt(place: Place): readonly Shop[] {
  const { shopId } = place;
  if (shopId === null) return [];
  const tills = Array.from({ length: 2 + (shopId % 3) }, (_, index) => ({
    number: index + 1,
    nextReceipt: 0,
    offlineUntil: null,
    held: [],
  }));
  return [{ place, shopId, tills, unposted: [], posted: [] }];
}

/** The ERP's master data and opening stock as one transaction. Draws the opening stock. */
export function erpMasterData(retailer: Retailer): PlannedTransaction {
  const openingDay = retailer.schedule.startDay - 1;
  const draft = draftErp('master data');
  const articles = retailer.articles.map((article) => articleRow(article, openingDay - 300));
  const places = retailer.places.map(
    (place) =>
      `(${place.lagnr},'${place.name}','${place.shopId === null ? 'Z' : 'F'}',${place.shopId ?? 'NULL'})`,
  );
  addStatement(
    draft,
    articles.length,
    `INSERT INTO artst (artnr,bez,me,vpe,aktiv,angdat) VALUES ${articles.join()}`,
  );
  addStatement(
    draft,
    articles.length,
    `INSERT INTO artean (ean,artnr) VALUES ${retailer.articles.map(eanRows).join()}`,
  );
  addStatement(
    draft,
    places.length,
    `INSERT INTO lagst (lagnr,bez,typ,filnr) VALUES ${places.join()}`,
  );
  addStatement(draft, 0, `SELECT setval('lagbew_bewnr_seq', ${foreignNumbersFrom})`);
  for (const place of retailer.places) {
    for (const [rank, article] of retailer.articles.entries()) {
      const isCentral = place.shopId === null;
      // A shop does not carry every article.
      if (!isCentral && rank > 40 && chance(retailer.random, 0.02)) continue;
      const popular = Math.max(40, Math.round(600 / (rank + 1)));
      const units = integer(retailer.random, popular, popular * 4) * (isCentral ? 8 : 1);
      addMove(retailer, draft, {
        artnr: article.artnr,
        lagnr: place.lagnr,
        bewart: 'ANF',
        menge: units * 1000,
        budat: openingDay,
        belnr: 'ANFANG',
        belpos: null,
      });
    }
  }
  return sealErp(draft);
}

/** The till system's shops and products; numbers drawn by others start far away. */
export function posMasterData(retailer: Retailer): {
  readonly preparation: readonly string[];
  readonly transaction: PlannedTransaction;
} {
  const shops = retailer.shops.map(
    (shop) => `(${shop.shopId},'${shop.place.name}','Europe/Berlin')`,
  );
  const products = retailer.articles.flatMap((article) => article.products.map(productRow));
  return {
    preparation: [
      `ALTER TABLE receipt AUTO_INCREMENT = ${foreignNumbersFrom}`,
      `ALTER TABLE receipt_line AUTO_INCREMENT = ${foreignNumbersFrom}`,
    ],
    transaction: {
      system: 'pos',
      kind: 'master data',
      keys: [],
      statements: [
        `INSERT INTO shop (shop_id,name,tz) VALUES ${shops.join()}`,
        `INSERT INTO product (plu,barcode,description,by_weight,price) VALUES ${products.join()}`,
      ],
      rows: shops.length + products.length,
      probe: null,
    },
  };
}

/** After a long pause the business clock goes on near the present: old dates would be taken for mistakes. */
export function skipLongPause(retailer: Retailer, realMs: number, daysMax: number): boolean {
  const behindDays = dayOf(realMs) - retailer.today;
  if (behindDays <= daysMax) return false;
  const startDay = retailer.schedule.startDay + behindDays - defaultOptions.daysBack;
  retailer.schedule = { ...retailer.schedule, startDay };
  retailer.counts = retailer.counts.filter((count) => count.final);
  for (const till of retailer.shops.flatMap((shop) => shop.tills)) {
    till.held = [];
    till.offlineUntil = null;
  }
  return true;
}
