/** Avro at its edges: quantities, 64-bit numbers, Debezium's shapes, projections. */
import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroCodecs, encodeWire } from '../../processors/adapters/avro/codec.ts';
import { projectSchema } from '../../processors/adapters/avro/projection.ts';
import { schemaFile } from '../../processors/adapters/avro/schema-files.ts';
import { foreignType, ownType } from '../../processors/adapters/avro/schema-types.ts';
import type { ForeignTopic } from '../../processors/topology/topic.ts';

const decimal = { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 3 };

/** The shape that Debezium's PostgreSQL connector writes through Connect's Avro converter. */
const envelope = {
  type: 'record',
  name: 'Envelope',
  namespace: 'erp.public.bestand',
  fields: [
    {
      name: 'before',
      type: [
        'null',
        {
          type: 'record',
          name: 'Value',
          fields: [
            { name: 'artnr', type: 'string' },
            {
              name: 'menge',
              type: {
                type: 'bytes',
                scale: 2,
                precision: 12,
                'connect.version': 1,
                'connect.parameters': { scale: '2', 'connect.decimal.precision': '12' },
                'connect.name': 'org.apache.kafka.connect.data.Decimal',
                logicalType: 'decimal',
                default: '\u0000',
              },
              default: '\u0000',
            },
            { name: 'text', type: ['null', 'string'], default: null },
          ],
          'connect.name': 'erp.public.bestand.Value',
        },
      ],
      default: null,
    },
    { name: 'after', type: ['null', 'Value'], default: null },
    {
      name: 'source',
      type: {
        type: 'record',
        name: 'Source',
        namespace: 'io.debezium.connector.postgresql',
        fields: [
          { name: 'lsn', type: ['null', { type: 'long', 'connect.name': 'x' }], default: null },
          { name: 'ts_ns', type: 'long' },
        ],
      },
    },
    { name: 'op', type: 'string' },
  ],
};

const row = { artnr: 'A1', menge: { unscaled: -1234, scale: 2 }, text: null };
const change = {
  before: null,
  after: row,
  source: { lsn: 24_023_128, ts_ns: 1_763_971_200_123_456_789n },
  op: 'c',
};

function decodeForeign(fields: readonly string[] | undefined): unknown {
  const topic: ForeignTopic<unknown> = {
    name: 'erp.public.bestand',
    foreign: true,
    ...(fields === undefined ? {} : { fields }),
    parse: (plain, writer) => {
      expect(writer).toBe(envelope);
      return plain;
    },
  };
  const codecs = avroCodecs({
    writer: () => envelope,
    idOf: () => 7,
    ownSchema: schemaFile,
    learn: async () => {},
    prepare: async () => {},
  });
  return codecs.decodeValue(topic, encodeWire(foreignType(envelope), 7, change));
}

describe('avro codec', () => {
  it('carries quantities exactly, in thousandths', () => {
    const type = ownType(decimal);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(type.fromBuffer(type.toBuffer(value))).toBe(value);
      }),
    );
    for (const value of [0, -1, 127, 128, -128, -129, 2 ** 47, -(2 ** 47), 2 ** 47 - 1]) {
      expect(type.fromBuffer(type.toBuffer(value))).toBe(value);
    }
    expect(() => type.toBuffer(2 ** 53)).toThrow(/not a quantity/);
    expect(() => type.toBuffer(1.5)).toThrow(/not a quantity/);
    const beyond = avro.Type.forSchema('bytes').toBuffer(Buffer.alloc(9, 1));
    expect(() => type.fromBuffer(beyond)).toThrow(/out of range/);
    expect(() => ownType({ ...decimal, scale: 2 })).toThrow(/scale 3/);
  });

  it('decodes Debezium: exact decimals, bigint beyond 2^53, unions unwrapped', () => {
    expect(decodeForeign(undefined)).toEqual(change);
  });

  it('decodes only the listed fields', () => {
    expect(decodeForeign(['after.artnr', 'source.lsn', 'op', 'no.such.field'])).toEqual({
      after: { artnr: 'A1' },
      source: { lsn: 24_023_128 },
      op: 'c',
    });
    expect(decodeForeign(['before', 'after.menge', 'source.ts_ns'])).toEqual({
      before: null,
      after: row,
      source: { ts_ns: change.source.ts_ns },
    });
  });

  it('projects a schema that is no record to itself', () => {
    expect(projectSchema('string', ['a'])).toBe('string');
  });

  it('carries every 64-bit integer', () => {
    const type = foreignType('long');
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(BigInt(type.fromBuffer(type.toBuffer(value)))).toBe(value);
      }),
    );
    for (const value of [0, 63, -64, 2 ** 31, -(2 ** 48), 2 ** 48]) {
      expect(type.fromBuffer(type.toBuffer(value))).toBe(value);
    }
  });

  it('takes any Uint8Array for bytes, and records larger than its scratch space', () => {
    const type = ownType({ type: 'record', name: 'R', fields: [{ name: 'b', type: 'bytes' }] });
    const large = new Uint8Array(200_000).fill(7);
    const bytes = Buffer.from(encodeWire(type, 9, { b: large }));
    expect(bytes.readInt32BE(1)).toBe(9);
    expect(Buffer.from(large).equals(type.decode(bytes, 5).value.b)).toBe(true);
  });

  it('has a type for each of our schemas', () => {
    for (const name of ['movement', 'ledger-entry', 'stock-level', 'dead-letter', 'command']) {
      expect(ownType(schemaFile(name)).typeName).toBe('record');
    }
  });
});
