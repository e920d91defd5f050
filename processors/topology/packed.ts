/**
 * State values as compact bytes: plain objects, arrays, maps, texts, numbers, as JSON has them and maps besides.
 * A text is written once per value and then referred to; words that the codec knows beforehand are never written.
 * All writing goes through one scratch: a value is finished before the next one begins.
 */
import { bufferOf } from './buffer.ts';
import type { StateCodec } from './topology.ts';

/** The low three bits of a head say what follows; the rest is its payload. */
const tag = {
  /** Payload: place in `constants`, and from there on among the texts of this value. */
  constantOrText: 0,
  /** Payload: the number. */
  natural: 1,
  /** Payload: -number - 1. */
  negative: 2,
  /** Eight bytes follow. */
  double: 3,
  /** Payload: how many bytes follow. */
  newText: 4,
  /** Payload: place among the codec's words. */
  word: 5,
  /** Payload: how many values follow. */
  array: 6,
  /** Payload: twice the number of entries that follow, and one more for a map. */
  entries: 7,
} as const;
const constants = [null, false, true] as const;
/** Heads are exact up to 2^53, and eight times the payload. */
const payloadMax = 2 ** 50;
const asciiMax = 0x7f;
const initialBytes = 4_096;
const headBytesMax = 8;

let scratch = Buffer.allocUnsafeSlow(initialBytes);
let end = 0;
const texts = new Map<string, number>();

/**
 * A codec for values of plain data. `words` are texts that many values hold, such as the names of fields; they are part
 * of the format, so a list only grows at its end. An undefined field is left out.
 */
export function packedCodec<S>(options: {
  readonly version: number;
  readonly words: readonly string[];
  readonly migrate?: StateCodec<S>['migrate'];
}): StateCodec<S> {
  const { version, words, migrate } = options;
  const places = new Map(words.map((word, place) => [word, place]));
  return {
    version,
    encode: (value) => {
      end = 0;
      texts.clear();
      writeValue(value, places);
      const bytes = Buffer.allocUnsafe(end);
      scratch.copy(bytes, 0, 0, end);
      return bytes;
    },
    decode: (bytes) => {
      const reader = new Reader(bytes, words);
      const value = reader.value();
      if (!reader.isAtEnd()) throw new Error('the bytes hold more than one value');
      return value as S;
    },
    ...(migrate === undefined ? {} : { migrate }),
  };
}

type Places = ReadonlyMap<string, number>;

/** Comparisons in a row, the most frequent first: a switch over `typeof` makes a text of each kind before it compares. */
function writeValue(value: unknown, words: Places): void {
  if (typeof value === 'number') writeNumber(value);
  else if (typeof value === 'string') writeText(value, words);
  else if (value === null) writeHead(tag.constantOrText, 0);
  else if (typeof value === 'boolean') writeHead(tag.constantOrText, value ? 2 : 1);
  else if (typeof value !== 'object') throw new Error(`a state cannot hold a ${typeof value}`);
  else if (Array.isArray(value)) writeArray(value, words);
  else if (value instanceof Map) writeMap(value, words);
  else writeObject(value as Readonly<Record<string, unknown>>, words);
}

function writeArray(values: readonly unknown[], words: Places): void {
  const { length } = values;
  writeHead(tag.array, length);
  for (let index = 0; index < length; index += 1) writeValue(values[index], words);
}

function writeMap(map: ReadonlyMap<unknown, unknown>, words: Places): void {
  writeHead(tag.entries, 2 * map.size + 1);
  for (const [key, value] of map) {
    writeValue(key, words);
    writeValue(value, words);
  }
}

function writeObject(value: Readonly<Record<string, unknown>>, words: Places): void {
  const names = Object.keys(value);
  let count = names.length;
  for (const name of names) if (value[name] === undefined) count -= 1;
  writeHead(tag.entries, 2 * count);
  for (const name of names) {
    const field = value[name];
    if (field === undefined) continue;
    writeText(name, words);
    writeValue(field, words);
  }
}

