/** Is the house in order? Direction of imports, sizes, words, generated code. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateTypes } from '../schemas/generate.ts';

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  .toString()
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const sources = tracked.filter((file) => file.endsWith('.ts') && file !== 'schemas/types.ts');

/** For each folder: what its files may import, as beginnings of paths; `package` stands for third-party packages. */
const mayImport: Record<string, readonly string[]> = {
  'processors/domain/': ['processors/domain/'],
  'processors/topology/': ['processors/topology/'],
  'processors/cdc/': ['processors/cdc/', 'processors/domain/', 'schemas/types.ts'],
  'processors/topics.ts': ['processors/topology/', 'processors/wire.ts', 'schemas/types.ts'],
  'processors/wire.ts': ['processors/topology/', 'schemas/types.ts'],
  'processors/runtime/': [
    'processors/runtime/',
    'processors/topology/',
    'processors/limits.ts',
    'schemas/types.ts',
  ],
  'processors/adapters/': [
    'processors/adapters/',
    'processors/runtime/',
    'processors/topology/',
    'processors/limits.ts',
    'processors/analytics/ports.ts',
    'processors/delivery/ports.ts',
    'processors/freshness/ports.ts',
    'processors/protection/ports.ts',
    'processors/delivery/calls.ts',
    'processors/serving/ports.ts',
    'processors/webhooks/ports.ts',
    'schemas/',
    'package',
    'node:',
  ],
};
mayImport['processors/api/'] = [
  'processors/api/',
  'processors/domain/',
  'processors/topology/',
  'processors/topics.ts',
  'schemas/types.ts',
  'package',
  'node:',
];
for (const processor of [
  'intake',
  'stock',
  'carts',
  'channels',
  'audit',
  'delivery',
  'analytics',
  'anomalies',
  'forecasts',
  'freshness',
  'protection',
  'webhooks',
  'serving',
]) {
  mayImportOf(processor);
}

mayImport['processors/audit/'] = [...(mayImport['processors/audit/'] ?? []), 'node:crypto'];

function mayImportOf(processor: string): void {
  Object.assign(mayImport, {
    [`processors/${processor}/`]: [
      `processors/${processor}/`,
      'processors/domain/',
      'processors/cdc/',
      'processors/topology/',
      'processors/topics.ts',
      'processors/wire.ts',
      'processors/limits.ts',
      'schemas/types.ts',
    ],
  });
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^(?:import|export)[^;]*?from '([^']+)'/gms)].map((match) => {
    const target = String(match[1]);
    if (target.startsWith('.')) return normalize(`${dirname(file)}/${target}`);
    return target.startsWith('node:') ? target : `package ${target}`;
  });
}

describe('tidy', () => {
  it('imports go one way: the core knows nothing of adapters, processors nothing of each other', () => {
    const wrong = Object.entries(mayImport).flatMap(([folder, allowed]) =>
      sources
        .filter((file) => file.startsWith(folder))
        .flatMap((file) =>
          importsOf(file)
            .filter((target) => !allowed.some((start) => target.startsWith(start)))
            .map((target) => `${file} imports ${target}`),
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('files stay within 400 lines', () => {
    const long = sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 401);
    expect(long).toEqual([]);
  });

  it('no folder or file has a name that says nothing', () => {
    const vague = /(^|\/)(utils?|helpers?|common|misc|shared|types)(\/|\.ts$)/;
    expect(tracked.filter((file) => vague.test(file) && file !== 'schemas/types.ts')).toEqual([]);
  });

  it('no test is skipped and nothing is left to do', () => {
    const left = /\b(it|test|describe)\.(skip|only|todo)\b|\b(TODO|FIXME|XXX)\b/;
    const own = 'test/tidy.test.ts';
    expect(sources.filter((file) => file !== own && left.test(readFileSync(file, 'utf8')))).toEqual(
      [],
    );
  });

  it('the generated types are those of the schemas', () => {
    expect(readFileSync('schemas/types.ts', 'utf8')).toBe(generateTypes());
  });

  it('the lockfile holds no download addresses', () => {
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved": "http/);
  });
});
