/** The built-in console: pages that draw the boards from their own SQL, for where there is no Grafana. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Board, Panel } from './board.ts';
import { boards } from './boards.ts';
import { placed } from './grafana.ts';
import { expandMacros, type TimeRange } from './macros.ts';

export type Page = { readonly type: string; readonly body: string };

const folder = fileURLToPath(new URL('./console/', import.meta.url));
const files: Readonly<Record<string, string>> = {
  'console.js': 'text/javascript; charset=UTF-8',
  'console.css': 'text/css; charset=UTF-8',
};
const noteHeight = 3;
const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Undefined: there is no such page. */
export function consolePage(path: string, search: URLSearchParams): Page | undefined {
  if (path === '/boards' || path === '/boards/') return html(boards[0]?.uid ?? '');
  const name = /^\/boards\/([\w.-]+)$/.exec(path)?.[1] ?? '';
  const type = files[name];
  if (type !== undefined) return { type, body: readFileSync(`${folder}${name}`, 'utf8') };
  const board = boards.find(({ uid }) => name === uid || name === `${uid}.json`);
  if (board === undefined) return undefined;
  return name === board.uid ? html(board.uid) : described(board, search);
}

function html(uid: string): Page {
  const body = readFileSync(`${folder}page.html`, 'utf8').replace('BOARD', uid);
  return { type: 'text/html; charset=UTF-8', body };
}

/** What the page draws, with every statement ready to be asked. */
function described(board: Board, search: URLSearchParams): Page {
  const range = rangeOf(search.get('from') ?? board.from, Number(search.get('now')) || Date.now());
  const values = Object.fromEntries(search);
  const panels = placed(board.panels.map(noteOfPrometheus)).map(({ panel, ...place }) => {
    const { title, description, kind, unit, query } = panel;
    const asked =
      'sql' in query
        ? { sql: expandMacros(query.sql, range, values) }
        : { prometheus: query.prometheus };
    return { title, description, kind, unit, place, ...asked };
  });
  const { title, description, from, variables } = board;
  const menu = boards.map((one) => ({ uid: one.uid, title: one.title }));
  const body = JSON.stringify({ title, description, from, range, menu, variables, panels });
  return { type: 'application/json; charset=UTF-8', body };
}

/** The console has no Prometheus: what is asked of it is a note, and needs little room. */
function noteOfPrometheus(panel: Panel): Panel {
  return 'prometheus' in panel.query ? { ...panel, height: noteHeight } : panel;
}

/** Grafana's `now-7d` and its like. */
function rangeOf(from: string, nowMs: number): TimeRange {
  const [, count = '1', unit = 'd'] = /^now-(\d+)([mhd])$/.exec(from) ?? [];
  return { fromMs: nowMs - Number(count) * (unitMs[unit] ?? 0), toMs: nowMs };
}
