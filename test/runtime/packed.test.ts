import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeState, encodeState } from '../../processors/runtime/state.ts';
import { packedCodec } from '../../processors/topology/packed.ts';

const codec = packedCodec<unknown>({ version: 2, words: ['kind', 'cell', 'quantity', ''] });

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom('kind', 'cell', '', '1', '-1'),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 6 }).map((entries) => new Map(entries)),
    fc
      .array(fc.tuple(text, tie('value')), { maxLength: 6 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}));

describe('packed state', () => {
  it('every value comes back as it was', () => {
    fc.assert(
      fc.property(value, (before) => {
        expect(codec.decode(codec.encode(before))).toEqual(before);
      }),
      { numRuns: 1_000 },
    );
  });

  it('a field that is named as the prototype is comes back as a field', () => {
    const before = Object.fromEntries([['__proto__', { aisle: 1 }]]);
    const after = codec.decode(codec.encode(before)) as object;
    expect(Object.entries(after)).toEqual([['__proto__', { aisle: 1 }]]);
  });

  it('no value holds on to the bytes of another', () => {
    const first = codec.encode(['aisle', 'shelf']);
    codec.encode(['x'.repeat(10_000)]);
    expect(codec.decode(first)).toEqual(['aisle', 'shelf']);
  });

  it('a text that comes again costs two bytes at most, and a known word one', () => {
    const once = codec.encode(['warehouse']);
    expect(codec.encode(['warehouse', 'warehouse']).length - once.length).toBeLessThanOrEqual(2);
    expect(codec.encode(['kind']).length).toBe(2);
  });

  it('an undefined field is left out', () => {
    expect(codec.decode(codec.encode({ kind: 'cell', echo: undefined }))).toEqual({ kind: 'cell' });
  });

  it('a list of words that has grown reads what a shorter one has written', () => {
    const grown = packedCodec<unknown>({
      version: 2,
      words: ['kind', 'cell', 'quantity', '', 'x'],
    });
    fc.assert(
      fc.property(value, (before) => {
        expect(grown.decode(codec.encode(before))).toEqual(before);
      }),
      { numRuns: 1_000 },
    );
  });

  it('a word that stands twice changes no text', () => {
    const twice = packedCodec<unknown>({ version: 2, words: ['sku', 'available', 'sku'] });
    const before = ['available', 'L1', 'sku', 'L1', 'L1'];
    expect(twice.decode(twice.encode(before))).toEqual(before);
  });

  it('bytes that are cut short, too long or of other words are refused', () => {
    const bytes = codec.encode({ kind: 'cell', quantity: 1_000 });
    const other = packedCodec<unknown>({ version: 2, words: ['kind'] });
    expect(() => other.decode(bytes)).toThrow('a text that is not there');
    expect(() => codec.decode(bytes.subarray(0, -1))).toThrow('too early');
    expect(() => codec.decode(Buffer.concat([bytes, bytes]))).toThrow('more than one');
  });

  it('bytes of an older version are refused unless they can be migrated', () => {
    const older = encodeState(packedCodec<unknown>({ version: 1, words: [] }), 'old');
    expect(() => decodeState(codec, older)).toThrow(/version 1/);
    const migrating = packedCodec<unknown>({ version: 2, words: [], migrate: () => 'migrated' });
    expect(decodeState(migrating, older)).toBe('migrated');
  });
});
