/** Rows → one block of ClickHouse's format Native, column by column: the quickest there is to write and to read. */
import type { Cell, TableRows } from '../../analytics/ports.ts';

const firstBytes = 1 << 12;
const two32 = 4_294_967_296;
/** A dictionary of its own, and no other: what ClickHouse itself writes. */
const ownDictionary = 0x600;
/** Indexes of four bytes. */
const wideIndexes = 2;
/** A dictionary begins with the version of its form. */
const dictionaryVersion = 1;

/** So many rows are taken through all columns at a time: then they are still in the processor's cache. */
const chunkRows = 256;

type Read = (item: never) => Cell;

/** A column in the making. */
type Column = {
  readonly append: (items: readonly unknown[], read: Read) => void;
  /** All of it, as a block has it. */
  readonly bytes: () => Buffer;
};

export type NativeBlock = { readonly rows: number; readonly bytes: Buffer };

/** `types` by column, as ClickHouse names them. Throws where a type is not one of ours. */
export function nativeBlock(rows: TableRows, types: ReadonlyMap<string, string>): NativeBlock {
  const columns = rows.columns.map((name, index) => {
    const type = types.get(name);
    const read = rows.read[index];
    if (type === undefined || read === undefined) {
      throw new Error(`the table ${rows.table} has no column ${name}: was it migrated?`);
    }
    return { name, type, read, column: columnOf(type) };
  });
  let count = 0;
  for (const chunk of chunks(rows.items)) {
    for (const { column, read } of columns) column.append(chunk, read);
    count += chunk.length;
  }
  const head = new Bytes();
  head.varint(columns.length);
  head.varint(count);
  const pieces = [head.filled()];
  for (const { name, type, column } of columns) {
    const title = new Bytes();
    title.text(name);
    title.text(type);
    pieces.push(title.filled(), column.bytes());
  }
  return { rows: count, bytes: Buffer.concat(pieces) };
}

function* chunks(items: Iterable<unknown>): Generator<readonly unknown[]> {
  let chunk: unknown[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < chunkRows) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function columnOf(type: string): Column {
  if (/^Decimal\((?:1[0-8]), 3\)$/.test(type) || type.startsWith('DateTime64(3')) return int64();
  const known = columns[type];
  if (known === undefined) throw new Error(`no column of type ${type} is written by analytics`);
  return known();
}

function numbers(
  width: number,
  put: (buffer: Buffer, value: number, at: number) => unknown,
): Column {
  const bytes = new Bytes();
  return {
    append: (items, read) => {
      let at = bytes.take(items.length * width);
      for (const item of items) {
        put(bytes.buffer, Number(read(item as never)), at);
        at += width;
      }
    },
    bytes: () => bytes.filled(),
  };
}

/** A safe integer in two halves: four times as quick as by way of a bigint. */
function int64(): Column {
  return numbers(8, (buffer, value, at) => {
    buffer.writeUInt32LE(value >>> 0, at);
    buffer.writeInt32LE(Math.floor(value / two32), at + 4);
  });
}

function strings(): Column {
  const bytes = new Bytes();
  return {
    append: (items, read) => {
      for (const item of items) bytes.text(read(item as never) as string);
    },
    bytes: () => bytes.filled(),
  };
}

/** Each text once, and for each row its place among them. */
function dictionary(): Column {
  const places = new Map<string, number>();
  const indexes = new Bytes();
  let last = '';
  let lastPlace = -1;
  let rows = 0;
  const placeOf = (text: string): number => {
    // Neighbours are often alike.
    if (text === last && lastPlace >= 0) return lastPlace;
    let place = places.get(text);
    if (place === undefined) {
      place = places.size;
      places.set(text, place);
    }
    last = text;
    lastPlace = place;
    return place;
  };
  return {
    append: (items, read) => {
      let at = indexes.take(items.length * 4);
      for (const item of items) {
        indexes.buffer.writeUInt32LE(placeOf(read(item as never) as string), at);
        at += 4;
      }
      rows += items.length;
    },
    bytes: () => {
      const bytes = new Bytes();
      bytes.uint64(dictionaryVersion);
      if (rows === 0) return bytes.filled();
      bytes.uint64(ownDictionary | wideIndexes);
      bytes.uint64(places.size);
      for (const text of places.keys()) bytes.text(text);
      bytes.uint64(rows);
      return Buffer.concat([bytes.filled(), indexes.filled()]);
    },
  };
}

function stringLists(): Column {
  const ends = new Bytes();
  const texts = new Bytes();
  let end = 0;
  return {
    append: (items, read) => {
      for (const item of items) {
        const list = read(item as never) as readonly string[];
        end += list.length;
        ends.uint64(end);
        for (const text of list) texts.text(text);
      }
    },
    bytes: () => Buffer.concat([ends.filled(), texts.filled()]),
  };
}

const columns: Readonly<Record<string, () => Column>> = {
  String: strings,
  'LowCardinality(String)': dictionary,
  'Array(String)': stringLists,
  Bool: () => numbers(1, (buffer, value, at) => buffer.writeUInt8(value, at)),
  UInt8: () => numbers(1, (buffer, value, at) => buffer.writeUInt8(value, at)),
  UInt16: () => numbers(2, (buffer, value, at) => buffer.writeUInt16LE(value, at)),
  UInt32: () => numbers(4, (buffer, value, at) => buffer.writeUInt32LE(value, at)),
  Int32: () => numbers(4, (buffer, value, at) => buffer.writeInt32LE(value, at)),
  Float64: () => numbers(8, (buffer, value, at) => buffer.writeDoubleLE(value, at)),
  Int64: int64,
  UInt64: int64,
};

/** Bytes that grow. */
class Bytes {
  buffer = Buffer.allocUnsafe(firstBytes);
  private length = 0;

  /** Room for so many; where it begins. */
  take(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.length, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, at);
      this.buffer = larger;
    }
    return at;
  }

  private byte(value: number): void {
    // Where it goes is known before the buffer it goes to: taking room may change that.
    const at = this.take(1);
    this.buffer[at] = value;
  }

  varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  uint64(value: number): void {
    const at = this.take(8);
    this.buffer.writeUInt32LE(value >>> 0, at);
    this.buffer.writeUInt32LE(Math.floor(value / two32), at + 4);
  }

  /** Its length and its bytes. Short plain text, as nearly all is, goes letter by letter: no call out of JavaScript. */
  text(text: string): void {
    const { length } = text;
    if (length < 64) {
      const at = this.take(length + 1);
      const { buffer } = this;
      buffer[at] = length;
      let index = 0;
      for (; index < length; index += 1) {
        const letter = text.charCodeAt(index);
        if (letter > 127) break;
        buffer[at + 1 + index] = letter;
      }
      if (index === length) return;
      this.length = at;
    }
    const count = Buffer.byteLength(text);
    this.varint(count);
    const at = this.take(count);
    this.buffer.write(text, at);
  }

  filled(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}
