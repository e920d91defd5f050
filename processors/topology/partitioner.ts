/** Which partition a key belongs to: murmur2 over UTF-8, as Kafka's Java client hashes a string key. */

const encoder = new TextEncoder();
const asciiMax = 0x7f;
const scratch = new Uint8Array(256);
const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** Kafka's murmur2, as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = seed ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word =
      byteAt(bytes, at) |
      (byteAt(bytes, at + 1) << 8) |
      (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  const left = length - at;
  if (left === 3) hash ^= byteAt(bytes, at + 2) << 16;
  if (left >= 2) hash ^= byteAt(bytes, at + 1) << 8;
  if (left >= 1) hash = Math.imul(hash ^ byteAt(bytes, at), multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

/** The partition of `text` among `partitions`: the same as a Java producer with a string key would choose. */
export function partitionOf(text: string, partitions: number): number {
  if (partitions === 1) return 0;
  return (murmur2(utf8(text)) & 0x7fffffff) % partitions;
}

/** Short ASCII, as keys are, without an encoder's detour. */
function utf8(text: string): Uint8Array {
  if (text.length > scratch.length) return encoder.encode(text);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > asciiMax) return encoder.encode(text);
    scratch[index] = code;
  }
  return scratch.subarray(0, text.length);
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
