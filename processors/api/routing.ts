/** What the routes share: their kind of application, and the answers that each may give. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { problemAnswer } from './models.ts';
import { isProblem, type Problem, problemBody, statusOf } from './problem.ts';

export type App = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

const anywhere = [400, 401, 403, 404, 412, 413, 415, 429, 500, 503] as const;

/** The documented answers of a route: one when all is well, and the problems. */
export function answers<S extends z.ZodType>(good: S, more: readonly number[] = [], status = 200) {
  const problems = [...anywhere, ...more].map((code) => [
    code,
    {
      description: 'A problem.',
      content: { 'application/problem+json': { schema: problemAnswer } },
    },
  ]);
  return {
    [status]: { description: 'Done.', content: { 'application/json': { schema: good } } },
    ...Object.fromEntries(problems),
  };
}

export function reply(request: FastifyRequest, to: FastifyReply, body: object | Problem) {
  if (!isProblem(body)) return to.type('application/json').send(body);
  return to
    .code(statusOf(body))
    .headers(body.headers ?? {})
    .type('application/problem+json')
    .send(problemBody(body, request.url.split('?', 1)[0] ?? ''));
}
