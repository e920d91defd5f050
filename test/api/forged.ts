/** What attackers send instead of a key or a token, and the issuer that the real tokens are of. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';

export const localKey = 'stk_the-key-of-whoever-runs-it-0123456789';
export const issuer = 'https://login.example';
export const audience = 'stockline';
export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
export const claims = (): JWTPayload => ({
  iss: issuer,
  aud: audience,
  sub: 'till-7',
  exp: nowSeconds() + 600,
  scope: 'openid stock:read',
});
export const signed = (
  payload: JWTPayload,
  header = { alg: 'RS256', kid: 'r1' },
  key = rsa.privateKey,
) => new SignJWT(payload).setProtectedHeader(header).sign(key);
const coded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Put together by hand: what no honest library would make. */
function forged(header: object, payload: object, signature: (text: string) => Buffer): string {
  const text = `${coded(header)}.${coded(payload)}`;
  return `${text}.${signature(text).toString('base64url')}`;
}

type Attack = readonly [name: string, authorization: () => Promise<string | undefined> | string];

const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
const without = (name: keyof JWTPayload): JWTPayload => {
  const { [name]: _gone, ...rest } = claims();
  return rest;
};
const bearer = async (token: Promise<string> | string): Promise<string> => `Bearer ${await token}`;

export const tokenAttacks: readonly Attack[] = [
  ['alg none', () => `Bearer ${forged({ alg: 'none' }, claims(), () => Buffer.alloc(0))}`],
  ['alg None', () => `Bearer ${forged({ alg: 'None' }, claims(), () => Buffer.alloc(0))}`],
  [
    'alg none, kid of a key',
    () => `Bearer ${coded({ alg: 'none', kid: 'r1' })}.${coded(claims())}.`,
  ],
  [
    'no signature',
    async () => `Bearer ${(await signed(claims())).split('.').slice(0, 2).join('.')}.`,
  ],
  [
    'HS256 with the public key as secret',
    () =>
      `Bearer ${forged({ alg: 'HS256', kid: 'r1' }, claims(), (text) =>
        createHmac('sha256', publicPem).update(text).digest(),
      )}`,
  ],
  [
    'HS512 with an empty secret',
    () =>
      `Bearer ${forged({ alg: 'HS512', kid: 'r1' }, claims(), (text) =>
        createHmac('sha512', '').update(text).digest(),
      )}`,
  ],
  ['a key of somebody else', () => bearer(signed(claims(), undefined, otherRsa.privateKey))],
  ['an algorithm that is not pinned', () => bearer(signed(claims(), { alg: 'RS512', kid: 'r1' }))],
  ['a key id that is not published', () => bearer(signed(claims(), { alg: 'RS256', kid: 'r9' }))],
  [
    'a key id that is a path',
    () =>
      `Bearer ${forged({ alg: 'RS256', kid: '../../etc/passwd' }, claims(), (text) =>
        sign('sha256', Buffer.from(text), otherRsa.privateKey),
      )}`,
  ],
  [
    'its own key in the header',
    async () =>
      `Bearer ${forged(
        { alg: 'RS256', jwk: await exportJWK(otherRsa.publicKey) },
        claims(),
        (text) => sign('sha256', Buffer.from(text), otherRsa.privateKey),
      )}`,
  ],
  [
    'its own address of keys in the header',
    () =>
      `Bearer ${forged({ alg: 'RS256', kid: 'r1', jku: 'http://127.0.0.1:1/' }, claims(), (text) =>
        sign('sha256', Buffer.from(text), otherRsa.privateKey),
      )}`,
  ],
  [
    'a critical header that nobody knows',
    () =>
      `Bearer ${forged({ alg: 'RS256', kid: 'r1', crit: ['x'], x: 1 }, claims(), (text) =>
        sign('sha256', Buffer.from(text), rsa.privateKey),
      )}`,
  ],
  [
    'an RSA signature under the curve key',
    () =>
      `Bearer ${forged({ alg: 'ES256', kid: 'e1' }, claims(), (text) =>
        sign('sha256', Buffer.from(text), rsa.privateKey),
      )}`,
  ],
  [
    'an all-zero curve signature (CVE-2022-21449)',
    () => `Bearer ${forged({ alg: 'ES256', kid: 'e1' }, claims(), () => Buffer.alloc(64))}`,
  ],
  ['expired', () => bearer(signed({ ...claims(), exp: nowSeconds() - 60 }))],
  ['without an end', () => bearer(signed(without('exp')))],
  ['not valid yet', () => bearer(signed({ ...claims(), nbf: nowSeconds() + 600 }))],
  ['for another audience', () => bearer(signed({ ...claims(), aud: 'payroll' }))],
  ['for no audience', () => bearer(signed(without('aud')))],
  ['of another issuer', () => bearer(signed({ ...claims(), iss: 'https://evil.example' }))],
  ['of an issuer that begins alike', () => bearer(signed({ ...claims(), iss: `${issuer}.evil` }))],
  ['without a subject', () => bearer(signed(without('sub')))],
  ['a subject that reaches into another client', () => bearer(signed({ ...claims(), sub: 'a|b' }))],
  ['a subject with a line break', () => bearer(signed({ ...claims(), sub: 'a\nb' }))],
  [
    'a payload that was changed',
    async () => {
      const [head, , signature] = (await signed(claims())).split('.');
      return `Bearer ${head}.${coded({ ...claims(), sub: 'root' })}.${signature}`;
    },
  ],
  ['a megabyte', () => `Bearer ${'a.'.repeat(4_500)}`],
];

export const keyAttacks: readonly Attack[] = [
  ['nothing', () => undefined as unknown as string],
  ['an empty key', () => 'Bearer '],
  ['another scheme', () => `Basic ${Buffer.from(`local:${localKey}`).toString('base64')}`],
  ['the key without its scheme', () => localKey],
  ['a prefix of the key', () => `Bearer ${localKey.slice(0, -1)}`],
  ['the key and more', () => `Bearer ${localKey}0`],
  ['the key in other letters', () => `Bearer ${localKey.toUpperCase()}`],
  ['two keys', () => `Bearer x, Bearer ${localKey}`],
  ['an id that does not exist', () => `Bearer stk_${'0'.repeat(18)}_${'A'.repeat(43)}`],
  ['a pattern', () => 'Bearer stk_%_%'],
  ['a word of SQL', () => "Bearer ' OR 1=1 --"],
  ['a name that every object has', () => 'Bearer __proto__'],
  ['a null byte', () => `Bearer ${localKey}\u0000`],
];
