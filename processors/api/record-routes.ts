/** What is read from the records themselves and not from the view: why a figure is as it is, what it was, what is proposed. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Proposal } from '../../schemas/types.ts';
import { forbidden } from './access.ts';
import * as models from './models.ts';
import { type Problem, problem } from './problem.ts';
import { type App, answers, reply } from './routing.ts';

export type ExplainQuestion = {
  readonly sku: string;
  readonly location: string | undefined;
  /** A moment of the past, in milliseconds; absent: now. */
  readonly atMs: number | undefined;
  readonly source: boolean;
};

export type RecordPort = {
  /** Cells with each term of their formula, as plain JSON; a sentence when there is nothing to explain. */
  readonly explain: (question: ExplainQuestion) => Promise<readonly object[] | string>;
  /** The last of each proposal. */
  readonly proposals: () => readonly Proposal[];
  /** Decides one that waits; a sentence when there is none. Resolves when it is durable. */
  readonly decide: (
    id: string,
    state: 'approved' | 'rejected',
    by: string,
    reason: string,
  ) => Promise<Proposal | string>;
};

/** Each reads a partition of the ledger: more of them at once would take the machine from those who sell. */
const explainingMax = 2;

const explainQuery = z.object({
  location: models.location.optional(),
  at: z.iso.datetime({ offset: true }).optional().describe('The figures of then; absent: of now.'),
  source: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Also which movement and which row of the source stated each term.'),
});
const explained = z.object({ cells: z.array(z.looseObject({})) });
const proposalAnswer = z.object({
  ...{ id: z.string(), sku: z.string(), location: z.string(), state: z.string() },
  quantity: z.number().describe('Units to order.'),
  stockOutAt: z.string().nullable(),
  stockOutProbability: z.number(),
  ...{ reorderPoint: z.number(), orderUpTo: z.number(), available: z.number() },
  ...{ decidedBy: z.string(), reason: z.string(), madeAt: z.string() },
});
const proposalsQuery = z.object({
  state: z.enum(['proposed', 'approved', 'rejected', 'superseded']).default('proposed'),
  location: models.location.optional(),
});

export function recordRoutes(app: App, port: RecordPort | undefined): void {
  explainRoute(app, port);
  proposalRoutes(app, port);
}

const absent = (): Problem => problem('NOT_FOUND', 'this instance does not read the records');

function explainRoute(app: App, port: RecordPort | undefined): void {
  let explaining = 0;
  app.get(
    '/v1/stock/:sku/explain',
    {
      schema: {
        tags: ['stock'],
        operationId: 'explain',
        summary: 'Why the figures are so, now or at a moment: each term down to what caused it',
        params: z.object({ sku: models.sku }),
        querystring: explainQuery,
        response: answers(explained),
      },
    },
    async (request, to) => {
      const { location, at, source } = request.query;
      const refused = forbidden(
        request.client,
        'stock:read',
        location === undefined ? [] : [location],
      );
      if (refused !== undefined) return reply(request, to, refused);
      if (port === undefined) return reply(request, to, absent());
      if (explaining >= explainingMax) {
        const busy = { headers: { 'retry-after': '1' } };
        return reply(request, to, problem('RATE_LIMITED', 'others are asking the ledger', busy));
      }
      explaining += 1;
      try {
        const cells = await port.explain({
          sku: request.params.sku,
          location,
          atMs: at === undefined ? undefined : Date.parse(at),
          source: source === 'true',
        });
        return reply(
          request,
          to,
          typeof cells === 'string' ? problem('NOT_FOUND', cells) : { cells },
        );
      } finally {
        explaining -= 1;
      }
    },
  );
}

function proposalRoutes(app: App, port: RecordPort | undefined): void {
  const tags = ['replenishment'];
  app.get(
    '/v1/proposals',
    {
      schema: {
        tags,
        operationId: 'listProposals',
        summary: 'What replenishment proposes to order, most urgent first; at most 1 000',
        querystring: proposalsQuery,
        response: answers(z.object({ proposals: z.array(proposalAnswer) })),
      },
    },
    async (request, to) => {
      const { state, location } = request.query;
      const refused = forbidden(
        request.client,
        'stock:read',
        location === undefined ? [] : [location],
      );
      if (refused !== undefined) return reply(request, to, refused);
      const proposals = (port?.proposals() ?? [])
        .filter((one) => one.state === state && (location ?? one.location) === one.location)
        .sort((one, other) => other.stockOutProbability - one.stockOutProbability)
        .slice(0, 1_000)
        .map(proposalOf);
      return reply(request, to, { proposals });
    },
  );
  for (const [verb, state] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    app.post(
      `/v1/proposals/:id/${verb}`,
      {
        schema: {
          tags,
          operationId: `${verb}Proposal`,
          summary: `${verb === 'approve' ? 'Order it' : 'Do not order it'}; once, and it is in the audit`,
          params: z.object({ id: z.string().min(1).max(300) }),
          body: z.object({ reason: z.string().min(1).max(500) }),
          response: answers(proposalAnswer, [409]),
        },
      },
      async (request, to) => decideProposal(port, request, to, state),
    );
  }
}

async function decideProposal(
  port: RecordPort | undefined,
  request: FastifyRequest,
  to: FastifyReply,
  state: 'approved' | 'rejected',
) {
  const { id } = request.params as { readonly id: string };
  const { reason } = request.body as { readonly reason: string };
  const known = port?.proposals().find((one) => one.id === id);
  const refused = forbidden(
    request.client,
    'proposals:write',
    known === undefined ? [] : [known.location],
  );
  if (refused !== undefined) return reply(request, to, refused);
  if (port === undefined || known === undefined) {
    return reply(request, to, problem('NOT_FOUND', `there is no proposal ${id}`));
  }
  const decided = await port.decide(id, state, request.client.id, reason);
  return reply(
    request,
    to,
    typeof decided === 'string' ? problem('REFUSED', decided) : proposalOf(decided),
  );
}

const units = (thousandths: number): number => thousandths / 1_000;

function proposalOf(one: Proposal): z.infer<typeof proposalAnswer> {
  const { id, sku, location, state, stockOutProbability, decidedBy, reason } = one;
  return {
    ...{ id, sku, location, state, stockOutProbability, decidedBy, reason },
    quantity: units(one.quantity),
    stockOutAt: one.stockOutAt === null ? null : new Date(one.stockOutAt).toISOString(),
    reorderPoint: units(one.reorderPoint),
    orderUpTo: units(one.orderUpTo),
    available: units(one.available),
    madeAt: new Date(one.madeAt).toISOString(),
  };
}
