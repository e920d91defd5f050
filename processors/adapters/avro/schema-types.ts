/** Avro types of avsc, in two flavours: our own schemas, and other systems' schemas as Debezium writes them. */
import avro, { type Type } from 'avsc';
import { bufferOf } from '../../topology/buffer.ts';

/** An exact decimal of another system: unscaled * 10^-scale. */
export type Decimal = { readonly unscaled: number | bigint; readonly scale: number };

type NamedSchema = {
  readonly scale?: number;
  readonly 'connect.parameters'?: { readonly scale?: string };
};

const ourScale = 3;
/** Within these many bytes Buffer reads and writes integers by itself. */
const plainBytes = 6;

/**
 * A type of one of our schemas: `decimal` (scale 3) is a safe integer in thousandths, anything out of range throws;
 * `bytes` takes any Uint8Array; unions come unwrapped; longs are safe integers.
 */
export function ownType(schema: unknown): Type {
  return avro.Type.forSchema(withOctets(schema) as avro.Schema, {
    registry: {},
    wrapUnions: 'never',
    omitRecordMethods: true,
    logicalTypes: { decimal: ThousandthsType, octets: OctetsType },
    assertLogicalTypes: true,
  });
}

/**
 * A type of another system's schema: 64-bit integers are numbers while they are safe and bigint beyond (Debezium's
 * nanoseconds), decimals are `Decimal`, other logical types raw, unions unwrapped.
 * Each call has a registry of its own: Debezium's schemas share names and differ.
 */
export function foreignType(schema: unknown): Type {
  return avro.Type.forSchema(
    schema as avro.Schema,
    {
      registry: {},
      wrapUnions: 'never',
      omitRecordMethods: true,
      logicalTypes: { decimal: DecimalType },
      typeHook: (found: unknown) => (isLong(found) ? longType : undefined),
    } as Partial<avro.ForSchemaOptions>,
  );
}

/** Numbers below this, and from its negative on, fit into so many bytes. */
const reach = Array.from({ length: 9 }, (_, bytes) => 2 ** (8 * bytes - 1));
/** Most quantities of a cell are nothing. */
const zero = Buffer.alloc(1);

/** Safe integer in thousandths ↔ Avro decimal(18,3). */
class ThousandthsType extends avro.types.LogicalType {
  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options as Partial<avro.ForSchemaOptions>);
    const { scale } = schema as NamedSchema;
    if (scale !== ourScale) {
      throw new Error(`quantities have scale ${ourScale}, and this schema says ${scale}`);
    }
  }

  protected override _fromValue(bytes: Buffer): number {
    const size = bytes.length;
    if (size <= plainBytes) return size === 0 ? 0 : bytes.readIntBE(0, size);
    const unscaled = bigintOf(bytes);
    const value = Number(unscaled);
    if (!Number.isSafeInteger(value))
      throw new Error(`quantity ${unscaled} / 1000 is out of range`);
    return value;
  }

  protected override _toValue(value: number): Buffer {
    if (!Number.isSafeInteger(value)) {
      throw new Error(`${value} is not a quantity: a safe integer in thousandths is needed`);
    }
    if (value === 0) return zero;
    let size = 1;
    while (value < -(reach[size] as number) || value >= (reach[size] as number)) size += 1;
    const bytes = Buffer.allocUnsafe(size);
    if (size <= plainBytes) {
      bytes.writeIntBE(value, 0, size);
      return bytes;
    }
    const high = Math.floor(value / 2 ** 48);
    bytes.writeInt8(high, 0);
    bytes.writeUIntBE(value - high * 2 ** 48, 1, plainBytes);
    return bytes;
  }

  protected override _resolve(writer: Type): ((value: unknown) => unknown) | undefined {
    return isDecimal(writer) ? (value) => value : undefined;
  }
}

/** Avro bytes from any Uint8Array; avsc itself takes only Buffer. */
class OctetsType extends avro.types.LogicalType {
  protected override _fromValue(bytes: Buffer): Uint8Array {
    return bytes;
  }

  protected override _toValue(bytes: Uint8Array): Buffer {
    return bufferOf(bytes);
  }

  protected override _resolve(): (value: unknown) => unknown {
    return (value) => value;
  }
}

