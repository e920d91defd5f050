/**
 * Compact bytes for state codecs: variable-length integers, and words that are written once per value and then
 * referred to. Writing goes through one scratch that all codecs share, so a codec finishes before another begins.
 */

const initialBytes = 4_096;
const asciiMax = 0x7f;
/** Integers up to here are exact when doubled for their sign. */
const zigzagMax = 2 ** 52;

let scratch = Buffer.allocUnsafeSlow(initialBytes);
let end = 0;
const words = new Map<string, number>();

function reserve(bytes: number): void {
  if (end + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * (end + bytes));
  scratch.copy(larger, 0, 0, end);
  scratch = larger;
}

function writeUnsigned(value: number): void {
  reserve(8);
  let rest = value;
  while (rest >= 0x80) {
    scratch[end] = (rest % 0x80) | 0x80;
    end += 1;
    rest = Math.floor(rest / 0x80);
  }
  scratch[end] = rest;
  end += 1;
}

/** Writes the characters, after a head made from their number of bytes. */
function writeCharacters(text: string, head: (bytes: number) => number): void {
  const { length } = text;
  reserve(length + 8);
  const start = end;
  writeUnsigned(head(length));
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > asciiMax) {
      end = start;
      const bytes = Buffer.byteLength(text);
      reserve(bytes + 8);
      writeUnsigned(head(bytes));
      end += scratch.write(text, end);
      return;
    }
    scratch[end] = code;
    end += 1;
  }
}

const itself = (bytes: number): number => bytes;
const asNewWord = (bytes: number): number => 2 * bytes;

export type PackedWriter = {
  /** A whole number from 0 on. */
  readonly unsigned: (value: number) => void;
  readonly flag: (value: boolean) => void;
  /** Any number. */
  readonly number: (value: number) => void;
  readonly text: (value: string) => void;
  /** Text that probably comes again within the value. */
  readonly word: (value: string) => void;
};

const writer: PackedWriter = {
  unsigned: writeUnsigned,
  flag: (value) => writeUnsigned(value ? 1 : 0),
  number: (value) => {
    // 0 announces eight bytes of floating point; every other head is a whole number plus one.
    if (Number.isSafeInteger(value) && Math.abs(value) < zigzagMax && !Object.is(value, -0)) {
      writeUnsigned(1 + (value < 0 ? -2 * value - 1 : 2 * value));
      return;
    }
    writeUnsigned(0);
    reserve(8);
    end = scratch.writeDoubleLE(value, end);
  },
  text: (value) => writeCharacters(value, itself),
  word: (value) => {
    const known = words.get(value);
    if (known !== undefined) {
      writeUnsigned(2 * known + 1);
      return;
    }
    words.set(value, words.size);
    writeCharacters(value, asNewWord);
  },
};

/** The bytes of what `write` writes. */
export function packed(write: (to: PackedWriter) => void): Uint8Array {
  end = 0;
  words.clear();
  write(writer);
  const bytes = Buffer.allocUnsafe(end);
  scratch.copy(bytes, 0, 0, end);
  return bytes;
}

/** Reads in the order in which it was written; throws where the bytes end too early. */
export class PackedReader {
  private readonly bytes: Buffer;
  private readonly words: string[] = [];
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  unsigned(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw new Error('the bytes end too early');
      this.at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  flag(): boolean {
    return this.unsigned() !== 0;
  }

  number(): number {
    const head = this.unsigned();
    if (head === 0) {
      const value = this.bytes.readDoubleLE(this.at);
      this.at += 8;
      return value;
    }
    const zigzag = head - 1;
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  text(): string {
    return this.characters(this.unsigned());
  }

  word(): string {
    const head = this.unsigned();
    if (head % 2 === 1) {
      const known = this.words[(head - 1) / 2];
      if (known === undefined) throw new Error('the bytes refer to a word that is not there');
      return known;
    }
    const word = this.characters(head / 2);
    this.words.push(word);
    return word;
  }

  /** Has everything been read? */
  isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  private characters(bytes: number): string {
    const from = this.at;
    this.at += bytes;
    if (this.at > this.bytes.length) throw new Error('the bytes end too early');
    return this.bytes.toString('utf8', from, this.at);
  }
}
