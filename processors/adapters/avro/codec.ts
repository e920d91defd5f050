/**
 * Bytes in the Confluent wire format (0, 4-byte schema id, Avro) ↔ values of topics. Synchronous.
 *
 * Our own topics: the writer's schema is resolved to ours, then `Wire.fromAvro` makes the domain value.
 * Quantities are safe integers in thousandths, times milliseconds, unions unwrapped.
 *
 * Foreign topics (Debezium): values are decoded as far as `ForeignTopic.fields` says and given
 * to `ForeignTopic.parse(plain, writer)`:
 *   - `plain` is what the writer's schema describes: `{ before, after, source, op, transaction, ... }`, null where null;
 *   - 64-bit integers are numbers, or bigint beyond 2^53 (`ts_ns`); decimals are `{ unscaled, scale }`;
 *     dates and times are the raw numbers that Debezium wrote;
 *   - `writer` is the writer's schema as parsed JSON, whole: its `connect.name` says what a number means.
 */
import type { Type } from 'avsc';
import { SchemaNotFetched } from '../../runtime/errors.ts';
import type { Codecs } from '../../runtime/ports.ts';
import { bufferOf } from '../../topology/buffer.ts';
import type { ForeignTopic, Topic, WriterSchema } from '../../topology/topic.ts';
import { projectSchema } from './projection.ts';
import { foreignType, ownType } from './schema-types.ts';

export type TopicPart = 'key' | 'value';

/** Where the codecs find schemas. */
export type SchemaSource = {
  /** The schema of an id; 'absent' when the registry has none; undefined when it has not been fetched. */
  readonly writer: (schemaId: number) => WriterSchema | 'absent' | undefined;
  /** The id under which our schema of this topic is registered. */
  readonly idOf: (topic: Topic<never, never>, part: TopicPart) => number;
  /** Our schema of this name, as parsed JSON. */
  readonly ownSchema: (name: string) => unknown;
  readonly learn: (schemaId: number) => Promise<void>;
  readonly prepare: (topics: readonly Topic<never, never>[]) => Promise<void>;
};

type AnyTopic = Topic<never, never> | ForeignTopic<unknown>;
type Decoder = (bytes: Buffer) => unknown;
type Encoder = (value: unknown) => Uint8Array;

const headerBytes = 5;

export function avroCodecs(source: SchemaSource): Codecs {
  const types = new Map<string, Type>();
  const typeOf = (schema: string): Type => {
    const known = types.get(schema) ?? ownType(source.ownSchema(schema));
    types.set(schema, known);
    return known;
  };
  const decoders = { key: new Map<string, DecoderById>(), value: new Map<string, DecoderById>() };
  const encoders = { key: new Map<string, Encoder>(), value: new Map<string, Encoder>() };

  const decode = (topic: AnyTopic, part: TopicPart, bytes: Uint8Array): unknown => {
    const buffer = bufferOf(bytes);
    if (buffer.length < headerBytes || buffer[0] !== 0) {
      throw new Error('the bytes are not in the Confluent wire format');
    }
    const schemaId = buffer.readInt32BE(1);
    const byId = decoders[part].get(topic.name) ?? new Map<number, Decoder>();
    decoders[part].set(topic.name, byId);
    const known = byId.get(schemaId);
    if (known !== undefined) return known(buffer);
    const writer = source.writer(schemaId);
    if (writer === undefined) throw new SchemaNotFetched(schemaId);
    if (writer === 'absent') throw new Error(`the registry has no schema ${schemaId}`);
    const decoder =
      'foreign' in topic
        ? foreignDecoder(topic, part, writer)
        : ownDecoder(topic, part, typeOf(topic[part].schema), writer);
    byId.set(schemaId, decoder);
    return decoder(buffer);
  };
  const encode = (topic: Topic<never, never>, part: TopicPart, value: unknown): Uint8Array => {
    const known = encoders[part].get(topic.name);
    if (known !== undefined) return known(value);
    const schemaId = source.idOf(topic, part);
    const encoder = ownEncoder(topic, part, typeOf(topic[part].schema), schemaId);
    encoders[part].set(topic.name, encoder);
    return encoder(value);
  };
  return {
    decodeKey: (topic, bytes) => decode(topic, 'key', bytes),
    decodeValue: (topic, bytes) => decode(topic, 'value', bytes),
    encodeKey: (topic, key) => encode(topic, 'key', key),
    encodeValue: (topic, value) => encode(topic, 'value', value),
    learn: source.learn,
    prepare: source.prepare,
  };
}

type DecoderById = Map<number, Decoder>;

function ownDecoder(
  topic: Topic<never, never>,
  part: TopicPart,
  reader: Type,
  writer: WriterSchema,
): Decoder {
  const wire = topic[part] as { readonly fromAvro: (plain: unknown) => unknown };
  const written = ownType(writer);
  const resolver = reader.equals(written) ? undefined : reader.createResolver(written);
  return (bytes) => wire.fromAvro(decodeWhole(reader, bytes, resolver));
}

function foreignDecoder(
  topic: ForeignTopic<unknown>,
  part: TopicPart,
  writer: WriterSchema,
): Decoder {
  const written = foreignType(projectSchema(writer, undefined));
  if (part === 'key') return (bytes) => decodeWhole(written, bytes, undefined);
  if (topic.fields === undefined) {
    return (bytes) => topic.parse(decodeWhole(written, bytes, undefined), writer);
  }
  const reader = foreignType(projectSchema(writer, topic.fields));
  const resolver = reader.createResolver(written);
  return (bytes) => topic.parse(decodeWhole(reader, bytes, resolver), writer);
}

function decodeWhole(
  type: Type,
  bytes: Buffer,
  resolver: ReturnType<Type['createResolver']> | undefined,
): unknown {
  const { value, offset } = type.decode(bytes, headerBytes, resolver);
  if (offset !== bytes.length) throw new Error('the bytes do not fit the schema they name');
  return value;
}

function ownEncoder(
  topic: Topic<never, never>,
  part: TopicPart,
  type: Type,
  schemaId: number,
): Encoder {
  const wire = topic[part] as unknown as { readonly toAvro: (value: unknown) => unknown };
  return (value) => encodeWire(type, schemaId, wire.toAvro(value));
}

/** Written here first: most records fit, and one exact copy is cheaper than two passes. */
let scratch = Buffer.allocUnsafeSlow(65_536);

/** `plain` by `type`, in the Confluent wire format. */
export function encodeWire(type: Type, schemaId: number, plain: unknown): Uint8Array {
  let end = type.encode(plain, scratch, headerBytes);
  while (end < 0) {
    scratch = Buffer.allocUnsafeSlow((scratch.length - end) * 2);
    end = type.encode(plain, scratch, headerBytes);
  }
  scratch[0] = 0;
  scratch.writeInt32BE(schemaId, 1);
  return Buffer.from(scratch.subarray(0, end));
}
