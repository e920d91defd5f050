/** Panels for the backtest: the simulated retailer, a public retail data set, a file of one's own. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dailySales } from '../../../connectors/simulator/sales-history.ts';
import type { Panel, Series } from '../../forecasts/panel.ts';

const dayMs = 86_400_000;

/**
 * A year of a pizza place, each pizza with day and time: 91 articles, 358 days with sales. It comes with the Python
 * package great-tables (MIT licence); downloaded at need, checked by its SHA-256.
 */
const pizzaplace = {
  requirement: 'great-tables==1.1.0',
  wheel: 'great_tables-1.1.0-py3-none-any.whl',
  sha256: '4e22cd6918d0bb6681d27fca19bb6a73e881b69165e35be303f45cb67824f595',
  file: 'great_tables/data/05-pizzaplace.csv',
};

export function simulatedPanel(seed: number, days: number): Panel {
  const series = dailySales({ seed, days, articles: 150, transactionsPerDay: 1_200 });
  return {
    firstWeekday: 1,
    series: series.map((one) => ({ ...one, stocked: one.sold.map(() => true) })),
  };
}

/** The named data set, or a CSV file with the columns date, sku, location, units and, if told, stocked (0 or 1). */
export function datasetPanel(name: string, cacheDirectory: string): Panel {
  if (name === 'pizzaplace') return pizzaPanel(readFileSync(pizzaFile(cacheDirectory), 'utf8'));
  if (!existsSync(name))
    throw new Error(`there is no data set or file named ${name}: try pizzaplace`);
  return csvPanel(readFileSync(name, 'utf8'));
}

function pizzaFile(cacheDirectory: string): string {
  const file = `${cacheDirectory}/${pizzaplace.file}`;
  if (existsSync(file)) return file;
  mkdirSync(cacheDirectory, { recursive: true });
  const download = mkdtempSync(`${cacheDirectory}/download-`);
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', download];
    execFileSync('python3', [...pip, pizzaplace.requirement]);
    const wheel = `${download}/${pizzaplace.wheel}`;
    const sha256 = createHash('sha256').update(readFileSync(wheel)).digest('hex');
    if (sha256 !== pizzaplace.sha256) {
      throw new Error(`${pizzaplace.wheel} is not the one that was pinned: SHA-256 ${sha256}`);
    }
    execFileSync('python3', ['-m', 'zipfile', '-e', wheel, `${download}/unpacked`]);
    mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true });
    renameSync(`${download}/unpacked/${pizzaplace.file}`, file);
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
  return file;
}

type Sale = {
  readonly day: number;
  readonly sku: string;
  readonly location: string;
  readonly units: number;
  readonly stocked: boolean;
};

function pizzaPanel(csv: string): Panel {
  const [, ...lines] = csv.trim().split('\n');
  const sales = lines.map((line) => {
    const [, date = '', , name = '', size = ''] = line.split(',');
    return {
      day: dayOfDate(date),
      sku: `${name} ${size}`,
      location: 'shop',
      units: 1,
      stocked: true,
    };
  });
  // The place was closed on the days that no line is of.
  const open = new Set(sales.map(({ day }) => day));
  return panelOf(sales, (day) => open.has(day));
}

export function csvPanel(csv: string): Panel {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  const columns = header.split(',');
  for (const needed of ['date', 'sku', 'location', 'units']) {
    if (!columns.includes(needed)) throw new Error(`the file has no column ${needed}`);
  }
  const sales = lines.map((line) => {
    const cells = line.split(',');
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
    const units = Number(cell('units'));
    if (!Number.isFinite(units)) throw new Error(`not a number of units: ${line}`);
    return {
      day: dayOfDate(cell('date')),
      sku: cell('sku'),
      location: cell('location'),
      units,
      stocked: cell('stocked') !== '0',
    };
  });
  return panelOf(sales, () => true);
}

function dayOfDate(date: string): number {
  const at = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(at)) throw new Error(`not a date such as 2026-05-20: ${date}`);
  return at / dayMs;
}

function panelOf(sales: readonly Sale[], isOpen: (day: number) => boolean): Panel {
  let first = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (const { day } of sales) {
    first = Math.min(first, day);
    end = Math.max(end, day + 1);
  }
  if (end < first) throw new Error('there are no sales in it');
  const series = new Map<string, Series & { sold: number[]; stocked: boolean[] }>();
  for (const { day, sku, location, units, stocked } of sales) {
    const key = `${sku}|${location}`;
    let one = series.get(key);
    if (one === undefined) {
      const length = end - first;
      one = {
        sku,
        location,
        sold: new Array<number>(length).fill(0),
        stocked: Array.from({ length }, (_, index) => isOpen(first + index)),
      };
      series.set(key, one);
    }
    one.sold[day - first] = (one.sold[day - first] ?? 0) + units;
    if (!stocked) one.stocked[day - first] = false;
  }
  // Day 0 of the epoch was a Thursday.
  return { firstWeekday: (first + 4) % 7, series: [...series.values()] };
}
