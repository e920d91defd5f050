/** What delivery knows of each destination, on this machine's disk: lmdb, one entry per SKU and destination. */
import { mkdirSync } from 'node:fs';
import { open } from 'lmdb';
import type { DeliveryStore } from '../delivery/ports.ts';

/** Between the destination and the key; no id of a destination holds it. */
const separator = '\u0000';

export type OpenedStore = DeliveryStore & { readonly close: () => Promise<void> };

export function deliveryStore(folder: string): OpenedStore {
  mkdirSync(folder, { recursive: true });
  const database = open<string, string>({ path: folder, encoding: 'string', noSubdir: false });
  const rangeOf = (destination: string) => ({
    start: `${destination}${separator}`,
    end: `${destination}\u0001`,
    snapshot: true,
  });
  return {
    kept: (destination) => {
      const kept = new Map<string, string>();
      for (const { key, value } of database.getRange(rangeOf(destination))) {
        kept.set(key.slice(destination.length + 1), value);
      }
      return kept;
    },
    write: async (changes) => {
      await database.transaction(() => {
        for (const { destination, key, value } of changes) {
          const whole = `${destination}${separator}${key}`;
          if (value === undefined) database.remove(whole);
          else database.put(whole, value);
        }
      });
      await database.flushed;
    },
    forget: async (destination) => {
      await database.transaction(() => {
        for (const key of database.getKeys(rangeOf(destination))) database.remove(key);
      });
    },
    close: () => database.close(),
  };
}
