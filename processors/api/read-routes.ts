/** The reads over REST. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { forbidden } from './access.ts';
import * as models from './models.ts';
import type { Problem } from './problem.ts';
import type { Reads } from './reads.ts';
import { type App, answers, reply } from './routing.ts';

const bySku = z.object({ sku: models.sku });
const byCell = z.object({ sku: models.sku, location: models.location });
const byFigure = z.object({ channel: models.channel, sku: models.sku });

export function readRoutes(app: App, reads: Reads): void {
  skuRoutes(app, reads);
  cellRoutes(app, reads);
  channelRoutes(app, reads);
  changeRoute(app, reads);
}

function skuRoutes(app: App, reads: Reads): void {
  const tags = ['stock'];
  app.get(
    '/v1/stock',
    {
      schema: {
        tags,
        operationId: 'listStock',
        summary: 'Cells by SKU and location, page by page',
        querystring: models.cellsQuery,
        response: answers(models.cellsAnswer),
      },
    },
    async (request, to) => {
      const { location } = request.query;
      const places = location === undefined ? [] : [location];
      return reply(request, to, mayRead(request, places) ?? reads.list(request.query));
    },
  );
  app.get(
    '/v1/stock/:sku',
    {
      schema: {
        tags,
        operationId: 'getSku',
        summary: 'One SKU at all its locations and on all channels',
        params: bySku,
        querystring: models.demand,
        response: answers(models.skuAnswer),
      },
    },
    async (request, to) =>
      reply(request, to, mayRead(request, []) ?? reads.sku(request.params.sku, request.query)),
  );
}

function cellRoutes(app: App, reads: Reads): void {
  const tags = ['stock'];
  app.get(
    '/v1/stock/:sku/locations/:location',
    {
      schema: {
        tags,
        operationId: 'getCell',
        summary: 'One SKU at one location; the ETag is its sequence',
        params: byCell,
        querystring: models.demand,
        response: answers(models.cellAnswer, [304]),
      },
    },
    async (request, to) => {
      const { sku, location } = request.params;
      const found = mayRead(request, [location]) ?? reads.cell(sku, location, request.query);
      return replyTagged(request, to, found);
    },
  );
  app.get(
    '/v1/stock/:sku/locations/:location/promise',
    {
      schema: {
        tags,
        operationId: 'getPromise',
        summary: 'Available to promise by day, UTC',
        params: byCell,
        querystring: models.promiseQuery,
        response: answers(models.promiseAnswer),
      },
    },
    async (request, to) => {
      const { sku, location } = request.params;
      const found = mayRead(request, [location]) ?? reads.promise(sku, location, request.query);
      return reply(request, to, found);
    },
  );
  app.post(
    '/v1/stock::batchGet',
    {
      schema: {
        tags,
        operationId: 'batchGetStock',
        summary: 'Up to 500 SKUs or cells; those that are not known are left out',
        body: models.batchQuery,
        response: answers(models.cellsAnswer),
      },
    },
    async (request, to) => {
      const asked = request.body.cells.map(({ location }) => location ?? '');
      return reply(request, to, mayRead(request, asked) ?? reads.batch(request.body));
    },
  );
}

function channelRoutes(app: App, reads: Reads): void {
  const tags = ['channels'];
  app.get(
    '/v1/channels/:channel/stock',
    {
      schema: {
        tags,
        operationId: 'listChannel',
        summary: 'What a channel may sell, by SKU, page by page',
        params: z.object({ channel: models.channel }),
        querystring: models.figuresQuery,
        response: answers(models.figuresAnswer),
      },
    },
    async (request, to) => {
      const { channel } = request.params;
      const found = mayRead(request, [channel]) ?? reads.listChannel(channel, request.query);
      return reply(request, to, found);
    },
  );
  app.get(
    '/v1/channels/:channel/stock/:sku',
    {
      schema: {
        tags,
        operationId: 'getFigure',
        summary: 'What a channel may sell of a SKU; the ETag is its sequence',
        params: byFigure,
        querystring: models.demand,
        response: answers(models.figureAnswer, [304]),
      },
    },
    async (request, to) => {
      const { channel, sku } = request.params;
      const found = mayRead(request, [channel]) ?? reads.figure(channel, sku, request.query);
      return replyTagged(request, to, found);
    },
  );
}

function changeRoute(app: App, reads: Reads): void {
  app.get(
    '/v1/changes',
    {
      schema: {
        tags: ['changes'],
        operationId: 'getChanges',
        summary: 'What has changed since a cursor, without a gap',
        querystring: models.changesQuery,
        response: answers(models.changesAnswer, [410]),
      },
    },
    async (request, to) => reply(request, to, mayRead(request, []) ?? reads.changes(request.query)),
  );
}

const mayRead = (request: FastifyRequest, places: readonly string[]): Problem | undefined =>
  forbidden(request.client, 'stock:read', places);

/** A strong ETag: the sequence. What has not changed is not sent again. */
function replyTagged(
  request: FastifyRequest,
  to: FastifyReply,
  body: { readonly sequence: number } | Problem,
) {
  if ('kind' in body) return reply(request, to, body);
  const tag = `"${body.sequence}"`;
  to.header('etag', tag);
  const given = request.headers['if-none-match'];
  const isKnown = given?.split(',').some((one) => one.trim() === tag || one.trim() === '*');
  return isKnown === true ? to.code(304).send() : reply(request, to, body);
}
