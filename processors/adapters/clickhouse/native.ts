/**
 * Format Native as a client of some protocol version reads it. The engine in this process writes it for version 0:
 * a newer client expects some bytes before each block and one more after each column's type.
 */

/** Since then a column says whether it is stored in a special way. */
const customSerializationVersion = 54_454;
/** No overflow rows, no bucket: the same before every block of a whole result. */
const blockInfo = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);
const ordinary = Buffer.from([0]);

export class UnknownNativeType extends Error {}

/** The same result for a client of that version. */
export function nativeForVersion(native: Buffer, version: number): Buffer {
  if (version === 0) return native;
  const cursor = new Cursor(native);
  const pieces: Buffer[] = [];
  while (!cursor.isAtEnd()) {
    pieces.push(blockInfo);
    const start = cursor.at;
    const columns = cursor.varint();
    const rows = cursor.varint();
    pieces.push(native.subarray(start, cursor.at));
    for (let column = 0; column < columns; column += 1) {
      const begin = cursor.at;
      cursor.text();
      const type = cursor.text();
      pieces.push(native.subarray(begin, cursor.at));
      if (version >= customSerializationVersion) pieces.push(ordinary);
      const data = cursor.at;
      skipColumn(cursor, parseType(type), rows);
      pieces.push(native.subarray(data, cursor.at));
    }
  }
  return Buffer.concat(pieces);
}

class Cursor {
  at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes.readUInt8(this.at);
      this.at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  text(): string {
    const length = this.varint();
    const text = this.bytes.toString('utf8', this.at, this.at + length);
    this.at += length;
    return text;
  }

  uint64(): number {
    const value = Number(this.bytes.readBigUInt64LE(this.at));
    this.at += 8;
    return value;
  }

  skip(bytes: number): Cursor {
    this.at += bytes;
    return this;
  }
}

type Type = { readonly name: string; readonly inner: readonly string[] };

/** `Map(String, Array(UInt8))` → Map of two. */
function parseType(text: string): Type {
  const open = text.indexOf('(');
  if (open < 0) return { name: text, inner: [] };
  const inner: string[] = [];
  let depth = 0;
  let from = open + 1;
  let isQuoted = false;
  for (let at = open + 1; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '\\') at += 1;
    else if (letter === "'" || letter === '`') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (letter === '(') depth += 1;
    else if (letter === ')' && depth > 0) depth -= 1;
    else if ((letter === ',' && depth === 0) || letter === ')') {
      inner.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return { name: text.slice(0, open), inner };
}

const widths: Readonly<Record<string, number>> = {
  Bool: 1,
  Nothing: 1,
  Int8: 1,
  UInt8: 1,
  Enum8: 1,
  Int16: 2,
  UInt16: 2,
  Enum16: 2,
  Date: 2,
  BFloat16: 2,
  Int32: 4,
  UInt32: 4,
  Float32: 4,
  Date32: 4,
  Time: 4,
  DateTime: 4,
  IPv4: 4,
  Int64: 8,
  UInt64: 8,
  Float64: 8,
  DateTime64: 8,
  Time64: 8,
  Int128: 16,
  UInt128: 16,
  UUID: 16,
  IPv6: 16,
  Int256: 32,
  UInt256: 32,
};

function skipColumn(cursor: Cursor, type: Type, rows: number): void {
  skipPrefix(cursor, type);
  skipValues(cursor, type, rows);
}

/** A dictionary's version stands before all values of the column, however deep it is. */
function skipPrefix(cursor: Cursor, type: Type): Cursor {
  if (type.name === 'LowCardinality') return cursor.skip(8);
  for (const inner of nested(type)) skipPrefix(cursor, inner);
  return cursor;
}

function nested(type: Type): readonly Type[] {
  switch (type.name) {
    case 'Array':
    case 'Nullable':
      return type.inner.map(parseType);
    case 'SimpleAggregateFunction':
      return type.inner.slice(1).map(parseType);
    case 'Map':
    case 'Tuple':
    case 'Nested':
      return type.inner.map((one) => parseType(withoutName(one)));
    default:
      return [];
  }
}

/** An element of a tuple may have a name: `name Type`. */
function withoutName(element: string): string {
  return /^(?:`[^`]*`|\w+)\s+([\s\S]+)$/.exec(element)?.[1] ?? element;
}

function skipValues(cursor: Cursor, type: Type, rows: number): Cursor {
  const [first, second] = nested(type);
  switch (type.name) {
    case 'String':
      for (let row = 0; row < rows; row += 1) cursor.skip(cursor.varint());
      return cursor;
    case 'FixedString':
      return cursor.skip(rows * Number(type.inner[0]));
    case 'Nullable':
      cursor.skip(rows);
      return skipValues(cursor, known(first, type), rows);
    case 'Array':
      return skipValues(cursor, known(first, type), lastOffset(cursor, rows));
    case 'Map': {
      const pairs = lastOffset(cursor, rows);
      skipValues(cursor, known(first, type), pairs);
      return skipValues(cursor, known(second, type), pairs);
    }
    case 'Tuple':
      if (type.inner.length === 0) return cursor.skip(rows);
      for (const inner of nested(type)) skipValues(cursor, inner, rows);
      return cursor;
    case 'SimpleAggregateFunction':
      return skipValues(cursor, known(first, type), rows);
    case 'LowCardinality':
      return skipDictionary(cursor, type, rows);
    default:
      return cursor.skip(rows * widthOf(type));
  }
}

function widthOf(type: Type): number {
  if (type.name.startsWith('Interval')) return 8;
  if (type.name === 'Decimal') {
    const digits = Number(type.inner[0]);
    return digits <= 9 ? 4 : digits <= 18 ? 8 : digits <= 38 ? 16 : 32;
  }
  const width = widths[type.name];
  if (width === undefined) {
    throw new UnknownNativeType(
      `Type ${type.name} cannot be given in format Native here: convert it, for example with toString.`,
    );
  }
  return width;
}

function known(type: Type | undefined, of: Type): Type {
  if (type === undefined) throw new UnknownNativeType(`Type ${of.name} has no element.`);
  return type;
}

/** The offsets of arrays are cumulated. */
function lastOffset(cursor: Cursor, rows: number): number {
  let last = 0;
  for (let row = 0; row < rows; row += 1) last = cursor.uint64();
  return last;
}

function skipDictionary(cursor: Cursor, type: Type, rows: number): Cursor {
  if (rows === 0) return cursor;
  const indexWidth = 2 ** (cursor.uint64() & 0xff);
  const inner = parseType(type.inner[0] ?? '');
  const keys = cursor.uint64();
  skipValues(cursor, inner.name === 'Nullable' ? known(nested(inner)[0], inner) : inner, keys);
  const indexes = cursor.uint64();
  return cursor.skip(indexes * indexWidth);
}
