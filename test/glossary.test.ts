/** One word, one thing: names in code and schemas against docs/glossary.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';

const glossary = readFileSync('docs/glossary.md', 'utf8');
const rows = [...glossary.matchAll(/^\| (?!word|---)([^|]+) \| ([^|]+) \|([^|]*)\|$/gm)];
const words = (text: string): readonly string[] =>
  [...text.matchAll(/`(\w+)`/g)].map(([, word = '']) => word.toLowerCase());
const banned = new Set(rows.flatMap(([, , , not = '']) => words(not)));
const bannedEndings = new Set(words(glossary.slice(glossary.indexOf('No name ends in'))));

type Name = { readonly name: string; readonly at: string };

/** Files, and what they export. */
function namesInCode(): readonly Name[] {
  const files = ['processors', 'deploy', 'dashboards', 'schemas'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  return files.flatMap((file) => {
    const declared = /^(?:export )?(?:async )?(?:const|function|class|type|interface) (\w+)/gm;
    const names = [...readFileSync(file, 'utf8').matchAll(declared)].map(([, name = '']) => name);
    return [basename(file), ...names].map((name) => ({ name, at: file }));
  });
}

const schemas = readdirSync('schemas')
  .filter((name) => name.endsWith('.avsc'))
  .map((name) => `schemas/${name}`);

function namesInSchemas(): readonly Name[] {
  return schemas.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/"name": "(\w+)"/g)].map(([, name = '']) => ({
      name,
      at: file,
    })),
  );
}

/** `firstShopOfDay` → first, shop, of, day. */
const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);

function isKept(name: string): boolean {
  const parts = wordsOf(name.replace(/\.(ts|mjs)$/, ''));
  return !parts.some((word) => banned.has(word)) && !bannedEndings.has(parts.at(-1) ?? '');
}

describe('the glossary', () => {
  it('has a meaning for each of its words, and words that are not used', () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const [, word = '', meaning = ''] of rows) expect(meaning.trim(), word).not.toBe('');
    expect(banned.size).toBeGreaterThan(15);
    expect(bannedEndings.size).toBeGreaterThan(5);
  });

  it('is kept by every name in code and schemas', () => {
    const names = [...namesInCode(), ...namesInSchemas()];
    expect(names.length).toBeGreaterThan(1_000);
    const wrong = names.filter(({ name }) => !isKept(name));
    expect(wrong.map(({ name, at }) => `${at}: ${name}`)).toEqual([]);
  });

  it('would see a word that is not used', () => {
    expect(isKept('StockManager')).toBe(false);
    expect(isKept('warehouse-row.ts')).toBe(false);
    expect(isKept('unitsOfLocation')).toBe(true);
  });
});
