/**
 * HTTP calls to the outside: no redirect is followed, no proxy is used, answers are cut at a size, and the address that is
 * connected to is the very one that was judged, so a name that resolves otherwise a moment later changes nothing. undici.
 */
import { lookup } from 'node:dns/promises';
import { Agent, buildConnector, request } from 'undici';
import { type AddressRules, addressFault, literalAddress, urlFault } from './address-guard.ts';

export type OutgoingRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** How the bytes of the answer become its text; absent: they are its text. */
  readonly decode?: (bytes: Buffer) => Buffer;
};

export type OutgoingAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** Certainly not sent. */
  | { readonly kind: 'unsent'; readonly reason: string }
  /** Sent, at least in part, and not answered. */
  | { readonly kind: 'unanswered'; readonly reason: string };

export type OutgoingHttp = {
  readonly send: (outgoing: OutgoingRequest) => Promise<OutgoingAnswer>;
  readonly close: () => Promise<void>;
};

export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Larger answers are cut: what matters is in the beginning. */
const answerBytesMax = 4_000_000;
const connectTimeoutMs = 5_000;

class NotAllowed extends Error {}

const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

/** `rules` undefined: destinations that the installation itself names, which may be anywhere. */
export function outgoingHttp(options: {
  readonly rules?: AddressRules;
  readonly resolve?: Resolve;
  readonly connections?: number;
}): OutgoingHttp {
  const agent = new Agent({
    connect: judgedConnector(options.rules, options.resolve ?? systemResolve),
    connections: options.connections ?? 32,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    maxHeaderSize: 16_384,
  });
  return {
    send: (outgoing) => send(agent, outgoing, options.rules),
    close: () => agent.destroy(),
  };
}

/** Looks the name up once, judges every address, and connects to the first of those. */
function judgedConnector(
  rules: AddressRules | undefined,
  resolve: Resolve,
): buildConnector.connector {
  const connect = buildConnector({ timeout: connectTimeoutMs });
  return (options, callback) => {
    const { hostname } = options;
    judged(hostname, options.protocol === 'http:', rules, resolve).then(
      (address) => {
        const servername = literalAddress(hostname) === undefined ? hostname : '';
        connect(
          { ...options, hostname: address, servername: options.servername ?? servername },
          callback,
        );
      },
      (error: unknown) => callback(error as Error, null),
    );
  };
}

async function judged(
  hostname: string,
  isHttp: boolean,
  rules: AddressRules | undefined,
  resolve: Resolve,
): Promise<string> {
  const literal = literalAddress(hostname);
  const addresses = literal === undefined ? await resolve(hostname) : [literal];
  const first = addresses[0];
  if (first === undefined) throw new NotAllowed(`${hostname} has no address`);
  for (const address of rules === undefined ? [] : addresses) {
    const fault = addressFault(address, rules as AddressRules, isHttp);
    if (fault !== undefined) throw new NotAllowed(fault);
  }
  return first;
}

const notSentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

async function send(
  agent: Agent,
  { method, url, headers, body, timeoutMs, decode }: OutgoingRequest,
  rules: AddressRules | undefined,
): Promise<OutgoingAnswer> {
  const fault = rules === undefined ? undefined : urlFault(url, rules);
  if (fault !== undefined) return { kind: 'unsent', reason: `not allowed: ${fault}` };
  try {
    const answer = await request(url, {
      dispatcher: agent,
      method,
      headers: { 'user-agent': 'stockline', ...headers },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const told: Record<string, string> = {};
    for (const [name, value] of Object.entries(answer.headers)) told[name] = String(value);
    return {
      kind: 'answered',
      status: answer.statusCode,
      headers: told,
      body: await textOf(answer.body, decode),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof NotAllowed) return { kind: 'unsent', reason: `not allowed: ${reason}` };
    const code = String((error as { readonly code?: unknown }).code ?? '');
    return { kind: notSentCodes.has(code) ? 'unsent' : 'unanswered', reason };
  }
}

async function textOf(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  decode: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.length;
    if (bytes > answerBytesMax) {
      body.destroy();
      break;
    }
  }
  return decode(Buffer.concat(parts)).toString('utf8');
}

/** `Retry-After` in seconds or as a date; undefined when it is not there or says nothing. */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