function writeNumber(value: number): void {
  if (Number.isInteger(value) && Math.abs(value) < payloadMax && !Object.is(value, -0)) {
    if (value < 0) writeHead(tag.negative, -value - 1);
    else writeHead(tag.natural, value);
    return;
  }
  writeHead(tag.double, 0);
  reserve(8);
  end = scratch.writeDoubleLE(value, end);
}

function writeText(text: string, words: Places): void {
  const word = words.get(text);
  if (word !== undefined) {
    writeHead(tag.word, word);
    return;
  }
  const known = texts.get(text);
  if (known !== undefined) {
    writeHead(tag.constantOrText, constants.length + known);
    return;
  }
  texts.set(text, texts.size);
  const start = end;
  reserve(text.length + headBytesMax);
  writeHead(tag.newText, text.length);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > asciiMax) {
      end = start;
      writeWideText(text);
      return;
    }
    scratch[end] = code;
    end += 1;
  }
}

function writeWideText(text: string): void {
  const bytes = Buffer.byteLength(text);
  writeHead(tag.newText, bytes);
  reserve(bytes);
  end += scratch.write(text, end);
}

/** Seven bits per byte, the low ones first. */
function writeHead(kind: number, payload: number): void {
  reserve(headBytesMax);
  let rest = 8 * payload + kind;
  while (rest > 0x7fff_ffff) {
    scratch[end] = (rest % 0x80) | 0x80;
    end += 1;
    rest = Math.floor(rest / 0x80);
  }
  // What is left are 31 bits, which are shifted faster than divided.
  while (rest >= 0x80) {
    scratch[end] = (rest & 0x7f) | 0x80;
    end += 1;
    rest >>= 7;
  }
  scratch[end] = rest;
  end += 1;
}

function reserve(bytes: number): void {
  if (end + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * (end + bytes));
  scratch.copy(larger, 0, 0, end);
  scratch = larger;
}

/** Assigning this one name would change what the object inherits. */
function ownField(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function textAt(texts: readonly string[], place: number): string {
  const text = texts[place];
  if (text === undefined) throw new Error('the bytes speak of a text that is not there');
  return text;
}

class Reader {
  private readonly bytes: Buffer;
  private readonly words: readonly string[];
  private readonly texts: string[] = [];
  private at = 0;

  constructor(bytes: Uint8Array, words: readonly string[]) {
    this.bytes = bufferOf(bytes);
    this.words = words;
  }

  value(): unknown {
    const head = this.head();
    const payload = Math.floor(head / 8);
    switch (head % 8) {
      case tag.constantOrText:
        return payload < constants.length
          ? constants[payload]
          : textAt(this.texts, payload - constants.length);
      case tag.natural:
        return payload;
      case tag.negative:
        return -payload - 1;
      case tag.double:
        return this.bytes.readDoubleLE(this.step(8));
      case tag.newText:
        return this.newText(payload);
      case tag.word:
        return textAt(this.words, payload);
      case tag.array:
        return this.array(payload);
      default:
        return payload % 2 === 1 ? this.map((payload - 1) / 2) : this.object(payload / 2);
    }
  }

  isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  private array(length: number): unknown[] {
    const values: unknown[] = [];
    for (let left = length; left > 0; left -= 1) values.push(this.value());
    return values;
  }

  private map(size: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (let left = size; left > 0; left -= 1) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  private object(size: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (let left = size; left > 0; left -= 1) {
      const name = this.value() as string;
      if (name === '__proto__') ownField(object, name, this.value());
      else object[name] = this.value();
    }
    return object;
  }

  private newText(bytes: number): string {
    const from = this.step(bytes);
    const text = this.bytes.toString('utf8', from, this.at);
    this.texts.push(text);
    return text;
  }

  private head(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.bytes[this.step(1)] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  /** Moves on; returns where it was. */
  private step(bytes: number): number {
    const from = this.at;
    this.at += bytes;
    if (this.at > this.bytes.length) throw new Error('the bytes end too early');
    return from;
  }
}
