/** Writes are requests to the single writer; the API waits for what came of them, and tells the truth when it does not know. */
import type { Outcome, Request } from '../../schemas/types.ts';
import { fingerprintOf } from '../domain/hash.ts';
import { emptyRequest, requestKey } from '../topics.ts';
import { outcomeOf } from './answers.ts';
import { type Problem, type ProblemCode, problem } from './problem.ts';

/** How requests get to the writer and outcomes back: Kafka, or a test. */
export type RequestPort = {
  /** Resolves when the request is durable. */
  readonly write: (request: Request) => Promise<void>;
  /** Calls `listener` with each outcome, also with those of other instances' requests. */
  readonly onOutcome: (listener: (outcome: Outcome) => void) => void;
};

export type Asked = Pick<Request, 'kind' | 'lines'> & Partial<Request>;

type Waiting = {
  readonly fingerprint: string;
  readonly told: (outcome: Outcome) => void;
};

/** What is told again without asking: the last outcomes, of every instance. */
const outcomesKept = 100_000;

export type Writes = ReturnType<typeof writes>;

export function writes(port: RequestPort, options: { readonly deadlineMs: number }) {
  const waiting = new Map<string, Waiting>();
  const known = new Map<string, Outcome>();
  port.onOutcome((outcome) => {
    const key = requestKey(outcome.client, outcome.idempotencyKey);
    if (outcome.code !== 'IDEMPOTENCY_KEY_REUSED') {
      known.delete(key);
      known.set(key, outcome);
      const [oldest] = known.size > outcomesKept ? known.keys() : [];
      if (oldest !== undefined) known.delete(oldest);
    }
    const one = waiting.get(key);
    // The refusal of another request with this key is for whoever asked that.
    if (outcome.code === 'IDEMPOTENCY_KEY_REUSED' && outcome.request !== one?.fingerprint) return;
    one?.told(outcome);
  });

  const outcomeWithin = async (key: string, request: Request): Promise<Outcome | undefined> => {
    let timer: NodeJS.Timeout | undefined;
    const told = new Promise<Outcome | undefined>((resolve) => {
      waiting.set(key, { fingerprint: fingerprintOf(request), told: resolve });
      timer = setTimeout(() => resolve(undefined), options.deadlineMs);
    });
    try {
      // A broker that does not answer must not keep the client beyond the deadline either.
      const written = port.write(request).then(() => told);
      return await Promise.race([told, written]);
    } finally {
      clearTimeout(timer);
      waiting.delete(key);
    }
  };

  return {
    /** The outcome when accepted, else the problem. Asked again with the same key and body: the same answer. */
    async ask(client: string, idempotencyKey: string, asked: Asked) {
      const request = requestOf(client, idempotencyKey, asked);
      const key = requestKey(client, idempotencyKey);
      const fingerprint = fingerprintOf(request);
      const open = waiting.get(key);
      if (open !== undefined) {
        return open.fingerprint === fingerprint
          ? problem('REQUEST_IN_FLIGHT', `ask again, or GET ${requestPath(idempotencyKey)}`)
          : reused(idempotencyKey);
      }
      const before = known.get(key);
      const outcome = before ?? (await outcomeWithin(key, request).catch(() => undefined));
      if (outcome === undefined) {
        return problem(
          'OUTCOME_UNKNOWN',
          `nothing was heard within ${options.deadlineMs} ms; it may still be done: ask again with the same key ` +
            `and body, or GET ${requestPath(idempotencyKey)}`,
          { more: { key: idempotencyKey, outcome: requestPath(idempotencyKey) } },
        );
      }
      if (outcome.request !== fingerprint) return reused(idempotencyKey);
      return outcome.accepted ? outcomeOf(outcome) : refusedBy(outcome);
    },

    /** What came of an earlier request of this client. */
    outcome(client: string, idempotencyKey: string) {
      const key = requestKey(client, idempotencyKey);
      const outcome = known.get(key);
      if (outcome !== undefined) return outcomeOf(outcome);
      return waiting.has(key)
        ? problem('REQUEST_IN_FLIGHT', 'the request is under way', {
            headers: { 'retry-after': '1' },
          })
        : problem('NOT_FOUND', `no outcome of key ${idempotencyKey} is known here`);
    },
  };
}

const requestPath = (key: string): string => `/v1/requests/${encodeURIComponent(key)}`;
const reused = (key: string): Problem =>
  problem('IDEMPOTENCY_KEY_REUSED', `key ${key} was used for another request: take a new one`);

function requestOf(client: string, idempotencyKey: string, asked: Asked): Request {
  const plain = emptyRequest(client, idempotencyKey);
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return {
    ...plain,
    ...Object.fromEntries(given),
    ...{ client, idempotencyKey, actor: client, askedBy: null },
    lines: asked.lines.map(({ sku, location, quantity }) => ({ sku, location, quantity })),
    // Not the time of this attempt: another attempt is the same request.
    occurredAt: asked.occurredAt ?? plain.occurredAt,
  };
}

function refusedBy(outcome: Outcome): Problem {
  const { code, reason } = outcome;
  return problem(refusalCode(code), reason, {
    reason: code,
    more: { outcome: outcomeOf(outcome) },
  });
}

function refusalCode(code: string): ProblemCode {
  switch (code) {
    case 'RESERVATION_UNKNOWN':
      return 'NOT_FOUND';
    case 'SEQUENCE_STALE':
    case 'CHANGE_FROM_QUANTITY_STALE':
      return 'SEQUENCE_STALE';
    case 'EXPECTATION_MISSING':
      return 'PRECONDITION_MISSING';
    default:
      return 'REFUSED';
  }
}