class DecimalType extends avro.types.LogicalType {
  readonly scale: number;

  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options as Partial<avro.ForSchemaOptions>);
    const named = schema as NamedSchema;
    this.scale = named.scale ?? Number(named['connect.parameters']?.scale ?? 0);
  }

  protected override _fromValue(bytes: Buffer): Decimal {
    const size = bytes.length;
    const isPlain = size > 0 && size <= plainBytes;
    return { unscaled: isPlain ? bytes.readIntBE(0, size) : bigintOf(bytes), scale: this.scale };
  }

  protected override _toValue(value: Decimal): Buffer {
    return bytesOf(BigInt(value.unscaled));
  }

  protected override _resolve(writer: Type): ((value: unknown) => unknown) | undefined {
    return isDecimal(writer) ? (value) => value : undefined;
  }
}

function isDecimal(type: Type): boolean {
  return type.typeName === 'logical:decimal';
}

/** Big-endian two's complement. */
function bigintOf(bytes: Buffer): bigint {
  if (bytes.length === 0) return 0n;
  const unsigned = BigInt(`0x${bytes.toString('hex')}`);
  return BigInt.asIntN(bytes.length * 8, unsigned);
}

function bytesOf(value: bigint): Buffer {
  let size = 1;
  while (BigInt.asIntN(size * 8, value) !== value) size += 1;
  const hex = BigInt.asUintN(size * 8, value).toString(16);
  return Buffer.from(hex.padStart(size * 2, '0'), 'hex');
}

function isLong(schema: unknown): boolean {
  return schema === 'long' || (schema as { readonly type?: unknown } | undefined)?.type === 'long';
}

/** Varint, zigzag; plain numbers as long as they are exact. */
const exactLongType = avro.types.LongType.__with(
  {
    fromBuffer: (bytes: Buffer) => {
      if (bytes.length <= 7) {
        let unsigned = 0;
        for (let at = bytes.length - 1; at >= 0; at -= 1) {
          unsigned = unsigned * 128 + ((bytes[at] as number) & 0x7f);
        }
        return unsigned % 2 === 0 ? unsigned / 2 : -(unsigned + 1) / 2;
      }
      let unsigned = 0n;
      for (let at = bytes.length - 1; at >= 0; at -= 1) {
        unsigned = (unsigned << 7n) | BigInt((bytes[at] as number) & 0x7f);
      }
      const value = (unsigned >> 1n) ^ -(unsigned & 1n);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    },
    toBuffer: (value: number | bigint) => {
      const signed = BigInt(value);
      let unsigned = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n));
      const bytes: number[] = [];
      while (unsigned >= 128n) {
        bytes.push(Number(unsigned & 127n) | 128);
        unsigned >>= 7n;
      }
      bytes.push(Number(unsigned));
      return Buffer.from(bytes);
    },
    fromJSON: (value: unknown) => value,
    toJSON: (value: unknown) => value,
    isValid: (value: unknown) => Number.isSafeInteger(value) || typeof value === 'bigint',
    compare: (one: number | bigint, other: number | bigint) =>
      one === other ? 0 : one < other ? -1 : 1,
  },
  true,
);

/** avsc's place in a buffer, which its types do not show. */
type Tap = { pos: number; readonly readLong: () => number };
type LongReader = { readonly _read: (tap: Tap) => number | bigint };

/** Up to here avsc's own reading is exact. */
const plainLongMax = 2 ** 52;

/** Reads plain numbers where they stand, without a buffer for each. */
const longType = Object.create(exactLongType, {
  _read: {
    value(tap: Tap): number | bigint {
      const start = tap.pos;
      const value = tap.readLong();
      if (Math.abs(value) < plainLongMax) return value;
      tap.pos = start;
      return (exactLongType as unknown as LongReader)._read(tap);
    },
  },
}) as Type;

/** Marks plain bytes, so that they go through `OctetsType`. */
function withOctets(schema: unknown): unknown {
  if (schema === 'bytes') return { type: 'bytes', logicalType: 'octets' };
  if (Array.isArray(schema)) return schema.map(withOctets);
  if (typeof schema !== 'object' || schema === null) return schema;
  const named = schema as Record<string, unknown>;
  if (named.type === 'bytes') {
    return named.logicalType === undefined ? { ...named, logicalType: 'octets' } : named;
  }
  const inside = (field: string): object =>
    named[field] === undefined ? {} : { [field]: withOctets(named[field]) };
  const fields = named.fields as readonly Record<string, unknown>[] | undefined;
  return {
    ...named,
    ...inside('items'),
    ...inside('values'),
    ...(fields === undefined
      ? inside('type')
      : { fields: fields.map((field) => ({ ...field, type: withOctets(field.type) })) }),
  };
}
