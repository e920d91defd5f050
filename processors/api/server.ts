/** The Unified Inventory API over HTTP. Takes ports, so that a test needs no broker. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import helmet from 'helmet';
import type { Authenticate, Client } from './access.ts';
import { graphqlRoute } from './graphql.ts';
import { type Problem, type ProblemCode, problem, problemBody, statusOf } from './problem.ts';
import type { Quota } from './quota.ts';
import { readRoutes } from './read-routes.ts';
import { reads } from './reads.ts';
import { type RecordPort, recordRoutes } from './record-routes.ts';
import type { App } from './routing.ts';
import { streamRoute } from './stream-route.ts';
import type { StockView } from './view.ts';
import { type ReceiverPort, webhookPath, webhookRoute } from './webhook-route.ts';
import { writeRoutes } from './write-routes.ts';
import { type RequestPort, writes } from './writes.ts';

export type ServerOptions = {
  readonly view: StockView;
  readonly requests: RequestPort;
  readonly authenticate: Authenticate;
  /** Absent: everybody may ask as often as they like. */
  readonly quota?: Quota;
  /** Absent: no source is told of. */
  readonly webhooks?: ReceiverPort;
  /** Absent: only the figures of now are told. */
  readonly records?: RecordPort;
  readonly now?: () => number;
  /** How long a write waits for its outcome. */
  readonly deadlineMs?: number;
  /** Web pages of these origins may ask; absent: none. */
  readonly origins?: readonly string[];
  /** Files of the certificate and its key; absent: plain HTTP. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  readonly heartbeatMs?: number;
};

declare module 'fastify' {
  interface FastifyRequest {
    client: Client;
  }
}

const bodyBytesMax = 262_144;
const slowestRequestMs = 10_000;
const open = new Set(['/livez', '/readyz', '/v1/openapi.json']);
const isDocs = (path: string): boolean => path === '/docs' || path.startsWith('/docs/');

/** What helmet sets, which is the same for each answer: worked out once. */
function headersBy(secure: ReturnType<typeof helmet>): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  const answer = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => undefined,
  };
  secure({} as IncomingMessage, answer as unknown as ServerResponse, () => undefined);
  return headers;
}

/** The headers of a web page. */
const pageHeaders = headersBy(helmet());
/**
 * Of an answer, which loads nothing and is shown nowhere: without what concerns only pages. Source: OWASP REST Security
 * Cheat Sheet, security headers.
 */
const answerHeaders = headersBy(
  helmet({
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xPoweredBy: false,
    xXssProtection: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
  }),
);

/** The OpenAPI document, but for the routes. */
const described: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Stockline Unified Inventory API',
      version: '1.0.0',
      description: 'Stock of every SKU and location, and what each channel may sell.',
    },
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key, or a JWT.' },
      },
    },
    security: [{ key: [] }],
  },
  transform: jsonSchemaTransform,
};

