/**
 * Answers questions about analytics over ClickHouse's HTTP protocol, for reading only, bounded in time, memory and
 * size: so ordinary ClickHouse clients, Grafana and notebooks work with the embedded engine as with a server.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { brotliCompressSync, constants, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import type { ClickHouseClient } from '@clickhouse/client';
import { type Access, refusedAccess } from './access.ts';
import type { ClickHouse } from './client.ts';
import { nativeForVersion, UnknownNativeType } from './native.ts';
import { type Question, questionOf, type Refusal } from './question.ts';
import { forbiddenFunctions } from './statement.ts';

export type Endpoint = { readonly url: string; readonly close: () => Promise<void> };

/** What else is served beside the questions, such as pages: undefined where it has nothing. */
export type Pages = (
  path: string,
  search: URLSearchParams,
) => { readonly type: string; readonly body: string } | undefined;

type Answer = {
  readonly status: number;
  readonly body: string | Buffer;
  readonly code?: number;
  readonly format?: string;
  readonly type?: string;
};

const bodyBytesMax = 1_048_576;
const waitingMax = 32;
/** Pages ask this endpoint alone, and run nothing that it did not serve. */
const contentPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'";
/** Less is not worth it. */
const compressedFromBytes = 1_024;

export async function serveClickHouse(options: {
  readonly clickHouse: ClickHouse;
  /** Told to others by this file, which only its owner can read: `{ "url": …, "user": …, "key": … }`. */
  readonly runFile: string;
  /** 0: any free port. */
  readonly port?: number;
  /** Anything but this machine needs `access`. */
  readonly host?: string;
  readonly access?: Access;
  readonly pages?: Pages;
}): Promise<Endpoint> {
  const { clickHouse, access, pages } = options;
  const host = options.host ?? '127.0.0.1';
  if (access === undefined && !/^(127\.|localhost$|::1$)/.test(host)) {
    throw new Error(
      `analytics cannot be opened to ${host} without a key: set STOCKLINE_ANALYTICS_KEY, or leave STOCKLINE_ANALYTICS_HOST.`,
    );
  }
  const world: World = {
    ask: questioner(clickHouse),
    database: clickHouse.database,
    forbidden: await readForbidden(clickHouse),
    access,
    pages,
  };
  const server = createServer((request, response) => {
    void respond(request, response, world);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeRunFile(options.runFile, { url, ...access });
  return {
    url,
    close: async () => {
      rmSync(options.runFile, { force: true });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Written whole or not at all: a reader never sees half a file. */
function writeRunFile(file: string, content: Readonly<Record<string, string>>): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, `${JSON.stringify(content)}\n`);
  chmodSync(`${file}.part`, 0o600);
  renameSync(`${file}.part`, file);
}

async function readForbidden(clickHouse: ClickHouse): Promise<ReadonlySet<string>> {
  const names = async (query: string): Promise<readonly string[]> => {
    const result = await clickHouse.reader.query({ query, format: 'JSONCompactEachRow' });
    return (await result.json<[string]>()).map(([name]) => name);
  };
  return forbiddenFunctions(
    await names('SELECT name FROM system.table_functions'),
    await names('SELECT name FROM system.functions'),
  );
}

type World = {
  readonly ask: (question: Question) => Promise<Answer>;
  readonly database: string;
  readonly forbidden: ReadonlySet<string>;
  readonly access: Access | undefined;
  readonly pages: Pages | undefined;
};

/** Spreads questions over the guest sessions; each runs one at a time. */
function questioner(clickHouse: ClickHouse): World['ask'] {
  const places = clickHouse.guests.map((guest) => ({
    guest,
    waiting: 0,
    last: Promise.resolve() as Promise<unknown>,
  }));
  return async (question) => {
    const place = [...places].sort((one, other) => one.waiting - other.waiting)[0];
    if (place === undefined || place.waiting >= waitingMax) {
      return { status: 503, body: 'Too many questions at once: ask again in a moment.\n' };
    }
    place.waiting += 1;
    const answered = place.last.then(() => answerFrom(clickHouse, place.guest, question));
    place.last = answered;
    const answer = await answered;
    place.waiting -= 1;
    return answer;
  };
}

/** Never rejects: what goes wrong is an answer too. */
async function answerFrom(
  clickHouse: ClickHouse,
  guest: ClickHouseClient,
  question: Question,
): Promise<Answer> {
  const { settings, database, format } = question;
  const isPlain = database === undefined && Object.keys(settings).length === 0;
  const own = isPlain
    ? undefined
    : clickHouse.guestWith({ settings, ...(database === undefined ? {} : { database }) });
  try {
    const result = await (own ?? guest).exec({
      query: question.statement,
      clickhouse_settings: { default_format: format } as Record<string, string>,
    });
    const pieces: Buffer[] = [];
    for await (const piece of result.stream) pieces.push(Buffer.from(piece));
    const body = Buffer.concat(pieces);
    const isNative = format === 'Native';
    return {
      status: 200,
      body: isNative ? nativeForVersion(body, question.protocolVersion) : body,
      format,
    };
  } catch (error) {
    if (error instanceof UnknownNativeType) {
      return refused({ code: 48, name: 'NOT_IMPLEMENTED', sentence: error.message });
    }
    return engineRefusal(error);
  } finally {
    await own?.close().catch(() => undefined);
  }
}

/** The engine's own sentence, as a ClickHouse server gives it. */
function engineRefusal(error: unknown): Answer {
  const { code, type, message } = error as { code?: string; type?: string; message?: string };
  if (code === undefined || type === undefined) {
    return { status: 500, body: `${message ?? String(error)}\n` };
  }
  return refused({ code: Number(code), name: type, sentence: message ?? '' });
}

function refused({ code, name, sentence }: Refusal, status = 400): Answer {
  return { status, code, body: `Code: ${code}. DB::Exception: ${sentence} (${name})\n` };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  world: World,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const answer = await answerTo(request, url, world).catch(
    (error: unknown): Answer => ({ status: 400, body: `${String(error)}\n` }),
  );
  const { body, encoding } = compressed(answer.body, String(request.headers['accept-encoding']));
  response.writeHead(answer.status, {
    'content-type': answer.type ?? contentType(answer),
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    ...(answer.code === undefined ? {} : { 'x-clickhouse-exception-code': String(answer.code) }),
    ...(answer.format === undefined ? {} : { 'x-clickhouse-format': answer.format }),
    'x-clickhouse-query-id': url.searchParams.get('query_id') ?? randomUUID(),
    'x-clickhouse-timezone': 'UTC',
    'x-clickhouse-server-display-name': 'stockline',
    ...(answer.status === 401 ? { 'www-authenticate': 'Basic realm="Stockline"' } : {}),
    'content-security-policy': contentPolicy,
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerTo(request: IncomingMessage, url: URL, world: World): Promise<Answer> {
  const { pathname, searchParams } = url;
  if (pathname === '/ping' || pathname === '/replicas_status') {
    return { status: 200, body: 'Ok.\n' };
  }
  const noAccess = refusedAccess(request.headers, searchParams, world.access);
  // A browser asks for user and key when it is told so.
  if (noAccess !== undefined) return refused(noAccess, pathname.startsWith('/boards') ? 401 : 403);
  if (isGet(request) && !searchParams.has('query')) {
    const page = world.pages?.(pathname, searchParams);
    if (page !== undefined) return { status: 200, body: page.body, type: page.type };
    if (pathname === '/') return { status: 200, body: 'Ok.\n' };
  }
  if (pathname !== '/') return { status: 404, body: `There is no ${pathname} here.\n` };
  if (!isGet(request) && request.method !== 'POST') {
    return { status: 405, body: 'Ask with GET or POST.\n' };
  }
  const body = await bodyOf(request);
  if (body === undefined) {
    return { status: 413, body: `A question has at most ${bodyBytesMax} bytes.\n` };
  }
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return value === undefined ? undefined : String(value);
  };
  const { database, forbidden } = world;
  const question = questionOf(searchParams, body, { database, forbidden, header });
  return 'refused' in question ? refused(question.refused) : await world.ask(question);
}

function isGet(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** Undefined: too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) return undefined;
    pieces.push(piece);
  }
  const body = Buffer.concat(pieces);
  const isPacked = request.headers['content-encoding'] === 'gzip';
  return (isPacked ? gunzipSync(body, { maxOutputLength: bodyBytesMax }) : body).toString('utf8');
}

/** In what the client likes best of that which is quick enough. */
function compressed(
  body: string | Buffer,
  accepted: string,
): { readonly body: string | Buffer; readonly encoding?: string } {
  if (body.length < compressedFromBytes) return { body };
  const names = accepted.split(',').map((one) => one.split(';')[0]?.trim());
  if (names.includes('gzip')) return { body: gzipSync(body, { level: 1 }), encoding: 'gzip' };
  if (names.includes('deflate')) return { body: deflateSync(body), encoding: 'deflate' };
  if (!names.includes('br')) return { body };
  const params = { [constants.BROTLI_PARAM_QUALITY]: 1 };
  return { body: brotliCompressSync(body, { params }), encoding: 'br' };
}

function contentType({ status, format }: Answer): string {
  if (status === 200 && format?.startsWith('JSON')) return 'application/json; charset=UTF-8';
  if (status === 200 && format === 'Native') return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
}
