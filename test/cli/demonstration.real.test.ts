/**
 * The main job as `npm start` runs it, on a stack of its own: against every truth, beside working legacy systems, and
 * over a restart of everything.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boards } from '../../dashboards/boards.ts';
import { expandMacros } from '../../dashboards/macros.ts';
import { startStack } from '../../deploy/native/stack.ts';
import { type KafkaPlaces, readTopic } from '../../processors/adapters/kafka/topic-reader.ts';
import { explainCells, type FiledEntry } from '../../processors/cli/ledger/history.ts';
import { replayLedger } from '../../processors/cli/replay.ts';
import { statementsOf } from '../../processors/cli/source/rows.ts';
import { askAnalytics } from '../../processors/cli/sql.ts';
import { type Demonstration, openDemonstration } from '../../processors/cli/start/demonstration.ts';
import { installErp, installPos } from '../../processors/cli/start/legacy-systems.ts';
import { settleAndCompare } from '../../processors/cli/start/settle.ts';
import { placesOf } from '../../processors/settings/places.ts';
import { loadPolicies } from '../../processors/settings/policies.ts';
import { ledger, stockLevels } from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { LedgerEntry, StockLevel } from '../../schemas/types.ts';
import {
  changeEveryErpTable,
  changeEveryPosTable,
  type Schemas,
  schemasOf,
} from '../support/legacy-databases.ts';
import { seededRandom } from '../support/seeded-random.ts';

const directory = mkdtempSync(`${tmpdir()}/stockline-demonstration-`);
const { signal } = new AbortController();
const dayMs = 86_400_000;
const noMismatches = { truth: 0, legacySql: 0, channels: 0, clickhouse: 0 };

let demonstration: Demonstration;
let untouched: Schemas;

const open = (): Promise<Demonstration> =>
  openDemonstration({ directory, seed: 11, report: () => undefined, signal });

beforeAll(async () => {
  const stack = await startStack({
    directory: `${directory}/stack`,
    parts: ['postgres', 'mariadb'],
    report: () => undefined,
  });
  try {
    const { postgres, mariadb } = stack.addresses;
    await installErp({ ...postgres, database: 'erp' });
    await installPos({ ...mariadb, database: 'pos' });
    untouched = schemasOf(stack.addresses);
  } finally {
    await stack.stop();
  }
  demonstration = await open();
});

afterAll(async () => {
  await demonstration?.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the main job', () => {
  it('D1: stock, channels and ClickHouse equal the truth and SQL after 1 500 source transactions', async () => {
    const { transactions } = await demonstration.simulator.run({ transactions: 1_500 });
    const result = await settleAndCompare(demonstration, transactions, signal);
    expect(result.examples).toEqual([]);
    expect(result.mismatches).toEqual(noMismatches);
    expect(result.deadLetters).toBe(0);
    expect(result.changes).toBeGreaterThan(transactions);
  });

  it('D1: explain at 1 000 random cells and moments says what inventory.stock.v1 held, from the ledger alone', async () => {
    const { entries, levels } = await readHistory(placesOf(demonstration.addresses));
    const random = seededRandom(17);
    const times = levels.map(({ timestampMs }) => timestampMs);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    let exact = 0;
    for (let turn = 0; turn < 1_000; turn += 1) {
      const { sku, location } = (levels[random(levels.length)] as ToldLevel).level;
      const atMs = first + random(last - first + 1);
      const told = levels.filter(({ level }) => level.sku === sku && level.location === location);
      const index = told.findLastIndex(({ timestampMs }) => timestampMs <= atMs);
      const held = told[index]?.level;
      const explained = explainCells(entries.get(sku) ?? [], atMs);
      const cell = explained.find((one) => one.location === location);
      const sequence = cell?.last.entry.sequence ?? 0;
      if (sequence === (held?.sequence ?? 0)) {
        expect(cell?.quantities).toEqual(held?.quantities);
        exact += 1;
        continue;
      }
      // A step that the topic has together with later ones of its transaction. That level need not be the next by time: what
      // another source tells may have been written before what was told first.
      const within = told.find(({ level }) => level.sequence >= sequence)?.level;
      expect(sequence).toBeGreaterThan(within?.previousSequence ?? Number.POSITIVE_INFINITY);
      expect(sequence).toBeLessThan(within?.sequence ?? 0);
    }
    expect(exact).toBeGreaterThan(900);
  });

  it('explain finds the movement and the row of the source behind a figure', async () => {
    const places = placesOf(demonstration.addresses);
    const { entries } = await readHistory(places);
    const [sku = '', filed = []] = [...entries].find(([, all]) => all.length > 5) ?? [];
    const effectIds = new Set(
      filed.flatMap(({ entry }) => entry.changes.map((change) => change.effectId)),
    );
    const statements = [...(await statementsOf(places, sku, effectIds)).values()];
    // What waited for a lookup was told at another moment than its row: of that the movement is named alone.
    const found = statements.flatMap(({ row }) => row ?? []);
    expect(found.length).toBeGreaterThan(statements.length / 2);
    for (const { movement } of statements) {
      expect(movement).toMatch(/^inventory\.movement\.v1-\d@\d+$/);
    }
    for (const { record, key } of found) {
      expect(record).toMatch(/^(erp\.public|pos\.pos)\.\w+-0@\d+$/);
      expect(key).not.toBe('');
    }
  });

  it('E1: replay makes every stock and channel figure anew from the ledger alone', async () => {
    const result = await replayLedger(placesOf(demonstration.addresses), loadPolicies());
    expect(result.examples).toEqual([]);
    expect(result.differences).toBe(0);
    expect(result.entries).toBeGreaterThan(1_500);
    expect(result.channelFigures).toBeGreaterThan(0);
  });

  it('S1: nothing but the publication is added to the schemas of the legacy systems', () => {
    const now = schemasOf(demonstration.addresses);
    expect(now.mariadb).toEqual(untouched.mariadb);
    const added = now.postgres.filter((line) => !untouched.postgres.includes(line));
    expect(added.filter((line) => !/PUBLICATION "?stockline_erp"?/.test(line))).toEqual([]);
    expect(added).not.toEqual([]);
    expect(untouched.postgres.filter((line) => !now.postgres.includes(line))).toEqual([]);
  });

  it('S1: the legacy systems can still update and delete in every table while they are captured', async () => {
    const { postgres, mariadb } = demonstration.addresses;
    const tables = await changeEveryErpTable(postgres);
    expect(tables).toContain('lagprot');
    expect(await changeEveryPosTable(mariadb)).toContain('receipt_line');
  });

  it('every statement of every board is answered with the data of the pipeline', async () => {
    const ask = async (sql: string): Promise<readonly (readonly unknown[])[]> => {
      const text = await askAnalytics(`${directory}/run`, sql, 'JSONCompactEachRow');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    };
    const range = { fromMs: Date.now() - 60 * dayMs, toMs: Date.now() + dayMs };
    const [cell] = await ask(
      'SELECT sku, location FROM ledger_entries ORDER BY sequence DESC LIMIT 1',
    );
    const values = { sku: String(cell?.[0]), location: String(cell?.[1]) };
    const empty: string[] = [];
    for (const { uid, panels } of boards) {
      for (const { title, query } of panels) {
        if (!('sql' in query)) continue;
        const rows = await ask(expandMacros(query.sql, range, values));
        if (rows.length === 0) empty.push(`${uid}: ${title}`);
      }
    }
    // Where nothing goes wrong and nobody asks, there is nothing to tell.
    const always =
      /^stockline-(stock|pipeline: COMMIT|pipeline: What|pipeline: How|channels: (Fig|COMMIT|Over))/;
    expect(empty.filter((name) => always.test(name))).toEqual([]);
  });

  it('a stranger with kafkajs and the registry reads stock and channel figures', async () => {
    const { kafkaBrokers, registryUrl } = demonstration.addresses;
    const lines = await readExample({ KAFKA: kafkaBrokers, REGISTRY: registryUrl });
    for (const topic of ['inventory.stock.v1', 'channel.web.stock.v1']) {
      const line = lines.find((one) => one.startsWith(topic)) ?? '';
      const value = JSON.parse(line.slice(topic.length)) as Readonly<Record<string, unknown>>;
      expect(value.sku).toMatch(/^\S+$/);
      expect(value.sequence).toBeGreaterThan(0);
    }
  });

  it('the analysts’ views answer while it runs', async () => {
    const ask = (query: string) => askAnalytics(`${directory}/run`, query, 'CSV');
    const sku = (await ask('SELECT sku FROM stock_now LIMIT 1')).trim().replaceAll('"', '');
    expect(sku).not.toBe('');
    expect(await ask('SELECT hour, location, units_sold FROM sales_hourly LIMIT 1')).not.toBe('');
    expect(await ask(`SELECT count() > 0 FROM movements_of_sku WHERE sku = '${sku}'`)).toBe('1\n');
  });

  it('every command of README.md and docs/operating.md that asks the running pipeline is answered', async () => {
    const { entries } = await readHistory(placesOf(demonstration.addresses));
    const policies = `${directory}/policies.json`;
    copyFileSync('processors/channels/policies.json', policies);
    const commands = documentedCommands()
      .map((line) =>
        line
          .replace('<sku>', [...entries.keys()][0] ?? '')
          .replace('policies.json', policies)
          .replace(/--at \S+/, `--at ${new Date().toISOString()}`),
      )
      .map(
        (line) =>
          `node --import @oxc-node/core/register processors/cli/stockline.ts ${line} --directory ${directory}`,
      );
    expect(commands.length).toBeGreaterThan(8);
    for (const command of commands) {
      const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
      expect({ command, status, stderr }).toEqual({ command, status: 0, stderr });
    }
  });

  it('L1: a paused connector is named by every answer within two seconds', async () => {
    const provenance = async () => {
      const { provenance: told, behind } = await askFreshness(demonstration);
      return `${told}: ${behind.map(({ source, hop }) => `${source} ${hop}`).join(', ')}`;
    };
    const connector = (action: string) =>
      fetch(`${demonstration.addresses.connectUrl}/connectors/pos/${action}`, { method: 'PUT' });
    await expect.poll(provenance, { timeout: 20_000 }).toBe('fresh: ');
    await connector('pause');
    await expect.poll(provenance, { timeout: 2_000 }).toBe('degraded: pos capture');
    await connector('resume');
    await expect.poll(provenance, { timeout: 20_000 }).toBe('fresh: ');
  });

  it('E1: a second start goes on where the first stopped, with the same totals', async () => {
    const before = await settleAndCompare(demonstration, 0, signal);
    await demonstration.close();
    demonstration = await open();
    const again = await settleAndCompare(demonstration, 0, signal);
    expect(again.mismatches).toEqual(noMismatches);
    expect(again.cells).toBe(before.cells);
    const { transactions } = await demonstration.simulator.run({ transactions: 300 });
    const after = await settleAndCompare(demonstration, transactions, signal);
    expect(after.examples, readFileSync(`${directory}/logs/analytics.log`, 'utf8')).toEqual([]);
    expect(after.mismatches).toEqual(noMismatches);
    expect(after.deadLetters).toBe(0);
  });

  // Last: the truth knows nothing of its SKU.
  it('the walk of docs/api, command by command, answers as it says', () => {
    const page = readFileSync('docs/api/README.md', 'utf8');
    const walk = /```sh\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const script = walk
      .replace(/^API=.*$/m, `API=${apiUrl(demonstration)}`)
      .replace('.stockline/run', `${directory}/run`)
      .replaceAll('curl -s ', "curl -s -w '\\n' ");
    const told = execFileSync('bash', ['-euc', script], { encoding: 'utf8' });
    const answers = told.split('\n').filter((line) => line.startsWith('{'));
    const about = [
      /accepted/,
      /"sku":"WALK".*"onHand":5.*"freshness"/,
      /accepted/,
      /INSUFFICIENT_STOCK/,
      /accepted/,
      /walk-4/,
      /accepted/,
      /"available":4/,
      /"available":5/,
      /"cells":\[\{/,
    ];
    expect(answers).toHaveLength(about.length);
    for (const [index, words] of about.entries()) expect(answers[index]).toMatch(words);
  });
});

/** What stands after `npm run -s stockline --`; not those that name somebody's own database, need weeks of sales or no pipeline. */
function documentedCommands(): readonly string[] {
  const pages = ['README.md', 'docs/operating.md'].map((file) => readFileSync(file, 'utf8'));
  return pages
    .flatMap((page) => [...page.matchAll(/^npm run -s stockline -- ([^#\n]*)/gm)])
    .map(([, line = '']) => line.trim())
    .filter((line) => !line.includes('…') && !/^(stress|map|forecast) /.test(line));
}

const apiUrl = ({ processors }: Demonstration): string =>
  [...processors.status.values()].find(({ apiUrl: url }) => url !== undefined)?.apiUrl ?? '';

type FreshnessAnswer = {
  readonly provenance: string;
  readonly behind: readonly { readonly source: string; readonly hop: string }[];
};

/** The freshness of an answer of the Unified Inventory API. */
async function askFreshness(running: Demonstration): Promise<FreshnessAnswer> {
  const api = apiUrl(running);
  const key = readFileSync(`${directory}/run/api.key`, 'utf8').trim();
  const answer = await fetch(`${api}/v1/stock`, { headers: { authorization: `Bearer ${key}` } });
  return ((await answer.json()) as { readonly freshness: FreshnessAnswer }).freshness;
}

type ToldLevel = { readonly level: StockLevel; readonly timestampMs: number };

/** The ledger by SKU, and every stock level that was told. */
async function readHistory(places: KafkaPlaces) {
  const entries = new Map<string, FiledEntry[]>();
  const levels: ToldLevel[] = [];
  await readTopic(places, ledger as unknown as Topic<never, never>, {
    onRecord: ({ key, value, partition, offset, timestampMs }) => {
      const known = entries.get(String(key)) ?? [];
      known.push({ entry: value as LedgerEntry, partition, offset, timestampMs });
      entries.set(String(key), known);
    },
  });
  await readTopic(places, stockLevels as unknown as Topic<never, never>, {
    onRecord: ({ value, timestampMs }) =>
      void levels.push({ level: value as StockLevel, timestampMs }),
  });
  return { entries, levels };
}

/** Runs the shipped example until it has printed something of both topics. */
async function readExample(environment: Readonly<Record<string, string>>): Promise<string[]> {
  const example = spawn(process.execPath, ['docs/examples/read-stock.mjs'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const seen = (topic: string): boolean => lines.some((line) => line.startsWith(topic));
  try {
    let rest = '';
    for await (const chunk of example.stdout) {
      const parts = (rest + String(chunk)).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      if (seen('inventory.stock.v1') && seen('channel.web.stock.v1')) break;
    }
  } finally {
    example.kill('SIGKILL');
  }
  return lines;
}
