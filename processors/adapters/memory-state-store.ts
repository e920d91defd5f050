/** A state store without a disk: for tests, and for states that are cheaper to restore than to keep. */
import type { StateStore, StoredCheckpoint } from '../runtime/ports.ts';

export function memoryStateStore(): StateStore {
  const values = new Map<string, Uint8Array>();
  let checkpoint: StoredCheckpoint | undefined;
  return {
    checkpoint: () => checkpoint,
    get: (key) => values.get(key),
    write: (entries, next) => {
      for (const [key, value] of entries) {
        if (value === undefined) values.delete(key);
        else values.set(key, value);
      }
      checkpoint = next;
    },
    entries: () => values.entries(),
    keys: (beginning) => [...values.keys()].filter((key) => key.startsWith(beginning)),
    clear: () => {
      values.clear();
      checkpoint = undefined;
    },
    close: async () => {},
  };
}