/** Listens on nothing yet: `listen`, or `inject` in a test. */
export async function createServer(options: ServerOptions) {
  const { tls } = options;
  const transport =
    tls === undefined
      ? {}
      : { https: { cert: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) } };
  const app: App = Fastify({
    ...(transport as object),
    clientErrorHandler: refuseUnread,
    bodyLimit: bodyBytesMax,
    requestTimeout: slowestRequestMs,
    connectionTimeout: 60_000,
    forceCloseConnections: true,
    // Longer than any header may be: what is too long is refused by its schema, in our own words.
    routerOptions: { maxParamLength: 20_000 },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  // Answers are typed by their schemas at compile time; checking each again would cost half of the throughput.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  const methods = routedMethods(app);
  app.setErrorHandler((error: FastifyError, request, reply) => {
    sendProblem(request, reply, wrongMethod(request, methods) ?? problemOf(error));
  });
  app.setNotFoundHandler((request, reply) => {
    const unknown = problem('NOT_FOUND', `${request.method} ${pathOf(request)}`);
    sendProblem(request, reply, wrongMethod(request, methods) ?? unknown);
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(isDocs(pathOf(request)) ? pageHeaders : answerHeaders);
    done();
  });
  const { origins = [] } = options;
  if (origins.length > 0) await app.register(cors, { origin: [...origins], maxAge: 600 });
  await app.register(swagger, described);
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.decorateRequest('client');
  app.addHook('onRequest', async (request, reply) => {
    const path = pathOf(request);
    if (open.has(path) || isDocs(path)) return;
    // Its signature says who it is from.
    if (path.startsWith(webhookPath)) return;
    const client = await options.authenticate(request.headers);
    if ('kind' in client) return sendProblem(request, reply, client);
    request.client = client;
    const taken = await options.quota?.take(client);
    if (taken?.refused !== undefined) return sendProblem(request, reply, taken.refused);
    if (taken !== undefined) reply.headers(taken.headers);
  });
  // Coerced to a number, nothing would be 0.
  app.addHook('preValidation', (request, reply, done) => {
    const asked = Object.entries((request.query ?? {}) as Record<string, unknown>);
    const [empty] = asked.find(([, value]) => value === '') ?? [];
    if (empty === undefined) return done();
    sendProblem(request, reply, problem('INPUT_INVALID', `${empty} has no value`));
  });
  const reading = reads(options.view, options.now ?? Date.now);
  const writing = writes(options.requests, { deadlineMs: options.deadlineMs ?? 5_000 });
  app.get('/livez', { schema: { hide: true } }, async () => ({ live: true }));
  app.get('/readyz', { schema: { hide: true } }, async (_, reply) =>
    reply.code(options.view.isRestored ? 200 : 503).send({ ready: options.view.isRestored }),
  );
  app.get('/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  readRoutes(app, reading);
  writeRoutes(app, writing);
  const heartbeatMs = options.heartbeatMs ?? 15_000;
  await graphqlRoute(app, options.view, reading, writing, heartbeatMs);
  recordRoutes(app, options.records);
  await webhookRoute(app, options.webhooks);
  streamRoute(app, options.view, reading, heartbeatMs);
  await app.ready();
  return app;
}

/** What is no request yet, so that no route can answer it. */
function refuseUnread(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const codes: Readonly<Record<string, ProblemCode>> = {
    HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
    ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TOO_SLOW',
  };
  const one = problem(codes[error.code ?? ''] ?? 'INPUT_INVALID', 'it was not read whole');
  const body = JSON.stringify(problemBody(one, '/'));
  socket.end(
    `HTTP/1.1 ${statusOf(one)} Refused\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

type Methods = (path: string) => readonly string[];

/** Which methods a path takes; none when there is no such path. */
function routedMethods(app: App): Methods {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    // Two colons are one that stands for itself.
    const text = url.replaceAll('::', '\u0000').replace(/:\w+/g, '[^/]+').replaceAll('\u0000', ':');
    routes.push({ pattern: new RegExp(`^${text}$`), methods: [method].flat() });
  });
  return (path) => [
    ...new Set(routes.flatMap(({ pattern, methods }) => (pattern.test(path) ? methods : []))),
  ];
}

function wrongMethod(request: FastifyRequest, methods: Methods): Problem | undefined {
  const taken = methods(pathOf(request)).filter((method) => method !== 'OPTIONS');
  if (taken.length === 0 || taken.includes(request.method)) return undefined;
  return problem('METHOD_NOT_ALLOWED', `${request.method} is not taken here`, {
    headers: { allow: taken.join(', ') },
  });
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '';

function sendProblem(request: FastifyRequest, reply: FastifyReply, one: Problem) {
  return reply
    .code(statusOf(one))
    .headers(one.headers ?? {})
    .header('content-type', 'application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemBody(one, pathOf(request)));
}

/** What fastify refuses by itself. Faults of ours tell nothing of what is inside. */
function problemOf(error: FastifyError): Problem {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      path: instancePath,
      message,
    }));
    const [first] = errors;
    const detail = first === undefined ? error.message : `${first.path} ${first.message}`;
    return problem('INPUT_INVALID', detail.trim(), { more: { errors } });
  }
  const status = error.statusCode ?? 500;
  const codes: Readonly<Record<number, ProblemCode>> = {
    404: 'NOT_FOUND',
    413: 'BODY_TOO_LARGE',
    415: 'MEDIA_TYPE_UNKNOWN',
    429: 'RATE_LIMITED',
    503: 'NOT_READY',
  };
  const code = codes[status] ?? (status < 500 ? 'INPUT_INVALID' : 'INTERNAL');
  if (code === 'INTERNAL') process.stderr.write(`${error.stack ?? String(error)}\n`);
  return problem(code, code === 'INTERNAL' ? 'it is written to the log' : error.message);
}
