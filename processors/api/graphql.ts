/** GraphQL over the same functions as REST. */
import { GraphQLError } from 'graphql';
import mercurius, { type IResolvers } from 'mercurius';
import { z } from 'zod';
import { type Client, forbidden, narrowedTo, type Verb } from './access.ts';
import { changeOf } from './answers.ts';
import { changeFeed, type Feed, feedStart } from './change-feed.ts';
import { eventStream } from './event-stream.ts';
import { costRule, depthMax } from './graphql-limits.ts';
import { openSubscription, readSubscription, sendResults } from './graphql-stream.ts';
import * as models from './models.ts';
import { isProblem, type Problem, problem, statusOf } from './problem.ts';
import type { Reads } from './reads.ts';
import { ending as endingOf, reserving } from './requests.ts';
import { type App, answers } from './routing.ts';
import type { StockView } from './view.ts';
import type { Writes } from './writes.ts';

type Context = { readonly client: Client };

export const graphqlSchema = `
type Query {
  sku(sku: String!, maxStaleness: Int, minWatermark: String): Sku
  cell(sku: String!, location: String!, maxStaleness: Int, minWatermark: String): Cell
  stock(limit: Int, cursor: String, location: String, skuPrefix: String, availableBelow: Float,
    maxStaleness: Int, minWatermark: String): CellPage!
  "Null: there is no such channel."
  channelStock(channel: String!, limit: Int, cursor: String, status: Status,
    maxStaleness: Int, minWatermark: String): FigurePage
  figure(channel: String!, sku: String!, maxStaleness: Int, minWatermark: String): Figure
  request(key: String!): Outcome
  freshness: Freshness!
}
type Mutation {
  "The same key and input are done once."
  reserve(key: String!, input: ReservationInput!): Outcome!
  commit(key: String!, reservation: String!): Outcome!
  release(key: String!, reservation: String!): Outcome!
  fulfil(key: String!, reservation: String!): Outcome!
}
type Subscription {
  "What changes from the cursor on, without a gap; without one from now on. Answered as text/event-stream."
  changes(sku: String, channel: String, cursor: String): Changes!
}
type Changes { cursor: String! cells: [Cell!]! figures: [Figure!]! }
enum Status { inStock low out }
enum Policy { FillOrKill FillAll FillAllAvailable }
input LineInput { sku: String! location: String quantity: Float! }
input ReservationInput {
  lines: [LineInput!]! policy: Policy locations: [String!] channel: String expiresAt: String
  reason: String reference: String
}
type Behind { source: String! hop: String! reason: String! }
type Watermark { source: String! asOf: String! }
type Freshness {
  asOf: String freshnessMs: Float provenance: String! watermarks: [Watermark!]! behind: [Behind!]!
}
type Quantities {
  onHand: Float! reserved: Float! available: Float! incoming: Float! inTransit: Float! damaged: Float!
  qualityControl: Float! safetyStock: Float!
}
type Cell {
  sku: String! location: String! quantities: Quantities! sequence: Float! previousSequence: Float!
  freshness: Freshness
}
type Figure {
  channel: String! sku: String! sellable: Float! status: Status! sequence: Float! previousSequence: Float!
  formula: String! formulaVersion: Int! freshness: Freshness
}
type Sku { sku: String! available: Float! cells: [Cell!]! channels: [Figure!]! freshness: Freshness! }
type CellPage { items: [Cell!]! cursor: String freshness: Freshness! }
type FigurePage { items: [Figure!]! cursor: String freshness: Freshness! }
type OutcomeLine {
  sku: String! location: String! quantity: Float! short: Float! sequence: Float! code: String! reason: String!
}
type Outcome {
  key: String! accepted: Boolean! code: String! reason: String! reservation: String state: String!
  lines: [OutcomeLine!]! decidedAt: String!
}
`;

const question = z.object({
  query: z.string().min(1).max(20_000),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().max(200).nullish(),
});

export async function graphqlRoute(
  app: App,
  view: StockView,
  reads: Reads,
  writes: Writes,
  heartbeatMs: number,
): Promise<void> {
  await app.register(mercurius, {
    schema: graphqlSchema,
    resolvers: resolversOf(reads, writes),
    routes: false,
    queryDepth: depthMax,
    validationRules: [costRule],
  });
  app.post(
    '/v1/graphql',
    {
      schema: {
        tags: ['graphql'],
        operationId: 'graphql',
        summary: 'The same questions in GraphQL; refusals are errors with extensions.code',
        body: question,
        response: answers(z.looseObject({ data: z.unknown() })),
      },
    },
    async (request, to) => {
      const { query, variables, operationName } = request.body;
      const given = variables ?? {};
      const asking = { query, variables: given, operationName: operationName ?? undefined };
      const context = { client: request.client };
      if (/\btext\/event-stream\b/.test(request.headers.accept ?? '')) {
        const { schema } = app.graphql;
        const document = readSubscription(schema, asking);
        const until = new AbortController();
        const results =
          'kind' in document
            ? await openSubscription(
                schema,
                document,
                asking,
                { ...context, until: until.signal },
                changesFrom(view),
              )
            : document;
        if (!(Symbol.asyncIterator in results)) {
          return to.send({ data: null, errors: errorsOf({ errors: results }) });
        }
        const stream = eventStream(to, heartbeatMs);
        stream.ended.addEventListener('abort', () => until.abort());
        return sendResults(results, stream);
      }
      try {
        return to.send(await app.graphql(query, context, given, operationName ?? undefined));
      } catch (error) {
        return to.send({ data: null, errors: errorsOf(error) });
      }
    },
  );
}

