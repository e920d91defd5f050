/** `stockline map`: what a mapping reads, and telling the past anew by it. */
import { Command } from 'commander';
import { Kafka, logLevel } from 'kafkajs';
import { loadMapping } from '../../connectors/systems.ts';
import { columnType } from '../cdc/table.ts';
import { capturedTables, type SystemMapping } from '../intake/mapping.ts';
import { restateHeader } from '../intake/step.ts';
import { transactionTopic } from '../intake/topology.ts';
import { contradictions, type TriedDocument } from '../intake/trial.ts';
import { readPlaces } from '../settings/places.ts';
import { differenceBy, type MapDifference } from './map/difference.ts';
import { checkGolden } from './map/golden.ts';
import { initMapping } from './map/init.ts';
import { sampleOf } from './map/sample.ts';
import { wantedTables } from './mappings.ts';
import { layOut } from './screen.ts';
import { mariadbFacts } from './source/mariadb-facts.ts';
import { postgresFacts } from './source/postgres-facts.ts';
import { openSources } from './source/tables.ts';
import { openMariadb, openPostgres } from './source/url.ts';

export function mapCommand(): Command {
  const map = new Command('map').description('mappings: connectors/<system>/mapping.ts');
  map
    .command('init')
    .description('look at a database and draft its folder of connectors/, with marked blanks')
    .argument('<system>', 'the name that the source shall have, such as shop')
    .requiredOption('--source <url>', 'postgresql:// or mariadb://user:password@host:port/database')
    .option('--directory <path>', 'write here instead of connectors/<system>')
    .action(initMapping);
  map
    .command('check')
    .description(
      'what each table and column is read as; with --url also what is ignored, and what the newest rows mean',
    )
    .argument('<system>', 'a folder of connectors/, such as erp')
    .option('--url <url>', 'the database: postgresql:// or mariadb://user:password@host/database')
    .option(
      '--lookup <system=url>',
      'the database of another system whose tables it looks up; may be repeated',
      (one: string, before: readonly string[]) => [...before, one],
      [] as readonly string[],
    )
    .option(
      '--rows <n>',
      'so many of each document',
      (text) => Number(text) || rowsShown,
      rowsShown,
    )
    .action(async (system: string, options: CheckOptions) => {
      process.exitCode = await check(system, options);
    });
  map
    .command('test')
    .description('golden rows of connectors/<system>/golden.json: do they mean what they shall?')
    .argument('<system>', 'a folder of connectors/, such as erp')
    .option(
      '--update',
      'write down what they mean now; look at the difference before you commit it',
    )
    .action(async (system: string, options: { readonly update?: true }) => {
      const result = checkGolden(await loadMapping(system), options.update === true);
      for (const fault of result.faults) process.stdout.write(`${fault}\n`);
      const verdict = result.faults.length === 0 ? 'as they shall' : `${result.faults.length} not`;
      process.stdout.write(`${result.examples} golden rows: ${verdict}\n`);
      process.exitCode = result.faults.length === 0 ? 0 : 1;
    });
  map
    .command('apply')
    .description(
      'compute every document anew by the mapping that intake runs and the lookups of today; differences are told as restatements',
    )
    .argument('<system>', 'a folder of connectors/, such as erp')
    .option('--why <text>', 'the reason, which every restatement carries')
    .option('--dry-run', 'only show what would change, by SKU')
    .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
    .action(async (system: string, options: ApplyOptions) => {
      process.exitCode = await applyMapping(system, options);
    });
  return map;
}

type CheckOptions = {
  readonly url?: string;
  readonly lookup: readonly string[];
  readonly rows: number;
};

const rowsShown = 3;

