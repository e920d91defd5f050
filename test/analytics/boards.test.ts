/** The boards: every panel's SQL answers with rows, Grafana's JSON is what the boards say, names are those that exist. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { boards } from '../../dashboards/boards.ts';
import { consolePage } from '../../dashboards/console.ts';
import { dictionary } from '../../dashboards/dictionary.ts';
import { dataSources, grafanaBoard } from '../../dashboards/grafana.ts';
import { expandMacros } from '../../dashboards/macros.ts';
import { clickHouseStore } from '../../processors/adapters/clickhouse/store.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import type { AnalyticsStore } from '../../processors/analytics/ports.ts';
import { boardChannels, boardData } from './board-data.ts';
import { type Engine, startEngine } from './engine.ts';
import { loadAll } from './loading.ts';

const dayMs = 86_400_000;
const now = Date.now();
const range = { fromMs: now - 7 * dayMs, toMs: now + dayMs };
const { log, sku, location } = boardData(now);
let engine: Engine;
let store: AnalyticsStore;

beforeAll(async () => {
  engine = startEngine();
  store = clickHouseStore(await engine.database());
  await loadAll(log, store, boardChannels);
});
afterAll(() => engine.close());

const panels = boards.flatMap((board) => board.panels.map((panel) => ({ board, panel })));
const asked = panels.flatMap(({ board, panel }) =>
  'sql' in panel.query
    ? [{ name: `${board.title}: ${panel.title}`, panel, sql: panel.query.sql }]
    : [],
);

describe('the SQL of the boards', () => {
  it.each(asked)('answers with rows: $name', async ({ panel, sql }) => {
    const rows = await store.select(expandMacros(sql, range, { sku, location }));
    expect(rows.length).toBeGreaterThan(0);
    if (panel.kind === 'stat') expect(rows[0]?.[0]).not.toBeNull();
  });

  it.each(boards.flatMap((board) => board.variables))(
    'gives choices: $name',
    async ({ sql: query }) => {
      expect((await store.select(query)).length).toBeGreaterThan(0);
    },
  );
});

describe('what analysts read', () => {
  it('is the dictionary that the schema gives', async () => {
    expect(readFileSync('dashboards/dictionary.md', 'utf8')).toBe(await dictionary(store.select));
  });

  const guide = readFileSync('dashboards/README.md', 'utf8');
  const examples = [...guide.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => String(match[1]));
  it.each(examples)('answers: %s', async (query) => {
    expect(Array.isArray(await store.select(query))).toBe(true);
  });
});

describe('the built-in console', () => {
  it('describes every board with statements that are ready to be asked', async () => {
    for (const board of boards) {
      const search = new URLSearchParams({ now: String(now), sku, location });
      const page = consolePage(`/boards/${board.uid}.json`, search);
      const described = JSON.parse(page?.body ?? '{}') as { panels: readonly { sql?: string }[] };
      expect(described.panels.length).toBe(board.panels.length);
      for (const { sql: ready } of described.panels) expect(ready ?? '').not.toMatch(/\$/);
      expect(consolePage(`/boards/${board.uid}`, search)?.body).toContain(board.uid);
    }
    expect(consolePage('/boards/elsewhere', new URLSearchParams())).toBeUndefined();
    expect(consolePage('/boards/../package.json', new URLSearchParams())).toBeUndefined();
  });
});

describe('the JSON of the boards', () => {
  it.each(boards)('is what the board says: $uid', (board) => {
    const file = readFileSync(`dashboards/boards/${board.uid}.json`, 'utf8');
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(grafanaBoard(board))));
  });

  it.each(boards)('has the form of Grafana 12.1: $uid', (board) => {
    const made = grafanaForm.parse(grafanaBoard(board));
    const cells = new Set<string>();
    for (const { gridPos } of made.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(cells.has(`${x},${y}`)).toBe(false);
          cells.add(`${x},${y}`);
        }
      }
    }
    expect(new Set(made.panels.map((panel) => panel.id)).size).toBe(made.panels.length);
  });

  it('uses the data sources that are provisioned', () => {
    const file = readFileSync('dashboards/provisioning/datasources.yml', 'utf8');
    const { datasources } = parse(file) as {
      datasources: readonly { type: string; uid: string }[];
    };
    expect(datasources.map(({ type, uid }) => ({ type, uid }))).toEqual(Object.values(dataSources));
    expect(new Set(boards.map((board) => board.uid)).size).toBe(boards.length);
  });
});

describe('what Prometheus is asked', () => {
  const expressions = panels.flatMap(({ panel }) =>
    'prometheus' in panel.query ? [panel.query.prometheus] : [],
  );
  const rules = (
    parse(readFileSync('dashboards/alerts.yml', 'utf8')) as {
      groups: readonly { rules: readonly Rule[] }[];
    }
  ).groups.flatMap((group) => group.rules);
  type Rule = {
    alert: string;
    expr: string;
    annotations: { runbook_url: string; summary: string };
  };

  it('are metrics that the processors tell', async () => {
    const metrics = await processTelemetry({ logLevel: 'error' }).metrics();
    const told = new Set([...metrics.matchAll(/^# TYPE (\w+)/gm)].map((match) => match[1]));
    const named = [...expressions, ...rules.map((rule) => rule.expr)].flatMap((expression) =>
      [...expression.matchAll(/stockline_\w+/g)].map((match) =>
        match[0].replace(/_(bucket|sum|count)$/, ''),
      ),
    );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !told.has(name))).toEqual([]);
  });

  it('is followed by what to do: each alert names a section of the runbook', () => {
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    const sections = [...runbook.matchAll(/^#+ (.+)$/gm)].map((match) =>
      String(match[1])
        .toLowerCase()
        .replaceAll(' ', '-')
        .replace(/[^\w-]/g, ''),
    );
    for (const { annotations } of rules) {
      const [file, section] = annotations.runbook_url.split('#');
      expect(file).toBe('docs/runbook.md');
      expect(sections).toContain(section);
      expect(annotations.summary).not.toBe('');
    }
  });
});

const datasource = z.strictObject({
  type: z.enum(['grafana-clickhouse-datasource', 'prometheus']),
  uid: z.string().min(1),
});
const grafanaForm = z.strictObject({
  uid: z.string().regex(/^[a-z-]{1,40}$/),
  title: z.string().min(1),
  description: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.literal(41),
  version: z.number().int(),
  editable: z.boolean(),
  graphTooltip: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  refresh: z.string().regex(/^\d+[smh]$/),
  timezone: z.enum(['browser', 'utc']),
  time: z.strictObject({ from: z.string().regex(/^now-\d+[hd]$/), to: z.literal('now') }),
  templating: z.strictObject({
    list: z.array(
      z.looseObject({ type: z.literal('query'), name: z.string(), datasource, query: z.string() }),
    ),
  }),
  annotations: z.strictObject({ list: z.array(z.unknown()) }),
  links: z.array(z.looseObject({ type: z.literal('dashboards'), title: z.string() })),
  panels: z.array(
    z.strictObject({
      id: z.number().int().positive(),
      type: z.enum(['stat', 'timeseries', 'barchart', 'table']),
      title: z.string().min(1),
      description: z.string().min(1),
      gridPos: z.strictObject({
        x: z.number().int().min(0).max(23),
        y: z.number().int().min(0),
        w: z.number().int().min(1).max(24),
        h: z.number().int().min(1),
      }),
      datasource,
      fieldConfig: z.strictObject({
        defaults: z.looseObject({ unit: z.enum(['short', 'ms', 's', 'percent']) }),
        overrides: z.array(z.unknown()),
      }),
      options: z.looseObject({}),
      targets: z
        .array(
          z.union([
            z.strictObject({
              refId: z.string(),
              datasource,
              expr: z.string(),
              legendFormat: z.string(),
            }),
            z.strictObject({
              refId: z.string(),
              datasource,
              editorType: z.literal('sql'),
              rawSql: z.string(),
              queryType: z.enum(['timeseries', 'table']),
              format: z.union([z.literal(0), z.literal(1)]),
            }),
          ]),
        )
        .length(1),
      transformations: z
        .array(z.strictObject({ id: z.literal('groupingToMatrix'), options: z.looseObject({}) }))
        .optional(),
    }),
  ),
});
