/** What the API answers when it does not do what was asked: RFC 9457, with codes that stay. */

/** Each code with its HTTP status and title. A code is never given another meaning. */
export const problems = {
  INPUT_INVALID: [400, 'The request is not as the API describes it'],
  CURSOR_INVALID: [400, 'This is no cursor of this list'],
  IDEMPOTENCY_KEY_MISSING: [400, 'A write needs the header Idempotency-Key'],
  UNAUTHENTICATED: [401, 'Who asks is not known'],
  SIGNATURE_INVALID: [401, 'The webhook is not signed by its source'],
  FORBIDDEN: [403, 'The client may not do this'],
  NOT_FOUND: [404, 'There is no such thing'],
  METHOD_NOT_ALLOWED: [405, 'This path does not take that method'],
  REQUEST_TOO_SLOW: [408, 'The request did not arrive in time'],
  REQUEST_IN_FLIGHT: [409, 'A request with this key is under way'],
  REFUSED: [409, 'The stock refuses the request'],
  CURSOR_EXPIRED: [410, 'So old changes are not kept: read the figures anew'],
  SEQUENCE_STALE: [412, 'The figure has changed meanwhile'],
  STALE: [412, 'The figures are older than demanded'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  MEDIA_TYPE_UNKNOWN: [415, 'Bodies are application/json'],
  IDEMPOTENCY_KEY_REUSED: [422, 'The key was used for another request'],
  PRECONDITION_MISSING: [428, 'The sequence that is expected has to be named'],
  RATE_LIMITED: [429, 'Too many requests'],
  HEADERS_TOO_LARGE: [400, 'The headers or the address are too large'],
  INTERNAL: [500, 'The API failed'],
  NOT_READY: [503, 'The figures are being restored'],
  OUTCOME_UNKNOWN: [504, 'The outcome is not known yet'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export type ProblemCode = keyof typeof problems;

export type Problem = {
  readonly kind: 'problem';
  readonly code: ProblemCode;
  readonly detail: string;
  /** The stable code of who refused, where the API only passes it on. */
  readonly reason?: string;
  /** Headers that belong to the answer, such as Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  /** More members of the body. */
  readonly more?: Readonly<Record<string, unknown>>;
};

export const problem = (
  code: ProblemCode,
  detail: string,
  rest: Omit<Problem, 'kind' | 'code' | 'detail'> = {},
): Problem => ({ kind: 'problem', code, detail, ...rest });

export function isProblem(value: unknown): value is Problem {
  return (value as { readonly kind?: unknown } | null | undefined)?.kind === 'problem';
}

export const statusOf = ({ code }: Problem): number => problems[code][0];

/** The body, as application/problem+json. `code` is the refuser's own code where there is one. */
export function problemBody(one: Problem, instance: string): Readonly<Record<string, unknown>> {
  return {
    type: `https://stockline.dev/problems/${one.code}`,
    title: problems[one.code][1],
    status: statusOf(one),
    detail: one.detail,
    instance,
    code: one.reason ?? one.code,
    ...one.more,
  };
}
