/**
 * Makes the pictures under docs/boards/: the console's pages with the boards' data, by Chromium (Debian: apt-get install
 * chromium). `node deploy/bootstrap.mjs program test/analytics/board-pictures.ts [folder]`.
 */
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { boards } from '../../dashboards/boards.ts';
import { consolePage } from '../../dashboards/console.ts';
import { serveClickHouse } from '../../processors/adapters/clickhouse/endpoint.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import { boardChannels, boardData } from './board-data.ts';
import { startEngine } from './engine.ts';
import { loadAll } from './loading.ts';

const folder = process.argv[2] ?? 'docs/boards';
const dark = new Set(['stockline-channels', 'stockline-anomalies']);
/** An afternoon, when the shops are busy. */
const now = Date.UTC(2026, 10, 24, 18);
const from: Readonly<Record<string, string>> = { 'stockline-pipeline': 'now-24h' };

mkdirSync(folder, { recursive: true });
const engine = startEngine();
const clickHouse = await engine.database();
const { log, sku, location } = boardData(now);
await loadAll(log, clickHouseStore(clickHouse), boardChannels);
const endpoint = await serveClickHouse({
  clickHouse,
  runFile: `${engine.folder}/run/analytics.json`,
  pages: consolePage,
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const { uid } of boards) {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    colorScheme: dark.has(uid) ? 'dark' : 'light',
  });
  const search = new URLSearchParams({ now: String(now), sku, location });
  if (from[uid] !== undefined) search.set('from', from[uid]);
  page.on('pageerror', (error) => process.stderr.write(`${uid}: ${error.message}\n`));
  await page.goto(`${endpoint.url}/boards/${uid}?${search}`);
  await page.waitForSelector('body[data-ready]');
  await page.screenshot({ path: `${folder}/${uid}.png`, fullPage: true });
  await page.close();
}
await browser.close();
await endpoint.close();
await engine.close();
