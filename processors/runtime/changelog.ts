/** Reads the changelog back: state changes and checkpoints, in order. */
import { checkpointKey, decodeCheckpoint } from './checkpoint.ts';
import type { Checkpoint, RawRecord } from './ports.ts';

export type ChangelogEntry =
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'change'; readonly key: string; readonly bytes: Uint8Array | undefined };

const decoder = new TextDecoder();

export function readChangelog(record: Pick<RawRecord, 'key' | 'value'>): ChangelogEntry {
  if (record.key === undefined) throw new Error('a changelog record without key');
  const key = decoder.decode(record.key);
  if (key !== checkpointKey) return { kind: 'change', key, bytes: record.value };
  if (record.value === undefined) throw new Error('a changelog checkpoint without value');
  return { kind: 'checkpoint', checkpoint: decodeCheckpoint(record.value) };
}
