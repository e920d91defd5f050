/**
 * The changelog's own record of where its inputs stand. It is written with every transaction, so that the changelog
 * alone proves which inputs its state contains.
 */
import type { Checkpoint } from './ports.ts';

/** State keys never begin with this character. */
export const reservedStart = '\u0000';
export const checkpointKey = `${reservedStart}checkpoint`;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const offsets = [...checkpoint.offsets].map(([topic, offset]) => [topic, String(offset)]);
  return encoder.encode(JSON.stringify({ lineage: checkpoint.lineage, offsets }));
}

export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const plain = JSON.parse(decoder.decode(bytes)) as {
    readonly lineage: string;
    readonly offsets: readonly (readonly [string, string])[];
  };
  return {
    lineage: plain.lineage,
    offsets: new Map(plain.offsets.map(([topic, offset]) => [topic, BigInt(offset)])),
  };
}

/** Undefined when both stand at the same place of the same history, else how they differ. */
export function difference(
  one: ReadonlyMap<string, bigint>,
  other: ReadonlyMap<string, bigint>,
): string | undefined {
  for (const topic of new Set([...one.keys(), ...other.keys()])) {
    const left = one.get(topic) ?? 0n;
    const right = other.get(topic) ?? 0n;
    if (left !== right) return `${topic}: ${left} and ${right}`;
  }
  return undefined;
}
