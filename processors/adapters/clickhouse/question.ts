/** One HTTP request in ClickHouse's protocol → what is asked, or ClickHouse's refusal. Pure. */
import { guestLimits } from './client.ts';
import { readingStatement } from './statement.ts';

export type Question = {
  readonly statement: string;
  readonly format: string;
  /** What the question wants changed for itself, and its parameters; empty for most. */
  readonly settings: Readonly<Record<string, string>>;
  /** Absent: our own. */
  readonly database?: string;
  /** Of the client, for the format Native; 0: none told. */
  readonly protocolVersion: number;
};

/** A refusal as ClickHouse gives it. */
export type Refusal = { readonly code: number; readonly name: string; readonly sentence: string };

const readOnly = (sentence: string): Refusal => ({ code: 164, name: 'READONLY', sentence });

/** Parameters of the protocol that change nothing here, since each answer is whole and keeps no state. */
const ignored = new Set([
  'add_http_cors_header',
  'buffer_size',
  'cancel_http_readonly_queries_on_client_close',
  'decompress',
  'enable_http_compression',
  'http_headers_progress_interval_ms',
  'http_zlib_compression_level',
  'log_queries',
  'max_threads',
  'password',
  'query_id',
  'quota_key',
  'role',
  'send_progress_in_http_headers',
  'session_check',
  'session_id',
  'session_timeout',
  'user',
  'wait_end_of_query',
]);
const understood = new Set(['query', 'database', 'default_format', 'client_protocol_version']);

/** Settings that only shape the answer. */
const shaping =
  /^(output_format_\w+|format_(csv|tsv|custom)_\w+|date_time_output_format|join_use_nulls|session_timezone|extremes|result_overflow_mode|final|max_block_size|group_by_use_nulls)$/;
const bounded = new Set(Object.keys(guestLimits));

export function questionOf(
  search: URLSearchParams,
  body: string,
  world: {
    readonly database: string;
    readonly header: (name: string) => string | undefined;
    readonly forbidden: ReadonlySet<string>;
  },
): Question | { readonly refused: Refusal } {
  const text = [search.get('query') ?? '', body].filter((part) => part.trim() !== '').join('\n');
  const checked = readingStatement(text, world.forbidden);
  if ('refused' in checked) return { refused: readOnly(checked.refused) };
  const settings: Record<string, string> = {};
  for (const [name, value] of search) {
    if (/^param_\w+$/.test(name)) settings[name] = value;
    else if (bounded.has(name))
      settings[name] = withinLimit(name as keyof typeof guestLimits, value);
    else if (shaping.test(name)) settings[name] = value;
    else if (name === 'readonly' && value !== '0') continue;
    else if (name === 'compress' && value !== '0') return { refused: noFrames };
    else if (name !== 'compress' && !ignored.has(name) && !understood.has(name)) {
      return { refused: readOnly(`Cannot modify '${name}' setting in readonly mode.`) };
    }
  }
  const wanted = search.get('database') ?? world.header('x-clickhouse-database') ?? '';
  if (!/^\w*$/.test(wanted)) return { refused: noDatabase(wanted) };
  const fallback = search.get('default_format') ?? world.header('x-clickhouse-format') ?? '';
  const format = checked.format ?? (fallback === '' ? 'TabSeparated' : fallback);
  if (!/^\w+$/.test(format)) return { refused: noFormat(format) };
  const isOurs = ['', 'default', world.database].includes(wanted);
  return {
    statement: checked.statement,
    format,
    settings,
    ...(isOurs ? {} : { database: wanted }),
    protocolVersion: Number(search.get('client_protocol_version') ?? 0) || 0,
  };
}

/** A client may ask for less than a guest has, never for more; 0 stands for no limit. */
function withinLimit(name: keyof typeof guestLimits, value: string): string {
  const limit = Number(guestLimits[name]);
  const wish = Number(value);
  return String(wish > 0 && wish < limit ? Math.ceil(wish) : limit);
}

const noFrames: Refusal = {
  code: 48,
  name: 'NOT_IMPLEMENTED',
  sentence:
    'Native compression (compress=1) is not spoken here: use compression of HTTP, such as gzip.',
};
const noDatabase = (name: string): Refusal => ({
  code: 81,
  name: 'UNKNOWN_DATABASE',
  sentence: `Database ${name} does not exist.`,
});
const noFormat = (name: string): Refusal => ({
  code: 73,
  name: 'UNKNOWN_FORMAT',
  sentence: `Unknown format ${name}.`,
});
