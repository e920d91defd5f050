/** The folder of one run, of the stack and the processors that it starts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Resolves with the exit code of `run`. The folder is removed then; where `run` fails, or finds what must not be, it is kept
 * and told, since the logs in it say more than the result does.
 */
export async function inWorkingFolder(run: (folder: string) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'stockline-stress-'));
  let code = 1;
  try {
    code = await run(folder);
    return code;
  } finally {
    if (code === 0) rmSync(folder, { recursive: true, force: true });
    else process.stderr.write(`logs and data are kept in ${folder}\n`);
  }
}
