/** Who may ask: user and key as ClickHouse's clients send them. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Refusal } from './question.ts';

export type Access = { readonly user: string; readonly key: string };

/** Undefined: let in. Without `access` everybody on this machine is. */
export function refusedAccess(
  headers: IncomingHttpHeaders,
  search: URLSearchParams,
  access: Access | undefined,
): Refusal | undefined {
  if (access === undefined) return undefined;
  const told = toldAccess(headers, search);
  // Both are compared, so that the time tells nothing.
  const isUser = same(told.user, access.user);
  const isKey = same(told.key, access.key);
  if (isUser && isKey) return undefined;
  return {
    code: 516,
    name: 'AUTHENTICATION_FAILED',
    sentence:
      `${told.user}: Authentication failed: password is incorrect, ` +
      'or there is no user with that name.',
  };
}

function toldAccess(headers: IncomingHttpHeaders, search: URLSearchParams): Access {
  const ownUser = headers['x-clickhouse-user'];
  if (ownUser !== undefined) {
    return { user: String(ownUser), key: String(headers['x-clickhouse-key'] ?? '') };
  }
  const basic = /^basic\s+(.+)$/i.exec(headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const [user = '', ...key] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    return { user, key: key.join(':') };
  }
  return { user: search.get('user') ?? 'default', key: search.get('password') ?? '' };
}

function same(one: string, other: string): boolean {
  const [told, known] = [Buffer.from(one), Buffer.from(other)];
  const isEqual = timingSafeEqual(told.length === known.length ? told : known, known);
  return isEqual && told.length === known.length;
}
