/**
 * Answers questions about analytics over ClickHouse's HTTP protocol, for reading only: on this machine, one statement
 * at a time, bounded in time, memory and size.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import type { ClickHouse } from './clickhouse-client.ts';
import { readingStatement } from './clickhouse-statement.ts';

export type Endpoint = { readonly url: string; readonly close: () => Promise<void> };

type Answer = {
  readonly status: number;
  readonly body: string | Buffer;
  readonly code?: string;
  readonly format?: string;
};

const bodyBytesMax = 1_048_576;
const waitingMax = 32;
const notReadOnly = '164';

export async function serveClickHouse(options: {
  readonly clickHouse: ClickHouse;
  /** Told to others by this file: `{ "url": … }`. */
  readonly runFile: string;
  /** 0: any free port. */
  readonly port?: number;
}): Promise<Endpoint> {
  const ask = questioner(options.clickHouse.guests);
  const server = createServer((request, response) => {
    void respond(request, response, ask);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeRunFile(options.runFile, url);
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
function writeRunFile(file: string, url: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, `${JSON.stringify({ url })}\n`);
  renameSync(`${file}.part`, file);
}

type Ask = (statement: string, format: string) => Promise<Answer>;

/** Spreads questions over the guest sessions; each runs one at a time. */
function questioner(guests: readonly ClickHouseClient[]): Ask {
  const busy = guests.map(() => 0);
  return async (statement, format) => {
    const least = busy.indexOf(Math.min(...busy));
    const guest = guests[least];
    if (guest === undefined || (busy[least] ?? 0) >= waitingMax) {
      return { status: 503, body: 'Too many questions at once: ask again in a moment.\n' };
    }
    busy[least] = (busy[least] ?? 0) + 1;
    try {
      const result = await guest.exec({
        query: statement,
        clickhouse_settings: { default_format: format } as Record<string, string>,
      });
      const pieces: Buffer[] = [];
      for await (const piece of result.stream) pieces.push(Buffer.from(piece));
      return { status: 200, body: Buffer.concat(pieces), format };
    } catch (error) {
      return refusal(error);
    } finally {
      busy[least] = (busy[least] ?? 1) - 1;
    }
  };
}

/** The engine's own sentence, as a ClickHouse server gives it. */
function refusal(error: unknown): Answer {
  const { code, type, message } = error as { code?: string; type?: string; message?: string };
  if (code === undefined || type === undefined) {
    return { status: 500, body: `${message ?? String(error)}\n` };
  }
  return { status: 400, code, body: `Code: ${code}. DB::Exception: ${message} (${type})\n` };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  ask: Ask,
): Promise<void> {
  const answer = await answerTo(request, ask);
  response.writeHead(answer.status, {
    'content-type': contentType(answer),
    ...(answer.code === undefined ? {} : { 'x-clickhouse-exception-code': answer.code }),
    ...(answer.format === undefined ? {} : { 'x-clickhouse-format': answer.format }),
    'x-clickhouse-server-display-name': 'stockline',
  });
  response.end(answer.body);
}

async function answerTo(request: IncomingMessage, ask: Ask): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const inUrl = url.searchParams.get('query') ?? '';
  if (url.pathname === '/ping' || (url.pathname === '/' && inUrl === '' && isGet(request))) {
    return { status: 200, body: 'Ok.\n' };
  }
  if (url.pathname !== '/') return { status: 404, body: `There is no ${url.pathname} here.\n` };
  if (!isGet(request) && request.method !== 'POST') {
    return { status: 405, body: 'Ask with GET or POST.\n' };
  }
  const body = await bodyOf(request);
  if (body === undefined) {
    return { status: 413, body: `A question has at most ${bodyBytesMax} bytes.\n` };
  }
  const checked = readingStatement([inUrl, body].filter((text) => text !== '').join('\n'));
  if ('refused' in checked) {
    const sentence = `Code: ${notReadOnly}. DB::Exception: ${checked.refused} (READONLY)\n`;
    return { status: 400, code: notReadOnly, body: sentence };
  }
  const format = url.searchParams.get('default_format') ?? 'TabSeparated';
  if (!/^\w+$/.test(format)) return { status: 400, body: 'default_format is not a name.\n' };
  return await ask(checked.statement, format);
}

function isGet(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function contentType({ status, format }: Answer): string {
  if (status === 200 && format?.startsWith('JSON')) return 'application/json; charset=UTF-8';
  return 'text/plain; charset=UTF-8';
}
