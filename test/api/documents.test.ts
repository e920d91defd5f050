import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problems } from '../../processors/api/problem.ts';
import { apiDocuments } from '../../processors/cli/api-documents.ts';

describe('docs/api', () => {
  it('describes the API and the topics as the code has them: run `stockline describe` after a change', async () => {
    for (const [file, text] of Object.entries(await apiDocuments())) {
      expect(readFileSync(file, 'utf8'), file).toBe(text);
    }
  });

  it('names every problem in README.md', () => {
    const page = readFileSync('docs/api/README.md', 'utf8');
    for (const [code, [status]] of Object.entries(problems)) {
      expect(page).toContain(`| ${code} | ${status} |`);
    }
  });

  it('documents each answer of every operation', () => {
    const { paths, openapi } = JSON.parse(readFileSync('docs/api/openapi.json', 'utf8'));
    expect(openapi).toBe('3.1.0');
    for (const operations of Object.values(paths)) {
      for (const one of Object.values(operations as object)) {
        expect(Object.keys(one.responses)).toEqual(expect.arrayContaining(['200', '400', '401']));
        expect(one.operationId).toMatch(/^[a-z]/);
      }
    }
  });
});
