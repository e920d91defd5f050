/** docs/operating.md names every variable that a process reads, and no other. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const variables = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/\bSTOCKLINE(?:_[A-Z]+)+\b/g)].map(([name]) => name));

it('every setting stands in docs/operating.md, and what stands there is one', () => {
  const [table = '', others = ''] =
    readFileSync('docs/operating.md', 'utf8')
      .split('## Settings')[1]
      ?.split('The commands and `apply` read these too') ?? [];
  const read = variables(readFileSync('processors/config.ts', 'utf8').split('function')[0] ?? '');
  expect([...variables(table)].sort()).toEqual([...read].sort());
  expect(others).toContain('STOCKLINE_SYSTEMS');
});
