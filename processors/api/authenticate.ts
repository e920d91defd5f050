/** The ways to be recognised: the installation's own key, keys that were given out, tokens of an issuer. */
import { timingSafeEqual } from 'node:crypto';
import { type Authenticate, bearerIn, type Client, scopes, unauthenticated } from './access.ts';
import { hashOf, type KeyRing, looksLikeKey } from './keys.ts';
import { problem } from './problem.ts';
import type { ReadToken } from './token.ts';

export type Ways = {
  /** The key of whoever runs this installation; may do everything. */
  readonly localKey: string;
  readonly keys: KeyRing;
  /** All keys that there are have been read. */
  readonly isRestored: () => boolean;
  /** Absent: no tokens are taken. */
  readonly readToken?: ReadToken;
};

const local: Client = { id: 'local', scopes: [...scopes], requestsPerMinute: null };
const tokenLengthMax = 8_000;

export function authenticateBy(ways: Ways): Authenticate {
  const expected = hashOf(ways.localKey);
  return async ({ authorization }) => {
    const token = bearerIn(authorization);
    if (token === undefined || token.length > tokenLengthMax) return unauthenticated();
    if (timingSafeEqual(hashOf(token), expected)) return local;
    if (looksLikeKey(token)) {
      const client = ways.keys.clientOf(token, Date.now());
      if (client !== undefined) return client;
      return ways.isRestored() ? unauthenticated() : problem('NOT_READY', 'keys are being read');
    }
    if (ways.readToken === undefined) return unauthenticated();
    try {
      return (await ways.readToken(token, new Date())) ?? unauthenticated();
    } catch {
      return problem('NOT_READY', 'the keys of the issuer of tokens cannot be had now', {
        headers: { 'retry-after': '5' },
      });
    }
  };
}
