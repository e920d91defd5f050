import { describe, expect, it } from 'vitest';
import { nativeBlock } from '../../processors/adapters/clickhouse/block.ts';
import { plainRows } from '../../processors/analytics/ports.ts';

/** One column of texts, read by the description of the format alone. */
function textsOf(block: Buffer): readonly string[] {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = block.readUInt8(at);
      at += 1;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const text = (): string => {
    const length = varint();
    at += length;
    return block.toString('utf8', at - length, at);
  };
  const columns = varint();
  const rows = varint();
  const title = [text(), text()];
  const texts = Array.from({ length: rows }, text);
  expect({ columns, title, left: block.length - at }).toEqual({
    columns: 1,
    title: ['note', 'String'],
    left: 0,
  });
  return texts;
}

const types = new Map([['note', 'String']]);
const written = (texts: readonly string[]): readonly string[] => {
  const rows = texts.map((text) => [text]);
  return textsOf(nativeBlock(plainRows('notes', ['note'], rows), types).bytes);
};

describe('a column of texts', () => {
  it.each([
    ['long', 'x'.repeat(200)],
    ['foreign', 'Größe 42 – été'],
    ['short', 'A000001'],
    ['longest', 'y'.repeat(20_000)],
  ])('is what it was wherever its room ends: a %s text', (_, text) => {
    for (let before = 3_900; before <= 4_100; before += 1) {
      const texts = ['-'.repeat(before), text, text];
      expect(written(texts)).toEqual(texts);
    }
  });

  it('is what it was at the end of room that has grown often', () => {
    for (let before = 65_400; before <= 65_540; before += 1) {
      const texts = ['-'.repeat(before), 'z'.repeat(150)];
      expect(written(texts)).toEqual(texts);
    }
  });
});
