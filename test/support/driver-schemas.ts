/** What the topology driver has instead of a registry and of chance: schema ids given out in order, trace ids that count. */
import { avroCodecs, encodeWire, type SchemaSource } from '../../processors/adapters/avro/codec.ts';
import { schemaFile } from '../../processors/adapters/avro/schema-files.ts';
import { foreignType } from '../../processors/adapters/avro/schema-types.ts';
import type { TraceIds } from '../../processors/runtime/ports.ts';
import { type AnyInput, isForeign } from '../../processors/topology/validate.ts';

/** A value to be encoded: our own topics know their schema, foreign ones are told it. Or the very bytes. */
export type Written = {
  readonly plain: unknown;
  readonly schema?: unknown;
  readonly bytes?: Uint8Array;
};

/** Ids of our own schemas begin here, so that what a step emits gives the sources' schemas no other ids. */
const ownFrom = 5_000;

/** A registry in memory: one id per schema, given out in order. */
export function driverSchemas(): {
  readonly source: SchemaSource;
  readonly write: (topic: AnyInput, part: 'key' | 'value', written: Written) => Uint8Array;
} {
  const foreign = idsOf(0);
  const own = idsOf(ownFrom);
  const source: SchemaSource = {
    writer: (schemaId) => foreign.schema(schemaId) ?? own.schema(schemaId) ?? 'absent',
    idOf: (topic, part) => own.id(schemaFile(topic[part].schema)),
    ownSchema: schemaFile,
    learn: async () => {},
    prepare: async () => {},
  };
  const codecs = avroCodecs(source);
  return {
    source,
    write: (topic, part, { plain, schema, bytes }) => {
      if (bytes !== undefined) return bytes;
      if (isForeign(topic)) return encodeWire(foreignType(schema), foreign.id(schema), plain);
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

function idsOf(from: number) {
  const schemas: unknown[] = [];
  const ids = new Map<string, number>();
  return {
    schema: (id: number): unknown => schemas[id - from - 1],
    id: (schema: unknown): number => {
      const text = JSON.stringify(schema);
      const known = ids.get(text) ?? from + schemas.push(schema);
      ids.set(text, known);
      return known;
    },
  };
}
