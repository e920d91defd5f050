/** API keys: how they look, and the ring of those that are valid. Only hashes of secrets are kept anywhere. */
import { hash as digest, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from '../../schemas/types.ts';
import type { Client, Scope } from './access.ts';

const secretBytes = 32;
const idBytes = 9;
const form = /^stk_([0-9a-f]{18})_([\w-]{43})$/;

export type NewKey = Pick<ApiKey, 'name' | 'scopes' | 'requestsPerMinute'>;
export type KeyChange = { readonly actor: string; readonly reason: string; readonly atMs: number };
export type MadeKey = { readonly key: ApiKey /** Shown once. */; readonly token: string };

/**
 * A plain hash is enough: the secret is 256 random bits, not a word that somebody chose.
 * Source: OWASP Password Storage Cheat Sheet is about passwords; NIST SP 800-63B 5.1.2.2 allows it above 112 bits.
 */
export const hashOf = (secret: string): Buffer => digest('sha256', secret, 'buffer');

function newSecret(id: string): { readonly token: string; readonly hash: Buffer } {
  const secret = randomBytes(secretBytes).toString('base64url');
  return { token: `stk_${id}_${secret}`, hash: hashOf(secret) };
}

export function createKey(of: NewKey, by: KeyChange, endsAt: number | null = null): MadeKey {
  const id = randomBytes(idBytes).toString('hex');
  const { token, hash } = newSecret(id);
  const { actor, reason, atMs: changedAt } = by;
  const secrets = [{ hash, endsAt }];
  return { token, key: { ...of, id, secrets, action: 'created', actor, reason, changedAt } };
}

/** A new secret; the ones before it are taken for `overlapMs` more. */
export function rotateKey(key: ApiKey, by: KeyChange, overlapMs: number): MadeKey {
  const { token, hash } = newSecret(key.id);
  const { actor, reason, atMs: changedAt } = by;
  const lastMs = changedAt + overlapMs;
  const earlier = key.secrets
    .filter(({ endsAt }) => endsAt === null || endsAt > changedAt)
    .map((one) => ({ ...one, endsAt: Math.min(one.endsAt ?? lastMs, lastMs) }));
  const secrets = [{ hash, endsAt: null }, ...earlier];
  return { token, key: { ...key, secrets, action: 'rotated', actor, reason, changedAt } };
}

export function revokeKey(key: ApiKey, { actor, reason, atMs }: KeyChange): ApiKey {
  return { ...key, secrets: [], action: 'revoked', actor, reason, changedAt: atMs };
}

const nobody = hashOf('');

/** The keys that there are, as the newest records say. */
export class KeyRing {
  private readonly keys = new Map<string, ApiKey>();

  take(id: string, key: ApiKey | undefined): void {
    if (key === undefined) this.keys.delete(id);
    else this.keys.set(id, key);
  }

  /** Undefined when it is none, not any more, or no key at all. Takes as long for an id that does not exist. */
  clientOf(token: string, nowMs: number): Client | undefined {
    const [, id = '', secret = ''] = form.exec(token) ?? [];
    const key = this.keys.get(id);
    const given = hashOf(secret);
    const isValid = (key?.secrets ?? [{ hash: nobody, endsAt: 0 }])
      .map(
        ({ hash, endsAt }) => timingSafeEqual(given, hash) && (endsAt === null || nowMs < endsAt),
      )
      .some(Boolean);
    if (key === undefined || !isValid) return undefined;
    const { requestsPerMinute } = key;
    return {
      id,
      scopes: key.scopes as readonly Scope[],
      ...(requestsPerMinute === null ? {} : { requestsPerMinute }),
    };
  }
}

export const looksLikeKey = (token: string): boolean => token.startsWith('stk_');