/** What mercurius refuses before anything is resolved: it is the asker's fault, and says no more than that. */
function errorsOf(error: unknown): readonly object[] {
  const { errors, message } = error as { errors?: readonly GraphQLError[]; message: string };
  return (
    errors?.map((one) => ({ message: one.message, extensions: one.extensions })) ?? [{ message }]
  );
}

function resolversOf(reads: Reads, writes: Writes): IResolvers {
  const read =
    <S extends z.ZodType>(
      input: S,
      places: (given: z.infer<S>) => readonly string[],
      ask: (given: z.infer<S>) => object | Problem,
    ) =>
    async (_: unknown, given: unknown, context: unknown) => {
      const known = parsed(input, given);
      may((context as Context).client, 'stock:read', places(known));
      return told(ask(known));
    };
  const bySku = models.demand.extend({ sku: models.sku });
  const byCell = bySku.extend({ location: models.location });
  const byChannel = models.figuresQuery.extend({ channel: models.channel });
  const byFigure = bySku.extend({ channel: models.channel });
  const byKey = z.object({ key: models.requestName });
  return {
    Query: {
      sku: read(
        bySku,
        () => [],
        (given) => reads.sku(given.sku, given),
      ),
      cell: read(
        byCell,
        ({ location }) => [location],
        (given) => reads.cell(given.sku, given.location, given),
      ),
      stock: read(
        models.cellsQuery,
        ({ location }) => (location === undefined ? [] : [location]),
        (given) => reads.list(given),
      ),
      channelStock: read(
        byChannel,
        ({ channel }) => [channel],
        (given) => reads.listChannel(given.channel, given),
      ),
      figure: read(
        byFigure,
        ({ channel }) => [channel],
        (given) => reads.figure(given.channel, given.sku, given),
      ),
      freshness: read(
        models.demand,
        () => [],
        (given) => reads.freshness(given),
      ),
      request: async (_: unknown, given: unknown, context: unknown) =>
        told(writes.outcome((context as Context).client.id, parsed(byKey, given).key)),
    },
    Mutation: mutationsOf(writes),
    Freshness: {
      watermarks: ({ watermarks }: z.infer<typeof models.freshness>) =>
        Object.entries(watermarks).map(([source, asOf]) => ({ source, asOf })),
    },
  } as unknown as IResolvers;
}

/** The one subscription that there is: `changes`. */
function changesFrom(view: StockView) {
  const about = z.object({
    sku: models.sku.optional(),
    channel: models.channel.optional(),
    cursor: z.string().max(4_000).optional(),
  });
  return (_: unknown, given: unknown, context: Context & { readonly until: AbortSignal }) => {
    const known = parsed(about, given);
    may(context.client, 'stock:read', known.channel === undefined ? [] : [known.channel]);
    const from = feedStart(view, known.cursor);
    if ('kind' in from) throw asError(from);
    return changesOf(changeFeed(view, from, known, context.until));
  };
}

async function* changesOf(feed: AsyncIterable<Feed>) {
  for await (const one of feed) {
    if (one === 'expired') throw asError(problem('CURSOR_EXPIRED', 'read the figures anew'));
    const told = one.changes.map(changeOf);
    const cells = told.flatMap((change) => (change.kind === 'stock' ? [change.cell] : []));
    const figures = told.flatMap((change) => (change.kind === 'channel' ? [change.figure] : []));
    yield { changes: { cursor: one.cursor, cells, figures } };
  }
}

function mutationsOf(writes: Writes) {
  const reservation = z.object({ key: models.requestName, input: models.reservationBody });
  const end = z.object({ key: models.requestName, reservation: models.requestName });
  const ending =
    (kind: 'commit' | 'release' | 'fulfil') =>
    async (_: unknown, given: unknown, context: unknown) => {
      const { client } = context as Context;
      const known = parsed(end, given);
      may(client, 'reservations:write', narrowedTo(client, 'reservations:write'));
      const asked = endingOf(kind, client.id, known.reservation, models.endBody.parse({}));
      return told(await writes.ask(client.id, known.key, asked));
    };
  return {
    reserve: async (_: unknown, given: unknown, context: unknown) => {
      const { client } = context as Context;
      const { key, input } = parsed(reservation, given);
      may(client, 'reservations:write', input.channel === undefined ? [] : [input.channel]);
      return told(await writes.ask(client.id, key, reserving(input)));
    },
    commit: ending('commit'),
    release: ending('release'),
    fulfil: ending('fulfil'),
  };
}

function parsed<S extends z.ZodType>(schema: S, given: unknown): z.infer<S> {
  // GraphQL has null where nothing was given.
  const known = Object.entries(given as object).filter(([, value]) => value !== null);
  const result = schema.safeParse(Object.fromEntries(known));
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw asError(problem('INPUT_INVALID', `${first?.path.join('.')}: ${first?.message}`));
}

function may(client: Client, verb: Verb, places: readonly string[]): void {
  const refused = forbidden(client, verb, places);
  if (refused !== undefined) throw asError(refused);
}

/** What is not there is null; every other refusal is an error. */
function told(answer: object | Problem): object | null {
  if (!isProblem(answer)) return answer;
  if (answer.code === 'NOT_FOUND' && answer.reason === undefined) return null;
  throw asError(answer);
}

const asError = (one: Problem): GraphQLError =>
  new GraphQLError(one.detail, {
    extensions: { code: one.reason ?? one.code, status: statusOf(one), ...one.more },
  });
