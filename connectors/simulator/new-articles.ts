/** Articles that appear: first a product at the tills, then the article in the ERP, and only then its barcode. */
import { integer } from './random.ts';
import { money } from './receipts.ts';
import type { Article, Product, Retailer } from './retailer.ts';
import { nextNumber } from './retailer.ts';
import { productKey } from './tills.ts';
import {
  addStatement,
  date,
  decimal,
  draftErp,
  type PlannedTransaction,
  quoted,
  sealErp,
} from './transaction.ts';

const words = ['Apfel', 'Kaffee', 'Tee', 'Brot', 'Nudeln', 'Seife', 'Kerze', 'Tasse', 'Honig'];
const kinds = ['fein', 'klassisch', 'bio', 'extra', 'gross', 'klein'];

/** An article of the retailer's range, not yet in any database. */
export function inventArticle(retailer: Retailer, eanCount: number, productCount: number): Article {
  const { random } = retailer;
  const number = nextNumber(retailer, 'article');
  const byWeight = integer(random, 1, 8) === 1;
  const eans = Array.from({ length: eanCount }, (_, index) => eanOf(number, index));
  const word = words[number % words.length] ?? 'Artikel';
  const article: Article = {
    artnr: `A${String(number).padStart(6, '0')}`,
    name: `${word} ${kinds[Math.floor(number / words.length) % kinds.length] ?? ''} ${number}`,
    byWeight,
    pack: byWeight ? 5000 : 1000 * ([1, 6, 10, 12, 24][integer(random, 0, 4)] ?? 1),
    products: [],
    eans,
    eanKnown: true,
  };
  for (const barcode of eans.slice(0, productCount)) {
    article.products.push({
      plu: nextNumber(retailer, 'plu'),
      barcode,
      priceCents: integer(random, 49, 4999),
      article,
    });
  }
  return article;
}

/** A barcode of the range for in-house use, with its check digit. */
function eanOf(article: number, index: number): string {
  const digits = `20${String(article).padStart(7, '0')}${String(index).padStart(3, '0')}`;
  const sum = [...digits].reduce(
    (total, digit, place) => total + Number(digit) * (place % 2 === 0 ? 1 : 3),
    0,
  );
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

export function productRow(product: Product): string {
  const { plu, barcode, article, priceCents } = product;
  const byWeight = article.byWeight ? 1 : 0;
  return `(${plu},'${barcode}',${quoted(article.name)},${byWeight},${money(priceCents)})`;
}

export function articleRow(article: Article, day: number): string {
  const unit = article.byWeight ? 'KG' : 'ST';
  return `(${quoted(article.artnr)},${quoted(article.name)},'${unit}',${decimal(article.pack)},'J',${date(day)})`;
}

/** The tills know a new product first. */
export function newProduct(retailer: Retailer): PlannedTransaction | null {
  if (retailer.newArticles.length >= 3) return null;
  const article = inventArticle(retailer, integer(retailer.random, 1, 2), 1);
  const product = article.products[0];
  if (product === undefined) return null;
  article.eanKnown = false;
  retailer.newArticles.push({
    article,
    step: 'article',
    dueAt: retailer.scheduled + integer(retailer.random, 2, 10),
  });
  return {
    system: 'pos',
    kind: 'new product',
    keys: [productKey(product.plu)],
    statements: [
      `INSERT INTO product (plu,barcode,description,by_weight,price) VALUES ${productRow(product)}`,
    ],
    rows: 1,
    probe: { sql: `SELECT 1 FROM product WHERE plu = ${product.plu}`, committedWhen: 'found' },
  };
}

/** Then the ERP gets the article, and some transactions later the barcode; sales in between have to wait for it. */
export function continueNewArticle(
  retailer: Retailer,
  scheduledUntil: number,
): PlannedTransaction | null {
  const due = retailer.newArticles.find((one) => one.dueAt <= scheduledUntil);
  if (due === undefined) return null;
  const { article } = due;
  const draft = draftErp(due.step === 'article' ? 'new article' : 'new barcode');
  draft.keys.add(`article ${article.artnr}`);
  if (due.step === 'article') {
    due.step = 'ean';
    due.dueAt = retailer.scheduled + integer(retailer.random, 5, 25);
    addStatement(
      draft,
      1,
      `INSERT INTO artst (artnr,bez,me,vpe,aktiv,angdat) VALUES ${articleRow(article, retailer.today)}`,
    );
    draft.probe = {
      sql: `SELECT 1 FROM artst WHERE artnr = ${quoted(article.artnr)}`,
      committedWhen: 'found',
    };
    return sealErp(draft);
  }
  retailer.newArticles = retailer.newArticles.filter((one) => one !== due);
  article.eanKnown = true;
  launch(retailer, article);
  addStatement(
    draft,
    article.eans.length,
    `INSERT INTO artean (ean,artnr) VALUES ${eanRows(article)}`,
  );
  draft.probe = {
    sql: `SELECT 1 FROM artean WHERE ean = '${article.eans[0] ?? ''}'`,
    committedWhen: 'found',
  };
  return sealErp(draft);
}

export function eanRows(article: Article): string {
  return article.eans.map((ean) => `('${ean}',${quoted(article.artnr)})`).join();
}

/** From now on it sells like an article of the middle of the range. */
function launch(retailer: Retailer, article: Article): void {
  const total = retailer.popularity.at(-1) ?? 0;
  retailer.articles.push(article);
  retailer.popularity = [...retailer.popularity, total + total / retailer.articles.length];
}
