/** The folder of one run, of the stack and the processors that it starts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Removed after `run`; kept, and told, when that fails, since its logs say more than the error does. */
export async function inWorkingFolder<Result>(
  run: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'stockline-stress-'));
  try {
    const result = await run(folder);
    rmSync(folder, { recursive: true, force: true });
    return result;
  } catch (error) {
    process.stderr.write(`failed; logs and data are kept in ${folder}\n`);
    throw error;
  }
}
