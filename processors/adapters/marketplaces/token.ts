/** An access token by OAuth's refresh token, as Amazon and eBay hand them out; renewed a little before its end. */

import type { OutgoingHttp } from '../outgoing-http.ts';
import { at, jsonOf } from './answer.ts';

export type TokenAccess = {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
};

export type TokenSource = {
  /** Rejects with a sentence that holds no secret. */
  readonly get: () => Promise<string>;
  /** The one that was given is not believed: the next one is a new one. */
  readonly drop: () => void;
};

const timeoutMs = 15_000;
const earlyMs = 60_000;

export function refreshedToken(
  http: OutgoingHttp,
  access: TokenAccess,
  how: { readonly basic: boolean },
): TokenSource {
  let known: { readonly token: string; readonly untilMs: number } | undefined;
  let asking: Promise<string> | undefined;

  const ask = async (): Promise<string> => {
    const fields = { grant_type: 'refresh_token', refresh_token: access.refreshToken };
    const own = { client_id: access.clientId, client_secret: access.clientSecret };
    const basic = Buffer.from(`${access.clientId}:${access.clientSecret}`).toString('base64');
    const answer = await http.send({
      method: 'POST',
      url: access.tokenUrl,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(how.basic ? { authorization: `Basic ${basic}` } : {}),
      },
      body: new URLSearchParams(how.basic ? fields : { ...fields, ...own }).toString(),
      timeoutMs,
    });
    if (answer.kind !== 'answered') throw new Error(`no access token: ${answer.reason}`);
    const plain = jsonOf(answer);
    const token = at(plain, 'access_token');
    if (answer.status !== 200 || typeof token !== 'string') {
      throw new Error(`no access token: ${answer.status} ${String(at(plain, 'error') ?? '')}`);
    }
    const seconds = Number(at(plain, 'expires_in') ?? 600);
    known = { token, untilMs: Date.now() + seconds * 1000 - earlyMs };
    return token;
  };
  return {
    get: async () => {
      if (known !== undefined && Date.now() < known.untilMs) return known.token;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    drop: () => {
      known = undefined;
    },
  };
}
