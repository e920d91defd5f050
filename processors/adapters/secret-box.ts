/** Secrets at rest: AES-256-GCM under the installation's key, so that topics and files hold none in the clear. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

export type SecretBox = {
  readonly seal: (secret: string) => string;
  /** Throws when it was sealed with another key, or changed since. */
  readonly open: (sealed: string) => string;
};

const version = 'v1';
const nonceBytes = 12;
const tagBytes = 16;
const keyLengthMin = 32;

/** `key`: the installation's, of at least 32 characters; `openssl rand -hex 32` makes one. */
export function secretBox(key: string): SecretBox {
  if (key.length < keyLengthMin) {
    throw new Error(
      `STOCKLINE_SECRET_KEY needs at least ${keyLengthMin} characters: openssl rand -hex 32`,
    );
  }
  const bytes = createHash('sha256').update(key).digest();
  return {
    seal: (secret) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', bytes, nonce);
      const hidden = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return `${version}.${Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString('base64url')}`;
    },
    open: (sealed) => {
      const [found, text] = sealed.split('.');
      if (found !== version || text === undefined) throw new Error('this is no sealed secret');
      const all = Buffer.from(text, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', bytes, all.subarray(0, nonceBytes));
      decipher.setAuthTag(all.subarray(nonceBytes, nonceBytes + tagBytes));
      try {
        const rest = all.subarray(nonceBytes + tagBytes);
        return Buffer.concat([decipher.update(rest), decipher.final()]).toString('utf8');
      } catch {
        throw new Error('a secret was sealed with another STOCKLINE_SECRET_KEY, or changed since');
      }
    },
  };
}
