/** `stockline map init`: looks at a database and writes a folder of connectors/ for it, with marked blanks. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { slotName } from '../connectors.ts';
import { layOut } from '../screen.ts';
import { type FoundTable, openSource, type SourceDatabase } from '../source/tables.ts';
import { type Drafted, draftMapping, type SeenValues } from './draft.ts';
import { guessOf } from './guess.ts';

const connectors = fileURLToPath(new URL('../../../connectors', import.meta.url));
const valuesMax = 12;
/** Systems whose connector stands for its kind. */
const templates = { postgresql: 'erp', mariadb: 'pos' } as const;

export type InitOptions = { readonly source: string; readonly directory?: string };

export async function initMapping(system: string, options: InitOptions): Promise<void> {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(system)) {
    throw new Error('a system is named by lower-case letters, digits and dashes');
  }
  const folder = options.directory ?? `${connectors}/${system}`;
  if (existsSync(`${folder}/mapping.ts`)) {
    throw new Error(`${folder}/mapping.ts is there already: another name, or --directory`);
  }
  const source = await openSource(options.source);
  try {
    const tables = await source.tables();
    if (tables.length === 0) throw new Error(`schema ${source.schema} has no tables`);
    const seen = await seenIn(source, tables);
    const { kind, schema } = source;
    const drafted = draftMapping(system, kind, schema, tables, seen);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/mapping.ts`, drafted.mapping);
    const connector = connectorDraft(system, source, new URL(options.source), drafted);
    writeFileSync(`${folder}/connector.json`, `${JSON.stringify(connector, null, 2)}\n`);
    writeFileSync(`${folder}/README.md`, readmeOf(system, tables, drafted));
    process.stdout.write(`${summaryOf(folder, system, tables, drafted).join('\n')}\n`);
  } finally {
    await source.close();
  }
}

async function seenIn(source: SourceDatabase, tables: readonly FoundTable[]): Promise<SeenValues> {
  const values = new Map<string, readonly (string | null)[]>();
  const signed = new Set<string>();
  const { rolesOf } = guessOf(tables);
  for (const table of tables) {
    const { kinds, quantity } = rolesOf(table);
    for (const kind of kinds) {
      const found = await source.values(table.name, kind, valuesMax + 1);
      const few = found.length > valuesMax ? [] : found.map(({ value }) => value);
      values.set(`${table.name}.${kind}`, few);
    }
    if (quantity !== undefined && (await source.hasNegative(table.name, quantity))) {
      signed.add(`${table.name}.${quantity}`);
    }
  }
  return {
    values: (table, column) => values.get(`${table}.${column}`) ?? [],
    isSigned: (table, column) => signed.has(`${table}.${column}`),
  };
}

/** As those of its kind are, for its own tables and the columns that its mapping reads. */
function connectorDraft(
  system: string,
  { kind, schema }: SourceDatabase,
  url: URL,
  { columns }: Drafted,
): Readonly<Record<string, string>> {
  const template = JSON.parse(
    readFileSync(`${connectors}/${templates[kind]}/connector.json`, 'utf8'),
  ) as Record<string, string>;
  const tables = Object.keys(columns).map((table) => `${schema}.${table}`);
  const read = Object.entries(columns).flatMap(([table, names]) =>
    names.map((name) => `${schema}.${table}.${name}`),
  );
  const name = slotName(system);
  const database = decodeURIComponent(url.pathname.slice(1));
  return {
    ...template,
    'topic.prefix': system,
    'database.password': `\${dir:\${secrets}:${system}-password}`,
    'table.include.list': tables.join(','),
    'column.include.list': read.join(','),
    ...(kind === 'postgresql'
      ? { 'database.dbname': database, 'slot.name': name, 'publication.name': name }
      : {
          'database.include.list': database,
          'database.server.id': String(5_500 + (checksum(system) % 400)),
          'schema.history.internal.kafka.topic': `${system}.schema-history`,
        }),
  };
}

/** A number of a replica that no other connector has, as far as names tell. */
const checksum = (text: string): number =>
  [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521, 7);

const useText = (drafted: Drafted, table: FoundTable): string => {
  const use = drafted.uses[table.name];
  switch (use?.is) {
    case 'items':
      return `articles; the SKU is ${use.code}, else the key`;
    case 'balance':
      return 'balances: they open each cell';
    case 'journal':
      return 'movements, each row one';
    case 'lines':
      return `lines of ${use.of}, by ${use.by}`;
    case 'header':
      return 'headers of documents';
    default:
      return `not read: ${use?.why ?? 'nothing was seen in it'}`;
  }
};

function readmeOf(system: string, tables: readonly FoundTable[], drafted: Drafted): string {
  const rows = tables.map((table) => `| \`${table.name}\` | ${useText(drafted, table)} |`);
  return `# ${system}\n\nA draft from what the database looks like; correct it where it is wrong.\n\n| table | read as |\n|---|---|\n${rows.join('\n')}\n`;
}

function summaryOf(
  folder: string,
  system: string,
  tables: readonly FoundTable[],
  drafted: Drafted,
): readonly string[] {
  const rows = tables.map((table) => [
    `  ${table.name}`,
    `${table.rows} rows`,
    useText(drafted, table),
  ]);
  return [
    `${folder}: mapping.ts, connector.json, README.md`,
    ...layOut(rows),
    `${drafted.blanks.length} blanks to fill in:`,
    ...drafted.blanks.map((question) => `  ${question}`),
    `then: stockline map check ${system} --url ...; stockline cutover --dry-run ${system} --url ...; and add ${system} to STOCKLINE_SYSTEMS`,
  ];
}
