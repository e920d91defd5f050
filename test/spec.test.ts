/** Every guarantee of SPEC.md is carried by a test, and every id that a test carries is in SPEC.md. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const promised = new Set(
  [...readFileSync('SPEC.md', 'utf8').matchAll(/^\| ([A-Z]\d) \|/gm)].map((match) => match[1]),
);
const testFiles = execFileSync('git', [
  'ls-files',
  '--cached',
  '--others',
  '--exclude-standard',
  'test',
])
  .toString()
  .split('\n')
  .filter((file) => file.endsWith('.test.ts'));
const carried = new Set(
  testFiles.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:it|test|describe)\(\s*['"`]([A-Z]\d): /g)].map(
      (match) => match[1],
    ),
  ),
);

it('each guarantee of SPEC.md is carried by a test', () => {
  expect([...promised].filter((id) => !carried.has(id))).toEqual([]);
});

it('each id carried by a test is a guarantee of SPEC.md', () => {
  expect([...carried].filter((id) => !promised.has(id))).toEqual([]);
});
