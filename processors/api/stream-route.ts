/** Server-sent events: the changes as they come. Each id is a cursor, so that a reader who comes back misses nothing. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { forbidden } from './access.ts';
import { changeOf } from './answers.ts';
import type { Change } from './changes.ts';
import { changesCursor, type Places, parseChangesCursor } from './cursor.ts';
import { problem } from './problem.ts';
import type { Reads } from './reads.ts';
import { type App, answers, reply } from './routing.ts';
import type { StockView } from './view.ts';

const changesAtOnce = 500;

const query = z.object({
  sku: z.string().max(200).optional(),
  channel: z.string().max(200).optional(),
  cursor: z.string().max(4_000).optional().describe('Where to begin; absent: now.'),
});

export function streamRoute(app: App, view: StockView, reads: Reads, heartbeatMs: number): void {
  app.get(
    '/v1/stock/stream',
    {
      schema: {
        tags: ['changes'],
        operationId: 'streamChanges',
        summary: 'Changes as server-sent events; Last-Event-ID goes on where it ended',
        querystring: query,
        produces: ['text/event-stream'],
        response: answers(z.string(), [410]),
      },
    },
    async (request, to) => {
      const { channel, sku } = request.query;
      const refused = forbidden(
        request.client,
        'stock:read',
        channel === undefined ? [] : [channel],
      );
      if (refused !== undefined) return reply(request, to, refused);
      const freshness = reads.freshness({});
      if ('kind' in freshness) return reply(request, to, freshness);
      const given = request.headers['last-event-id'] ?? request.query.cursor;
      const from = given === undefined ? view.places() : parseChangesCursor(String(given));
      if (from === undefined) return reply(request, to, problem('CURSOR_INVALID', 'begin anew'));
      if (view.changesSince(from, 0).kind === 'expired') {
        return reply(request, to, problem('CURSOR_EXPIRED', 'read the figures anew'));
      }
      to.hijack();
      to.raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      await stream(to.raw, view, from, (change) => isWanted(change, sku, channel), heartbeatMs);
      return undefined;
    },
  );
}

function isWanted(change: Change, sku: string | undefined, channel: string | undefined): boolean {
  const about = change.kind === 'stock' ? change.level.sku : change.figure.sku;
  if (sku !== undefined && about !== sku) return false;
  return channel === undefined || (change.kind === 'channel' && change.figure.channel === channel);
}

/** Until the client goes. One that reads slowly waits; one that is too slow is told, and ends. */
async function stream(
  to: ServerResponse,
  view: StockView,
  from: Places,
  wanted: (change: Change) => boolean,
  heartbeatMs: number,
): Promise<void> {
  let places = from;
  let wake: () => void = () => {};
  const stop = view.onChange(() => wake());
  const beat = setInterval(() => to.write(': alive\n\n'), heartbeatMs);
  to.on('close', () => wake());
  try {
    while (!to.destroyed) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const recent = view.changesSince(places, changesAtOnce);
      if (recent.kind === 'expired') {
        to.end(`event: expired\ndata: ${JSON.stringify({ code: 'CURSOR_EXPIRED' })}\n\n`);
        return;
      }
      places = recent.places;
      const events = recent.changes.filter(wanted).map(changeOf);
      if (events.length > 0) {
        const id = changesCursor(places);
        const text = `id: ${id}\nevent: changes\ndata: ${JSON.stringify(events)}\n\n`;
        if (!to.write(text)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      }
      if (recent.changes.length === 0) await changed;
    }
  } finally {
    clearInterval(beat);
    stop();
  }
}
