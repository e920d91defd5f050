/** Folders of a test run. */
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that the database servers, which never run as root, may enter. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `stockline-${name}-`));
  chmodSync(folder, 0o711);
  return folder;
}
