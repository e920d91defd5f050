import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { incompatibilities, type PlainSchema } from '../support/schemas.ts';

const read = (file: string): PlainSchema => JSON.parse(readFileSync(file, 'utf8')) as PlainSchema;
const released = readdirSync('schemas/released').filter((file) => file.endsWith('.avsc'));

describe('schemas stay compatible both ways with the last release', () => {
  it.each(released)('%s', (file) => {
    expect(incompatibilities(read(`schemas/released/${file}`), read(`schemas/${file}`))).toEqual(
      [],
    );
  });

  it('no schema of the last release has gone', () => {
    const now = readdirSync('schemas');
    expect(released.filter((file) => !now.includes(file))).toEqual([]);
  });
});

describe('the check itself', () => {
  const record = (fields: readonly object[]): PlainSchema =>
    ({ type: 'record', name: 'R', fields }) as unknown as PlainSchema;
  const a = { name: 'a', type: 'string' };

  it('refuses a new field without default', () => {
    expect(incompatibilities(record([a]), record([a, { name: 'b', type: 'int' }]))).toHaveLength(1);
  });

  it('accepts a new field with a default', () => {
    const b = { name: 'b', type: 'int', default: 0 };
    expect(incompatibilities(record([a]), record([a, b]))).toEqual([]);
  });

  it('refuses a retyped field', () => {
    expect(incompatibilities(record([a]), record([{ name: 'a', type: 'int' }]))).not.toEqual([]);
  });
});
