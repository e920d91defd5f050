/** Keys go where Kafka's Java client would send them. */
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../processors/topology/partitioner.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('partitioner', () => {
  // From UtilsTest.testMurmur2 of Apache Kafka.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('murmur2 of %s', (text, hash) => {
    expect(murmur2(bytes(text))).toBe(hash);
  });

  it('hashes UTF-8, not UTF-16', () => {
    expect(murmur2(bytes('größe'))).not.toBe(murmur2(Buffer.from('größe', 'latin1')));
    expect(partitionOf('größe', 4)).toBe((murmur2(bytes('größe')) & 0x7fffffff) % 4);
  });

  it('spreads keys over all partitions and never outside', () => {
    const seen = new Set(Array.from({ length: 200 }, (_, at) => partitionOf(`SKU-${at}`, 4)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
    expect(partitionOf('anything', 1)).toBe(0);
  });
});
