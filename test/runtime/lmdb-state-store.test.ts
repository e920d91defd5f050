import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lmdbStateStore } from '../../processors/adapters/lmdb-state-store.ts';

const checkpoint = (offset: bigint) => ({
  lineage: 'a',
  offsets: new Map([['words', offset]]),
  changelogOffset: offset,
  writtenAtMs: 1,
});
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('state store on disk', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stockline-store-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('what is written is read at once, also before it is on the disk', async () => {
    const store = lmdbStateStore(join(folder, 'one'));
    store.write([['a', bytes('1')]], checkpoint(1n));
    store.write([['b', bytes('2')]], checkpoint(2n));
    store.write([['a', undefined]], checkpoint(3n));
    expect(store.get('a')).toBeUndefined();
    expect(String(store.get('b'))).toBe('2');
    expect(store.checkpoint()).toEqual(checkpoint(3n));
    expect([...store.entries()].map(([key]) => key)).toEqual(['b']);
    await store.close();
  });

  it('keys that begin so are found wherever they are: on the disk, or gathered for it', async () => {
    const store = lmdbStateStore(join(folder, 'one'));
    store.write(
      ['a', 'b|1', 'b|2', 'c'].map((key) => [key, bytes('1')] as const),
      checkpoint(1n),
    );
    store.write(
      [
        ['b|1', undefined],
        ['b|3', bytes('3')],
      ],
      checkpoint(2n),
    );
    expect([...store.keys('b|')].sort()).toEqual(['b|2', 'b|3']);
    await store.close();
  });

  it('after a close all of it is there, with its checkpoint', async () => {
    const store = lmdbStateStore(join(folder, 'one'));
    store.write([['a', bytes('1')]], checkpoint(1n));
    store.write([['b', bytes('2')]], checkpoint(2n));
    await store.close();
    const again = lmdbStateStore(join(folder, 'one'));
    expect(again.checkpoint()).toEqual(checkpoint(2n));
    expect(String(again.get('b'))).toBe('2');
    await again.close();
  });

  it('a store that another run of the operating system wrote begins anew', async () => {
    const store = lmdbStateStore(join(folder, 'one'));
    store.write([['a', bytes('1')]], checkpoint(1n));
    await store.close();
    writeFileSync(join(folder, 'one', 'boot'), 'another');
    const again = lmdbStateStore(join(folder, 'one'));
    expect(again.checkpoint()).toBeUndefined();
    expect(again.get('a')).toBeUndefined();
    await again.close();
  });

  it('a store that is untrusted while it is rebuilt says so after a crash', async () => {
    const store = lmdbStateStore(join(folder, 'one'));
    store.write([['a', bytes('1')]], checkpoint(1n));
    store.write([['b', bytes('2')]], undefined);
    expect(store.checkpoint()).toBeUndefined();
    await store.close();
    const again = lmdbStateStore(join(folder, 'one'));
    expect(again.checkpoint()).toBeUndefined();
    await again.close();
  });
});
