/** The committed descriptions of the API and the topics, made from the code. */
import { writeFileSync } from 'node:fs';
import { schemaFile } from '../adapters/avro/schema-files.ts';
import { asyncApi } from '../api/asyncapi.ts';
import { graphqlSchema } from '../api/graphql.ts';
import { problem } from '../api/problem.ts';
import { createServer } from '../api/server.ts';
import { StockView } from '../api/view.ts';
import { loadPolicies } from '../settings/policies.ts';

/** File → text. */
export async function apiDocuments(): Promise<Readonly<Record<string, string>>> {
  const channels = loadPolicies().map((policy) => policy.channel);
  const server = await createServer({
    view: new StockView({ channels }),
    requests: { write: async () => {}, onOutcome: () => {} },
    authenticate: async () => problem('UNAUTHENTICATED', 'this server is only described'),
  });
  const openapi = server.swagger();
  await server.close();
  const json = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;
  return {
    'docs/api/openapi.json': json(openapi),
    'docs/api/asyncapi.json': json(asyncApi(channels, schemaFile)),
    'docs/api/schema.graphql': `${graphqlSchema.trim()}\n`,
  };
}

/** Resolves with the exit code. */
export async function writeApiDocuments(): Promise<number> {
  for (const [file, text] of Object.entries(await apiDocuments())) {
    writeFileSync(file, text);
    process.stderr.write(`${file}\n`);
  }
  return 0;
}
