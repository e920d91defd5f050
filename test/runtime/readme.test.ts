/** The README's word count is what it says it is: taken out of the page and run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { Topology } from '../../processors/topology/topology.ts';
import { commit, crash, record, runTopology } from '../support/topology-driver.ts';

it('the word count of the README counts words', async () => {
  const page = readFileSync('processors/runtime/README.md', 'utf8');
  const code = String(/```ts\n(.*?)```/s.exec(page)?.[1]);
  const folder = mkdtempSync(join(tmpdir(), 'stockline-readme-'));
  const file = join(folder, 'word-count.ts');
  writeFileSync(file, code.replaceAll("'../", `'${resolve('processors')}/`));
  try {
    const { wordCount } = (await import(/* @vite-ignore */ file)) as {
      readonly wordCount: Topology<number>;
    };
    const words = wordCount.inputs[0] as never;
    const counts = wordCount.outputs[0] as never;
    const script = [record(words, 'a' as never, '' as never), commit, crash];
    const result = runTopology(wordCount, [...script, ...script]);
    expect(result.records(counts).map(({ value }) => value)).toEqual(['1', '2']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
