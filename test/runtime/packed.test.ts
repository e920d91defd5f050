import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PackedReader, packed } from '../../processors/topology/packed.ts';

describe('packed bytes', () => {
  it('any number comes back as it was', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger()), (value) => {
        const reader = new PackedReader(packed((to) => to.number(value)));
        expect(reader.number()).toBe(value);
        expect(reader.isAtEnd()).toBe(true);
      }),
    );
  });

  it('any whole number from 0 on comes back as it was', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(new PackedReader(packed((to) => to.unsigned(value))).unsigned()).toBe(value);
      }),
    );
  });

  it('any texts and words come back in order, words once each', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 80 }), { maxLength: 40 });
    fc.assert(
      fc.property(texts, texts, (plain, words) => {
        const bytes = packed((to) => {
          for (const text of plain) to.text(text);
          for (const word of [...words, ...words]) to.word(word);
        });
        const reader = new PackedReader(bytes);
        expect(plain.map(() => reader.text())).toEqual(plain);
        expect([...words, ...words].map(() => reader.word())).toEqual([...words, ...words]);
        expect(reader.isAtEnd()).toBe(true);
      }),
    );
  });

  it('a repeated word costs a byte, and a value larger than the scratch fits', () => {
    const long = 'ü'.repeat(9_000);
    const once = packed((to) => to.word(long));
    const twice = packed((to) => {
      to.word(long);
      to.word(long);
    });
    expect(twice.length).toBe(once.length + 1);
    expect(new PackedReader(twice).word()).toBe(long);
  });

  it('bytes that were cut short are refused', () => {
    const bytes = packed((to) => to.text('shelf'));
    expect(() => new PackedReader(bytes.subarray(0, -1)).text()).toThrow('too early');
    expect(() => new PackedReader(bytes.subarray(0, 0)).unsigned()).toThrow('too early');
  });
});
