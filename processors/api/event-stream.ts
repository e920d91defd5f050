/** An answer that goes on: server-sent events (HTML Living Standard, 9.2). One that reads slowly waits. */
import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';

export type EventStream = {
  /** Resolves when the reader can take more. */
  readonly send: (event: {
    readonly id?: string;
    readonly event: string;
    readonly data: unknown;
  }) => Promise<void>;
  /** The reader has gone. */
  readonly ended: AbortSignal;
  readonly close: () => void;
};

export function eventStream(to: FastifyReply, heartbeatMs: number): EventStream {
  to.hijack();
  const { raw } = to;
  raw.writeHead(200, {
    ...(to.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  const ending = new AbortController();
  const beat = setInterval(() => raw.write(': alive\n\n'), heartbeatMs);
  raw.on('close', () => {
    clearInterval(beat);
    ending.abort();
  });
  return {
    send: async ({ id, event, data }) => {
      const name = id === undefined ? '' : `id: ${id}\n`;
      const text = `${name}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
      if (!raw.write(text)) await Promise.race([once(raw, 'drain'), once(raw, 'close')]);
    },
    ended: ending.signal,
    close: () => {
      clearInterval(beat);
      raw.end();
    },
  };
}