/** 3 when it contradicts itself, or rows cannot be read as it says. */
async function check(system: string, { url, lookup, rows }: CheckOptions): Promise<number> {
  const mapping = await loadMapping(system);
  const ignored = url === undefined ? undefined : await ignoredIn(mapping, url);
  process.stdout.write(`${explained(mapping, ignored).join('\n')}\n`);
  if (url === undefined) return 0;
  const sources = await openSources(mapping, url, lookup);
  try {
    const wide = await sampleOf(mapping, sources, { last: Math.max(rows, rowsJudged) });
    const shown = mapping.documents.flatMap(({ name }) =>
      wide.tried.filter(({ document }) => document === name).slice(0, rows),
    );
    process.stdout.write(`${sampleLines(shown).join('\n')}\n`);
    const unknown = mapping.lookups.filter(({ system: of }) => !sources.has(of.name));
    const faults = [
      ...wide.unreadable,
      ...contradictions(mapping, wide.tried),
      ...new Set(
        wide.tried
          .filter(
            ({ fault }) => fault !== '' && !unknown.some(({ name }) => fault.startsWith(name)),
          )
          .map(({ document, fault }) => `${document}: ${fault}`),
      ),
    ];
    for (const { system: of } of unknown) {
      process.stderr.write(
        `not looked up: ${of.name}; name its database: --lookup ${of.name}=...\n`,
      );
    }
    const told = faults.slice(0, faultsShown).map((fault) => `  ${fault}`);
    const more = faults.length > faultsShown ? [`  and ${faults.length - faultsShown} more`] : [];
    const verdict =
      faults.length === 0
        ? [`${wide.tried.length} documents read: nothing contradicts itself`]
        : ['look at these:', ...told, ...more];
    process.stdout.write(`${verdict.join('\n')}\n`);
    return faults.length === 0 ? 0 : 3;
  } finally {
    await Promise.all([...sources.values()].map((source) => source.close()));
  }
}

const rowsJudged = 500;
const faultsShown = 20;

function sampleLines(tried: readonly TriedDocument[]): readonly string[] {
  return tried.flatMap(({ document, key, effects, fault }) => {
    const head = `${document} ${key}${fault === '' ? '' : `: ${fault}`}`;
    if (effects.length === 0) return [head, '  means nothing for stock'];
    const rows = effects.map((effect) => [
      `  ${effect.kind} ${effect.bucket}`,
      `${effect.quantity > 0 ? '+' : ''}${effect.quantity / 1_000}`,
      `${effect.sku} at ${effect.location}`,
      effect.reason,
      effect.occurredAt === 0 ? '' : new Date(effect.occurredAt).toISOString(),
      effect.echo === undefined ? '' : `the same as ${effect.echo.key}`,
    ]);
    return [head, ...layOut(rows)];
  });
}

type ApplyOptions = {
  readonly why?: string;
  readonly dryRun?: true;
  readonly directory: string;
};

async function applyMapping(system: string, options: ApplyOptions): Promise<number> {
  const mapping = await loadMapping(system);
  const { brokers, registryUrl } = readPlaces(process.env, options.directory);
  const difference = await differenceBy({ brokers, registryUrl }, mapping);
  process.stdout.write(`${differenceLines(difference).join('\n')}\n`);
  if (options.dryRun === true) return 0;
  if (options.why === undefined) throw new Error('say --why, or --dry-run to only look');
  if (difference.cells.length === 0) return 0;
  await restate(brokers, system, options.why);
  process.stderr.write(
    `told to intake-${system}; see what changed: stockline sql "SELECT * FROM ledger_entry_changes WHERE reason LIKE 'restatement:%'"\n`,
  );
  return 0;
}

function differenceLines({ documents, cells, refused }: MapDifference): readonly string[] {
  const rows = cells
    .slice(0, cellsShown)
    .map(({ sku, location, bucket, by, effects }) => [
      sku,
      location,
      bucket,
      `${by > 0 ? '+' : ''}${by / 1_000}`,
      `${effects} effects`,
    ]);
  const skus = new Set(cells.map(({ sku }) => sku)).size;
  return [
    ...layOut(rows),
    ...(cells.length > cellsShown ? [`and ${cells.length - cellsShown} more`] : []),
    ...refused.slice(0, faultsShown).map((reason) => `refused: ${reason}`),
    `${documents} documents computed anew: ${cells.length} figures of ${skus} SKUs change`,
  ];
}

const cellsShown = 40;

/** An empty record behind all that the source has told so far. */
export async function restate(brokers: string, system: string, why: string): Promise<void> {
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
