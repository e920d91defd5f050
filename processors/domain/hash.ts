/** A 128-bit hash of text for ids: four rounds of a 32-bit multiply-xor mix with different seeds. Not for security. */
export function hashText(text: string): string {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  let c = 0xc2b2ae35;
  let d = 0x27d4eb2f;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x85ebca77) + a;
    c = Math.imul(c ^ code, 0xc2b2ae3d) + b;
    d = Math.imul(d ^ code, 0x27d4eb2f) + c;
    a ^= d >>> 15;
  }
  return hex(mix(a)) + hex(mix(b)) + hex(mix(c)) + hex(mix(d));
}

const byteDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(word: number): string {
  return (
    (byteDigits[word >>> 24] as string) +
    byteDigits[(word >>> 16) & 0xff] +
    byteDigits[(word >>> 8) & 0xff] +
    byteDigits[word & 0xff]
  );
}

function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Of plain data in the order of its members: who repeats a request has the same one. */
export const fingerprintOf = (plain: object): string => hashText(JSON.stringify(plain));
