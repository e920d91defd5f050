/** What the topology driver has instead of a registry and of chance: schema ids given out in order, trace ids that count. */
import { avroCodecs, encodeWire, type SchemaSource } from '../../processors/adapters/avro-codec.ts';
import { schemaFile } from '../../processors/adapters/avro-schema-files.ts';
import { foreignType } from '../../processors/adapters/avro-types.ts';
import type { TraceIds } from '../../processors/runtime/ports.ts';
import { type AnyInput, isForeign } from '../../processors/topology/validate.ts';

/** A value to be encoded: our own topics know their schema, foreign ones are told it. Or the very bytes. */
export type Written = {
  readonly plain: unknown;
  readonly schema?: unknown;
  readonly bytes?: Uint8Array;
};

/** A registry in memory: one id per schema, given out in order. */
export function driverSchemas(): {
  readonly source: SchemaSource;
  readonly write: (topic: AnyInput, part: 'key' | 'value', written: Written) => Uint8Array;
} {
  const schemas: unknown[] = [];
  const ids = new Map<string, number>();
  const idOf = (schema: unknown): number => {
    const text = JSON.stringify(schema);
    const known = ids.get(text) ?? schemas.push(schema);
    ids.set(text, known);
    return known;
  };
  const source: SchemaSource = {
    writer: (schemaId) => schemas[schemaId - 1] ?? 'absent',
    idOf: (topic, part) => idOf(schemaFile(topic[part].schema)),
    ownSchema: schemaFile,
    learn: async () => {},
    prepare: async () => {},
  };
  const codecs = avroCodecs(source);
  return {
    source,
    write: (topic, part, { plain, schema, bytes }) => {
      if (bytes !== undefined) return bytes;
      if (isForeign(topic)) return encodeWire(foreignType(schema), idOf(schema), plain);
      return part === 'key' ? codecs.encodeKey(topic, plain) : codecs.encodeValue(topic, plain);
    },
  };
}

export function isAbsent(written: Written): boolean {
  return written.plain === null || written.plain === undefined;
}

/** Trace ids that count, so that a run is the same each time. */
export function countedIds(): TraceIds {
  let count = 0;
  const next = (digits: number): string => {
    count += 1;
    return count.toString(16).padStart(digits, '0');
  };
  return { traceId: () => next(32), spanId: () => next(16) };
}
