/** The one key of a small installation: made at the first start, kept in a file that only its owner can read. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const keyBytes = 32;

/** The key in `file`; absent: a new one is written there, with mode 600. */
export function keyIn(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  try {
    // Whichever instance comes first writes it; the others read it.
    const key = `stk_${randomBytes(keyBytes).toString('base64url')}`;
    writeFileSync(file, `${key}\n`, { flag: 'wx', mode: 0o600 });
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFileSync(file, 'utf8').trim();
  }
}
