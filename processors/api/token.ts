/** OAuth 2.0 access tokens: JWT (RFC 9068, RFC 8725), checked by the issuer's published keys. */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type Client, clientId, scope } from './access.ts';

export type TokenRules = {
  readonly issuer: string;
  readonly audience: string;
  /** Pinned: whatever a token says of itself. Only asymmetric ones make sense here. */
  readonly algorithms: readonly string[];
};

/** Undefined: not valid, whatever the reason. Throws when the issuer's keys cannot be had. */
export type ReadToken = (token: string, now: Date) => Promise<Client | undefined>;

export const tokenAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;
const clockToleranceSeconds = 5;

export const issuerKeys = (url: string): JWTVerifyGetKey =>
  createRemoteJWKSet(new URL(url), { timeoutDuration: 3_000, cooldownDuration: 10_000 });

/** The client is `sub`; its scopes are those words of `scope` that are ours: an issuer's other words grant nothing. */
export function tokenReader(keys: JWTVerifyGetKey, rules: TokenRules): ReadToken {
  const { issuer, audience, algorithms } = rules;
  return async (token, now) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['exp', 'sub'],
        clockTolerance: clockToleranceSeconds,
        currentDate: now,
      });
      // Apart from the keys' ids, which are hexadecimal: no token names the client of a key.
      const id = clientId.safeParse(`jwt:${payload.sub}`);
      if (!id.success) return undefined;
      const words = typeof payload.scope === 'string' ? payload.scope.split(' ') : [];
      const ours = words.flatMap((word) => {
        const parsed = scope.safeParse(word);
        return parsed.success ? [parsed.data] : [];
      });
      return { id: id.data, scopes: ours };
    } catch (error) {
      if (isUnreachable(error)) throw error;
      return undefined;
    }
  };
}

/** What is no fault of the token: its issuer does not answer, or not with keys. */
const unreachable = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

function isUnreachable(error: unknown): boolean {
  return !(error instanceof errors.JOSEError) || unreachable.has(error.code);
}
