/** What an HTTP answer of a marketplace means for what was asked, where all marketplaces mean the same. */
import type { Answer } from '../../delivery/calls.ts';
import { type OutgoingAnswer, retryAfterMs } from '../outgoing-http.ts';

export type Answered = Extract<OutgoingAnswer, { readonly kind: 'answered' }>;

/** Undefined: it was taken, and its body says the rest. */
export function troubleOf(
  answer: OutgoingAnswer,
  nowMs: number,
): Exclude<Answer, { kind: 'done' }> | undefined {
  if (answer.kind === 'unsent') return { kind: 'failed', status: 0, reason: answer.reason };
  if (answer.kind === 'unanswered') return { kind: 'unknown', status: 0, reason: answer.reason };
  const { status } = answer;
  if (status < 300) return undefined;
  const asked = retryAfterMs(answer.headers, nowMs);
  const wait = asked === undefined ? {} : { retryAfterMs: asked };
  const reason = `${status}: ${answer.body.slice(0, 300)}`;
  if (status === 429) return { kind: 'throttled', status, ...wait };
  // Not taken: too busy, or who we are is not known (any more).
  if ([401, 403, 408, 425, 503].includes(status))
    return { kind: 'failed', status, reason, ...wait };
  // Something broke while it was being done, or behind a gateway.
  if (status >= 500) return { kind: 'unknown', status, reason };
  return { kind: 'refused', status, reason };
}

/** The body as JSON; undefined when it is none. */
export function jsonOf(answer: Answered): unknown {
  try {
    return JSON.parse(answer.body) as unknown;
  } catch {
    return undefined;
  }
}

/** A property of what may be an object. */
export function at(plain: unknown, ...path: readonly (string | number)[]): unknown {
  let value = plain;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

export const listAt = (
  plain: unknown,
  ...path: readonly (string | number)[]
): readonly unknown[] => {
  const value = at(plain, ...path);
  return Array.isArray(value) ? value : [];
};
