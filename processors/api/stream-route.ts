/** Server-sent events: the changes as they come. Each id is a cursor, so that a reader who comes back misses nothing. */
import { z } from 'zod';
import { forbidden } from './access.ts';
import { changeOf } from './answers.ts';
import { changeFeed, feedStart } from './change-feed.ts';
import { eventStream } from './event-stream.ts';
import type { Reads } from './reads.ts';
import { type App, answers, reply } from './routing.ts';
import type { StockView } from './view.ts';

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
      const places = channel === undefined ? [] : [channel];
      const refused = forbidden(request.client, 'stock:read', places);
      if (refused !== undefined) return reply(request, to, refused);
      const freshness = reads.freshness({});
      if ('kind' in freshness) return reply(request, to, freshness);
      const given = request.headers['last-event-id'] ?? request.query.cursor;
      const from = feedStart(view, given === undefined ? undefined : String(given));
      if ('kind' in from) return reply(request, to, from);
      const stream = eventStream(to, heartbeatMs);
      for await (const one of changeFeed(view, from, { sku, channel }, stream.ended)) {
        await (one === 'expired'
          ? stream.send({ event: 'expired', data: { code: 'CURSOR_EXPIRED' } })
          : stream.send({ id: one.cursor, event: 'changes', data: one.changes.map(changeOf) }));
      }
      stream.close();
      return undefined;
    },
  );
}
