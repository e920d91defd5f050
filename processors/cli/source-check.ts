/** `stockline source check`: may a source be captured without losing changes and without hurting it? */
import { Command } from 'commander';
import { loadMapping } from '../../connectors/systems.ts';
import { wantedTables } from './mappings.ts';
import { mariadbFacts } from './mariadb-facts.ts';
import { postgresFacts } from './postgres-facts.ts';
import { layOut } from './screen.ts';
import { type Finding, judgeMariadb, judgePostgres } from './source-findings.ts';
import { openMariadb, openPostgres } from './source-url.ts';

const marks = { good: '  ok', warning: 'warn', refusal: 'STOP' } as const;

export function sourceCommand(): Command {
  const source = new Command('source').description('the legacy databases');
  source
    .command('check')
    .description('may this source be captured? reads catalogues only; ends with 3 when it may not')
    .argument('<system>', 'a folder of connectors/, such as erp')
    .requiredOption(
      '--url <url>',
      'postgresql:// or mariadb://, as the user that captures: user:password@host:port/database',
    )
    .option('--json', 'the findings as JSON')
    .action(async (system: string, options: { readonly url: string; readonly json?: true }) => {
      const findings = await checkSource(system, options.url);
      if (options.json === true) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
      else process.stdout.write(`${shown(findings).join('\n')}\n`);
      process.exitCode = findings.some(({ level }) => level === 'refusal') ? 3 : 0;
    });
  return source;
}

async function checkSource(system: string, url: string): Promise<readonly Finding[]> {
  const mapping = await loadMapping(system);
  const wanted = wantedTables(mapping);
  const tables = wanted.map(({ name }) => name);
  if (mapping.kind === 'postgresql') {
    const client = await openPostgres(url);
    try {
      const name = `stockline_${system}`;
      const facts = await postgresFacts(client, { tables, publication: name, slot: name });
      return judgePostgres(facts, wanted);
    } finally {
      await client.end();
    }
  }
  const connection = await openMariadb(url);
  try {
    return judgeMariadb(
      await mariadbFacts(connection, mapping.schema, tables),
      mapping.schema,
      wanted,
    );
  } finally {
    await connection.end();
  }
}

/** What stops comes last, where the eye is. */
function shown(findings: readonly Finding[]): readonly string[] {
  const order = ['good', 'warning', 'refusal'] as const;
  const sorted = order.flatMap((level) => findings.filter((finding) => finding.level === level));
  return layOut(sorted.map(({ level, what, remedy }) => [marks[level], what, remedy]));
}
