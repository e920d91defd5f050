/** How many partitions the topics of a pipeline on this machine have. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

type Environment = { readonly [name: string]: string | undefined };
const { partitionsFor } = (await import(
  new URL('../../deploy/partitions.mjs', import.meta.url).href
)) as {
  readonly partitionsFor: (
    args: readonly string[],
    environment: Environment,
    cores: number,
  ) => Environment;
};
const partitions = (count: string): Environment => ({ STOCKLINE_PARTITIONS: count });

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stockline-partitions-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const start = (environment: Environment, cores: number): Environment =>
  partitionsFor(['start', '--directory', directory], environment, cores);

it('the first start takes half as many as there are cores, at most 4, and later ones keep that', () => {
  expect(start({}, 2)).toEqual(partitions('1'));
  expect(start({}, 16)).toEqual(partitions('1'));
  const other = `--directory=${join(directory, 'other')}`;
  expect(partitionsFor(['start', other], {}, 16)).toEqual(partitions('4'));
});

it('what the first start was told is known to the commands that ask it', () => {
  expect(start(partitions('7'), 2)).toEqual(partitions('7'));
  const explain = ['explain', 'MUG', '--directory', directory];
  expect(partitionsFor(explain, {}, 2)).toEqual(partitions('7'));
});

it('what began before there was a choice, or is elsewhere, is left as it is', () => {
  mkdirSync(join(directory, 'stack'));
  expect(start({}, 2)).toEqual({});
  expect(partitionsFor(['explain', 'MUG'], { STOCKLINE_KAFKA: 'kafka:9092' }, 2)).toEqual({});
});

it('a stress test has a broker of its own, and as many as fit this machine', () => {
  expect(partitionsFor(['stress', 'api'], {}, 4)).toEqual(partitions('2'));
});
