/** `stockline map`: what a mapping reads, and telling the past anew by it. */
import { Command } from 'commander';
import { Kafka, logLevel } from 'kafkajs';
import { columnType } from '../cdc/table.ts';
import { capturedTables, type SystemMapping } from '../intake/mapping.ts';
import { restateHeader } from '../intake/step.ts';
import { transactionTopic } from '../intake/topology.ts';
import { loadMapping, wantedTables } from './mappings.ts';
import { mariadbFacts } from './mariadb-facts.ts';
import { readPlaces } from './places.ts';
import { postgresFacts } from './postgres-facts.ts';
import { layOut } from './screen.ts';
import { openMariadb, openPostgres } from './source-url.ts';

export function mapCommand(): Command {
  const map = new Command('map').description('mappings: connectors/<system>/mapping.ts');
  map
    .command('check')
    .description('what each table and column is read as, and with --url what is ignored')
    .argument('<system>', 'a folder of connectors/, such as erp')
    .option('--url <url>', 'the database: postgresql:// or mariadb://user:password@host/database')
    .action(async (system: string, options: { readonly url?: string }) => {
      const mapping = await loadMapping(system);
      const ignored = options.url === undefined ? undefined : await ignoredIn(mapping, options.url);
      process.stdout.write(`${explained(mapping, ignored).join('\n')}\n`);
    });
  map
    .command('apply')
    .description(
      'compute every document anew by the mapping that intake runs and the lookups of today; differences are told as restatements',
    )
    .argument('<system>', 'a folder of connectors/, such as erp')
    .requiredOption('--why <text>', 'the reason, which every restatement carries')
    .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
    .action(
      async (system: string, options: { readonly why: string; readonly directory: string }) => {
        await loadMapping(system);
        const { brokers } = readPlaces(process.env, options.directory);
        await restate(brokers, system, options.why);
        process.stderr.write(
          `told to intake-${system}; see what changed: stockline sql "SELECT * FROM ledger_entry_changes WHERE reason LIKE 'restatement:%'"\n`,
        );
      },
    );
  return map;
}

/** An empty record behind all that the source has told so far. */
async function restate(brokers: string, system: string, why: string): Promise<void> {
  const kafka = new Kafka({
    clientId: 'stockline-map',
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer();
  await producer.connect();
  try {
    await producer.send({
      topic: transactionTopic(system),
      acks: -1,
      messages: [{ key: restateHeader, value: null, headers: { [restateHeader]: why } }],
    });
  } finally {
    await producer.disconnect();
  }
}

/** Columns of the captured tables that the mapping does not read, by table. */
async function ignoredIn(
  mapping: SystemMapping,
  url: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = wantedTables(mapping);
  const tables = wanted.map(({ name }) => name);
  const found =
    mapping.kind === 'postgresql'
      ? await postgresTables(url, tables)
      : await mariadbTables(url, mapping, tables);
  return new Map(
    found.map(({ name, columns }) => {
      const read = new Set(wanted.find((one) => one.name === name)?.columns.flat());
      return [name, columns.filter((column) => !read.has(column))];
    }),
  );
}

async function postgresTables(url: string, tables: readonly string[]) {
  const client = await openPostgres(url);
  try {
    return (await postgresFacts(client, { tables, publication: '', slot: '' })).tables;
  } finally {
    await client.end();
  }
}

async function mariadbTables(url: string, mapping: SystemMapping, tables: readonly string[]) {
  const connection = await openMariadb(url);
  try {
    return (await mariadbFacts(connection, mapping.schema, tables)).tables;
  } finally {
    await connection.end();
  }
}

function explained(
  mapping: SystemMapping,
  ignored: ReadonlyMap<string, readonly string[]> | undefined,
): readonly string[] {
  return capturedTables(mapping).flatMap((table) => {
    const uses = [
      ...mapping.documents.flatMap(({ name, header, lines }) => [
        ...(header.name === table.name ? [`document ${name}`] : []),
        ...(lines?.table.name === table.name ? [`lines of document ${name}`] : []),
      ]),
      ...mapping.lookups
        .filter((lookup) => lookup.table.name === table.name)
        .map(({ name }) => `lookup ${name}`),
    ];
    const rows = Object.entries(table.columns).map(([name, column]) => [
      `  ${name}`,
      columnType(column),
      table.primaryKey.includes(name) ? 'key' : '',
    ]);
    const rest = ignored?.get(`${mapping.schema}.${table.name}`) ?? [];
    const left = rest.length === 0 ? [] : [`  not read: ${rest.join(', ')}`];
    return [`${table.name}: ${uses.join(', ')}`, ...layOut(rows), ...left, ''];
  });
}
