/** The writes over REST: each becomes one request to the single writer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Request } from '../../schemas/types.ts';
import { requestKey } from '../topics.ts';
import { forbidden, narrowedTo, type Verb } from './access.ts';
import * as models from './models.ts';
import { type Problem, problem } from './problem.ts';
import { ending, linesOf, msOf, reserving } from './requests.ts';
import { type App, answers, reply } from './routing.ts';
import type { Asked, Writes } from './writes.ts';

const key = models.requestName;
const headers = z.looseObject({
  'idempotency-key': key.optional().describe('Needed: the same key and body are done once.'),
  'if-match': z.string().max(100).optional().describe('The ETag of the cell.'),
});
const byKey = z.object({ key: key.describe('The Idempotency-Key of the request that made it.') });
const writeAnswers = () => answers(models.outcomeAnswer, [409, 422, 428, 504]);

export function writeRoutes(app: App, writes: Writes): void {
  const send = async (
    request: FastifyRequest,
    to: FastifyReply,
    verb: Verb,
    places: readonly string[],
    asked: Asked | Problem,
  ) => {
    const refused = forbidden(request.client, verb, places);
    if (refused !== undefined) return reply(request, to, refused);
    const idempotencyKey = request.headers['idempotency-key'];
    if (idempotencyKey === undefined) {
      return reply(request, to, problem('IDEMPOTENCY_KEY_MISSING', 'name the request by a key'));
    }
    if ('code' in asked) return reply(request, to, asked);
    return reply(request, to, await writes.ask(request.client.id, String(idempotencyKey), asked));
  };
  reservationRoutes(app, send);
  adjustmentRoutes(app, send);
  moveRoutes(app, send);
  app.get(
    '/v1/requests/:key',
    {
      schema: {
        tags: ['requests'],
        operationId: 'getRequest',
        summary: 'What came of an earlier request of yours',
        params: byKey,
        response: answers(models.outcomeAnswer, [409]),
      },
    },
    async (request, to) =>
      reply(request, to, writes.outcome(request.client.id, request.params.key)),
  );
}

type Send = (
  request: FastifyRequest,
  to: FastifyReply,
  verb: Verb,
  places: readonly string[],
  asked: Asked | Problem,
) => Promise<unknown>;

function reservationRoutes(app: App, send: Send): void {
  app.post(
    '/v1/reservations',
    {
      schema: {
        tags: ['reservations'],
        operationId: 'reserve',
        summary: 'Hold a cart of lines: all, wait, or what there is',
        headers,
        body: models.reservationBody,
        response: writeAnswers(),
      },
    },
    async (request, to) => {
      const { channel } = request.body;
      const places = channel === undefined ? [] : [channel];
      return send(request, to, 'reservations:write', places, reserving(request.body));
    },
  );
  app.patch(
    '/v1/reservations/:key',
    {
      schema: {
        tags: ['reservations'],
        operationId: 'updateReservation',
        summary: 'Other quantities, or another end',
        headers,
        params: byKey,
        body: models.updateBody,
        response: writeAnswers(),
      },
    },
    async (request, to) => {
      const { lines, expiresAt, reason, reference } = request.body;
      const places = narrowedTo(request.client, 'reservations:write');
      return send(request, to, 'reservations:write', places, {
        kind: 'update',
        lines: linesOf(lines),
        reservation: requestKey(request.client.id, request.params.key),
        expiresAt: msOf(expiresAt),
        reason,
        reference,
      });
    },
  );
  endRoute(app, send, 'commit', 'The order is placed: the hold does not run out any more');
  endRoute(app, send, 'release', 'Give the hold up');
  endRoute(app, send, 'fulfil', 'The goods have left');
}

function endRoute(
  app: App,
  send: Send,
  kind: 'commit' | 'release' | 'fulfil',
  summary: string,
): void {
  app.post(
    `/v1/reservations/:key/${kind}`,
    {
      schema: {
        tags: ['reservations'],
        operationId: `${kind}Reservation`,
        summary,
        headers,
        params: byKey,
        body: models.endBody,
        response: writeAnswers(),
      },
    },
    async (request, to) => {
      const { key: made } = request.params as z.infer<typeof byKey>;
      const { client } = request;
      const places = narrowedTo(client, 'reservations:write');
      const asked = ending(kind, client.id, made, request.body as z.infer<typeof models.endBody>);
      return send(request, to, 'reservations:write', places, asked);
    },
  );
}

function adjustmentRoutes(app: App, send: Send): void {
  app.post(
    '/v1/adjustments',
    {
      schema: {
        tags: ['stock'],
        operationId: 'adjust',
        summary: 'Add to or take from a quantity, and say why',
        headers,
        body: models.adjustmentBody,
        response: writeAnswers(),
      },
    },
    async (request, to) => {
      const { lines, bucket, reason, reference, expectedSequence } = request.body;
      const asked = { lines: linesOf(lines), bucket, reason, reference };
      return send(request, to, 'stock:write', placesOf(lines), {
        ...asked,
        kind: 'adjust',
        ...expectation(request, expectedSequence),
      });
    },
  );
  app.post(
    '/v1/counts',
    {
      schema: {
        tags: ['stock'],
        operationId: 'count',
        summary: 'Somebody has counted',
        headers,
        body: models.countBody,
        response: writeAnswers(),
      },
    },
    async (request, to) => {
      const { lines, countedAt, reason, reference, expectedSequence } = request.body;
      return send(request, to, 'stock:write', placesOf(lines), {
        kind: 'count',
        lines: linesOf(lines),
        occurredAt: msOf(countedAt) ?? 0,
        reason,
        reference,
        ...expectation(request, expectedSequence),
      });
    },
  );
}

function moveRoutes(app: App, send: Send): void {
  app.post(
    '/v1/transfers',
    {
      schema: {
        tags: ['stock'],
        operationId: 'transfer',
        summary: 'Move units from one location to another',
        headers,
        body: models.transferBody,
        response: writeAnswers(),
      },
    },
    async (request, to) => {
      const { sku, from, to: target, quantity, reason, reference } = request.body;
      return send(request, to, 'stock:write', [from, target], {
        kind: 'transfer',
        lines: linesOf([{ sku, location: from, quantity }]),
        toLocation: target,
        reason,
        reference,
        ...expectation(request, request.body.expectedSequence),
      });
    },
  );
  app.put(
    '/v1/allocations',
    {
      schema: {
        tags: ['channels'],
        operationId: 'allocate',
        summary: 'Set units of a cell aside for a channel',
        headers,
        body: models.allocationBody,
        response: writeAnswers(),
      },
    },
    async (request, to) => {
      const { sku, location, channel, quantity, reason, reference } = request.body;
      return send(request, to, 'allocations:write', [location, channel], {
        kind: 'allocate',
        lines: linesOf([{ sku, location, quantity }]),
        channel,
        reason,
        reference,
        ...expectation(request, request.body.expectedSequence),
      });
    },
  );
}

const placesOf = (lines: readonly { readonly location: string }[]): readonly string[] =>
  lines.map(({ location }) => location);

/** If-Match, or expectedSequence in the body. A tag that was never ours matches nothing: no cell has sequence 0. */
function expectation(
  request: FastifyRequest,
  expectedSequence: number | undefined,
): Partial<Request> {
  if (expectedSequence !== undefined) return { expectedSequence };
  const given = request.headers['if-match'];
  if (given === undefined || given.trim() === '*') return {};
  return { expectedSequence: Number(/^"(\d{1,15})"$/.exec(given.trim())?.[1] ?? 0) };
}
