/** `stockline source`: may it be captured without losing changes and without hurting it, and tables read again. */
import { Command } from 'commander';
import { loadMapping } from '../../connectors/systems.ts';
import { beginAnew, readInPieces } from '../adapters/connect-rest.ts';
import { signalBlockingSnapshot } from '../adapters/connector-signal.ts';
import { dropSlot, slotFacts } from '../adapters/source-log.ts';
import { capturedTables } from '../intake/mapping.ts';
import { captureAccess, readKafkaPlaces, readPlaces } from '../settings/places.ts';
import { slotName } from './connectors.ts';
import { wantedTables } from './mappings.ts';
import { layOut } from './screen.ts';
import { type Finding, judgeMariadb, judgePostgres } from './source/findings.ts';
import { mariadbFacts } from './source/mariadb-facts.ts';
import { postgresFacts } from './source/postgres-facts.ts';
import { openMariadb, openPostgres } from './source/url.ts';

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
  source
    .command('snapshot')
    .description(
      'have tables read again while the connector runs: after a column was added or a schema changed, or when a gap was told',
    )
    .argument('<system>', 'a folder of connectors/, such as erp')
    .argument('[tables...]', 'captured tables, without their schema; none: all')
    .option(
      '--blocking',
      'at one moment, and changes wait meanwhile; takes back rows that are gone',
    )
    .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
    .action(snapshotAgain);
  source
    .command('resync')
    .description(
      'begin capture anew with a snapshot of the whole source: after a lost slot or log, a failover, a restore',
    )
    .argument('<system>', 'a folder of connectors/, such as erp')
    .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
    .action(resync);
  return source;
}

const connectorDeadlineMs = 120_000;

async function resync(system: string, options: { readonly directory: string }): Promise<void> {
  const mapping = await loadMapping(system);
  const places = readPlaces(process.env, options.directory);
  const { connectUrl } = places;
  process.stderr.write(`stopping the connector of ${system}, deleting its offsets ...\n`);
  await beginAnew(connectUrl, system, {
    deadlineMs: connectorDeadlineMs,
    // A slot that was lost holds nothing, and is in the way of a new one.
    whileStopped: async () => {
      if (mapping.kind !== 'postgresql') return;
      const access = captureAccess(places, mapping);
      const slot = slotName(system);
      const found = await slotFacts(access, slot);
      if (found.kind === 'slot' && found.isLost) await dropSlot(access, slot);
    },
  });
  process.stdout.write(
    `the connector of ${system} reads its source anew: rows that are gone are taken back, what stays is told to nobody again\n`,
  );
}

async function snapshotAgain(
  system: string,
  tables: readonly string[],
  options: { readonly blocking?: true; readonly directory: string },
): Promise<void> {
  const mapping = await loadMapping(system);
  const captured = capturedTables(mapping).map(({ name }) => name);
  const unknown = tables.filter((table) => !captured.includes(table));
  if (unknown.length > 0) {
    throw new Error(
      `${system} captures no table ${unknown.join(', ')}: it captures ${captured.join(', ')}`,
    );
  }
  const wanted = tables.length === 0 ? captured : tables;
  const names = wanted.map((table) => `${mapping.schema}.${table}`);
  const isBlocking = options.blocking === true;
  if (isBlocking) {
    const { brokers } = readKafkaPlaces(process.env, options.directory);
    await signalBlockingSnapshot(brokers, { connector: system, tables: names });
  } else {
    const { connectUrl } = readPlaces(process.env, options.directory);
    process.stderr.write(`stopping the connector of ${system} for a moment ...\n`);
    await readInPieces(connectUrl, system, names, { deadlineMs: connectorDeadlineMs });
  }
  const kind = isBlocking ? 'a blocking' : 'an incremental';
  process.stdout.write(
    `the connector of ${system} takes ${kind} snapshot of ${wanted.join(', ')}: its rows follow as changes\n`,
  );
}

async function checkSource(system: string, url: string): Promise<readonly Finding[]> {
  const mapping = await loadMapping(system);
  const wanted = wantedTables(mapping);
  const tables = wanted.map(({ name }) => name);
  if (mapping.kind === 'postgresql') {
    const client = await openPostgres(url);
    try {
      const name = slotName(system);
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
