/**
 * A first mapping from what a database looks like: what its tables may mean, by their keys, references, names and rows. What cannot be
 * seen is a marked blank, and a mapping with blanks does not load.
 */

import type { FoundTable } from '../source/tables.ts';
import { type Guess, guessOf, isTime, namingColumns, type TableUse } from './guess.ts';

export type Drafted = {
  readonly mapping: string;
  /** Tables and columns that it reads. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** What was understood of each table. */
  readonly uses: Readonly<Record<string, TableUse>>;
  readonly blanks: readonly string[];
};

/** What the rows tell: values of columns with few of them, and whether a quantity is ever negative. */
export type SeenValues = {
  readonly values: (table: string, column: string) => readonly (string | null)[];
  readonly isSigned: (table: string, column: string) => boolean;
};

function typeOf(table: FoundTable, name: string, role: 'quantity' | 'other'): string {
  const column = table.columns.find((one) => one.name === name);
  const type = column?.type ?? '';
  if (role === 'quantity')
    return /^(double|float|real)/.test(type) ? 'roundedQuantity' : 'quantity';
  if (/^timestamp with time zone/.test(type)) return 'instant';
  // MariaDB's timestamp is an instant, PostgreSQL's without zone is not.
  if (/^timestamp(\(\d\))?$/.test(type)) return 'instant';
  if (/^(timestamp|datetime)/.test(type)) return 'localTime';
  if (type === 'date') return 'date';
  if (isTime({ name, type, isNullable: false })) return 'timeOfDay';
  if (/^(bool|tinyint|bit)/.test(type)) return 'integer';
  return /char|text|enum|set/.test(type) && !table.primaryKey.includes(name) ? 'text' : 'id';
}

/** `system`: the name that the source shall have. */
export function draftMapping(
  system: string,
  kind: 'postgresql' | 'mariadb',
  schema: string,
  tables: readonly FoundTable[],
  seen: SeenValues,
): Drafted {
  const guess = guessOf(tables);
  const uses = new Map(tables.map((table) => [table.name, guess.useOf(table)]));
  for (const use of [...uses.values()]) {
    if (use.is === 'lines') uses.set(use.of, { is: 'header' });
  }
  const blanks: string[] = [];
  const blank = (question: string): string => {
    blanks.push(question);
    return `blank(${JSON.stringify(question)})`;
  };
  const columns: Record<string, readonly string[]> = {};
  const parts = tables.flatMap((table) => {
    const use = uses.get(table.name);
    switch (use?.is) {
      case 'balance':
        return [balanceDraft(table, columns, itemsFor(table, tables, uses, guess), guess, blank)];
      case 'journal':
        return [
          journalDraft(table, columns, itemsFor(table, tables, uses, guess), guess, seen, blank),
        ];
      case 'lines': {
        const header = tables.find(({ name }) => name === use.of);
        return header === undefined
          ? []
          : [
              linesDraft(
                header,
                table,
                use.by,
                columns,
                itemsFor(table, tables, uses, guess),
                guess,
                seen,
                blank,
              ),
            ];
      }
      default:
        return [];
    }
  });
  const lookups = lookupDrafts({ name: system, kind, schema }, tables, uses, columns);
  const used = tables
    .filter(({ name }) => uses.get(name)?.is === 'items')
    .map(({ name }) => lookupName(name));
  if (parts.length === 0) {
    parts.push(`    ${blank(noGoods(tables))},`);
  }
  const zone = blank('the time zone of times without one, such as Europe/Berlin');
  const imports = [
    'blank',
    'dayMs',
    'defineMapping',
    ...(lookups.length > 0 ? ['type Lookup'] : []),
  ];
  const mapping = `/** What the tables of ${system} mean for stock. A draft: fill in every blank, then \`stockline map check ${system} --url ...\`. */
import { ${imports.join(', ')} } from '../../processors/intake/mapping.ts';

${lookups.map((one) => `${one}\n\n`).join('')}export const ${identifier(system)}Mapping = defineMapping({
  system: '${system}',
  kind: '${kind}',
  schema: '${schema}',
  timeZone: ${zone},
  lateAfterMs: 35 * dayMs,
  lookups: [${used.join(', ')}],
  documents: [
${parts.join('\n')}
  ],
});
`;
  return { mapping, columns, uses: Object.fromEntries(uses), blanks };
}

type Items = { readonly lookup: string; readonly name: string } | undefined;

function itemsFor(
  table: FoundTable,
  tables: readonly FoundTable[],
  uses: ReadonlyMap<string, TableUse>,
  guess: Guess,
): Items {
  const { sku } = guess.rolesOf(table);
  if (sku === undefined) return undefined;
  const target = guess.targetOf(table, sku)?.name;
  const items = tables.find(({ name }) => name === target && uses.get(name)?.is === 'items');
  if (items === undefined) return undefined;
  const key = items.primaryKey[0] ?? '';
  return { lookup: lookupName(items.name), name: `sku-by-${key.replaceAll('_', '-')}` };
}

const identifier = (name: string): string =>
  name.replace(/[-_]+(\w)/g, (_, letter: string) => letter.toUpperCase());
const lookupName = (table: string): string => `${identifier(table)}Codes`;

type Blank = (question: string) => string;

function columnsText(
  table: FoundTable,
  wanted: readonly (string | undefined)[],
  quantity: string | undefined,
): { readonly text: string; readonly names: readonly string[] } {
  const open = wanted.includes(undefined) ? namingColumns(table) : [];
  const list = [...new Set([...table.primaryKey, ...wanted, ...open, quantity])].filter(
    (one): one is string => one !== undefined,
  );
  const text = list
    .map((name) => `${name}: '${typeOf(table, name, name === quantity ? 'quantity' : 'other')}'`)
    .join(', ');
  return { text: `{ ${text} }`, names: list };
}

const keyText = ({ primaryKey }: FoundTable): string =>
  `[${primaryKey.map((name) => `'${name}'`).join(', ')}]`;

const askFor = (what: string, row: string, table: FoundTable): string => {
  const some = namingColumns(table).map((name) => `String(${row}.${name})`);
  return `${table.name}: ${what}? such as ${some.length === 0 ? "'1'" : some.join(' or ')}`;
};

const skuText = (
  row: string,
  sku: string | undefined,
  items: Items,
  blank: Blank,
  table: FoundTable,
) => {
  if (sku === undefined) return blank(askFor('which column names the article', row, table));
  return items === undefined
    ? `String(${row}.${sku})`
    : `resolver.lookup('${items.name}', String(${row}.${sku}))`;
};

const locationText = (
  row: string,
  location: string | undefined,
  blank: Blank,
  table: FoundTable,
) =>
  location === undefined
    ? blank(askFor('at which location', row, table))
    : `String(${row}.${location})`;

function timeText(table: FoundTable, row: string, date: string | undefined, blank: Blank): string {
  if (date === undefined) return blank(`${table.name}: which column says when it happened?`);
  switch (typeOf(table, date, 'other')) {
    case 'instant':
      return `Number(${row}.${date})`;
    case 'localTime':
      return `resolver.instant(Number(${row}.${date}))`;
    case 'date':
      return `resolver.dated(Number(${row}.${date}))`;
    default:
      return blank(`${table.name}.${date}: how is it a time?`);
  }
}

function balanceDraft(
  table: FoundTable,
  read: Record<string, readonly string[]>,
  items: Items,
  guess: Guess,
  blank: Blank,
): string {
  const { sku, location, quantity } = guess.rolesOf(table);
  const columns = columnsText(table, [sku, location], quantity);
  read[table.name] = columns.names;
  const uses = items === undefined ? '' : ', resolver';
  return `    {
      name: '${table.name}',
      // The balance that the source keeps: it opens each cell, and is compared with afterwards.
      header: { name: '${table.name}', primaryKey: ${keyText(table)}, columns: ${columns.text}, onDelete: 'retract' },
      containedInOpening: false,
      effects: ({ header }${uses}) => [
        {
          kind: 'opening',
          bucket: 'onHand',
          sku: ${skuText('header', sku, items, blank, table)},
          location: ${locationText('header', location, blank, table)},
          quantity: Number(header.${quantity}),
          occurredAt: 0,
          reason: 'opening',
          reference: '${table.name}',
        },
      ],
    },`;
}

/** What few values a column has, and what each means, is for a person to say. */
function signText(
  table: FoundTable,
  row: string,
  quantity: string | undefined,
  kinds: readonly string[],
  seen: SeenValues,
  blank: Blank,
): string {
  if (quantity !== undefined && seen.isSigned(table.name, quantity)) return '1';
  const told = kinds.map((kind) => `${kind} (${seen.values(table.name, kind).join(', ')})`);
  const by = told.length === 0 ? '' : `, by ${told.join(' or ')}`;
  return blank(
    `${table.name}: 1 where ${row} adds to stock, -1 where it takes away, 0 where it does neither${by}`,
  );
}

function journalDraft(
  table: FoundTable,
  read: Record<string, readonly string[]>,
  items: Items,
  guess: Guess,
  seen: SeenValues,
  blank: Blank,
): string {
  const { sku, location, quantity, date, kinds } = guess.rolesOf(table);
  const columns = columnsText(table, [sku, location, date, ...kinds], quantity);
  read[table.name] = columns.names;
  const key = table.primaryKey.map((name) => `\${header.${name}}`).join('/');
  return `    {
      name: '${table.name}',
      header: { name: '${table.name}', primaryKey: ${keyText(table)}, columns: ${columns.text}, onDelete: 'retract' },
      // Rows from before the first snapshot are in the balances already.
      containedInOpening: true,
      effects: ({ header }, resolver) => {
        const sign: number = ${signText(table, 'a row', quantity, kinds, seen, blank)};
        return [
          {
            kind: 'event',
            bucket: 'onHand',
            sku: ${skuText('header', sku, items, blank, table)},
            location: ${locationText('header', location, blank, table)},
            quantity: sign * Number(header.${quantity}),
            occurredAt: ${timeText(table, 'header', date, blank)},
            reason: ${kinds[0] === undefined ? "'movement'" : `String(header.${kinds[0]})`},
            reference: \`${table.name}/${key}\`,
          },
        ];
      },
    },`;
}

function linesDraft(
  header: FoundTable,
  lines: FoundTable,
  by: string,
  read: Record<string, readonly string[]>,
  items: Items,
  guess: Guess,
  seen: SeenValues,
  blank: Blank,
): string {
  const of = guess.rolesOf(header);
  const { sku, location, quantity, kinds } = guess.rolesOf(lines);
  const headerColumns = columnsText(header, [of.location, of.date, ...of.kinds], undefined);
  const lineColumns = columnsText(
    lines,
    [by, sku, ...(location === undefined ? [] : [location]), ...kinds],
    quantity,
  );
  read[header.name] = headerColumns.names;
  read[lines.name] = lineColumns.names;
  const states = of.kinds.map((kind) => `${kind} (${seen.values(header.name, kind).join(', ')})`);
  const counts =
    states.length === 0
      ? ''
      : `        const counts: boolean = ${blank(`${header.name}: does it count? such as header.${of.kinds[0]} === '...'; ${states.join('; ')}`)};\n        if (!counts) return [];\n`;
  const place =
    location === undefined
      ? locationText('header', of.location, blank, header)
      : `String(line.${location})`;
  const key = header.primaryKey.map((name) => `\${header.${name}}`).join('/');
  return `    {
      // Take it out where it is no movement of goods, such as an order.
      name: '${header.name}',
      header: { name: '${header.name}', primaryKey: ${keyText(header)}, columns: ${headerColumns.text}, onDelete: 'retract' },
      lines: {
        table: { name: '${lines.name}', primaryKey: ${keyText(lines)}, columns: ${lineColumns.text}, onDelete: 'retract' },
        headerKey: ['${by}'],
      },
      containedInOpening: ${blank(`${header.name}: true when the balances of the first snapshot contain its documents, false when another system posts them later`)},
      effects: ({ header, lines }, resolver) => {
${counts}        return lines.map((line) => {
          const sign: number = ${signText(lines, 'a line', quantity, kinds, seen, blank)};
          return {
            kind: 'event',
            bucket: 'onHand',
            sku: ${skuText('line', sku, items, blank, lines)},
            location: ${place},
            quantity: sign * Number(line.${quantity}),
            occurredAt: ${timeText(header, 'header', of.date, blank)},
            reason: sign < 0 ? 'sale' : 'receipt',
            reference: \`${header.name}/${key}\`,
          };
        });
      },
    },`;
}

const noGoods = (tables: readonly FoundTable[]): string =>
  `no table looks like balances or movements: which of ${tables.map(({ name }) => name).join(', ')} ` +
  'has goods in it? see connectors/erp/mapping.ts';

/** Of each table of articles: from its key to the code that others know. */
function lookupDrafts(
  system: { readonly name: string; readonly kind: string; readonly schema: string },
  tables: readonly FoundTable[],
  uses: ReadonlyMap<string, TableUse>,
  columns: Record<string, readonly string[]>,
): readonly string[] {
  return tables.flatMap((table) => {
    const use = uses.get(table.name);
    if (use?.is !== 'items') return [];
    const key = table.primaryKey[0] ?? '';
    columns[table.name] = [key, use.code];
    return [
      `const ${lookupName(table.name)}: Lookup = {
  name: 'sku-by-${key.replaceAll('_', '-')}',
  system: ${JSON.stringify(system)},
  table: { name: '${table.name}', primaryKey: ['${key}'], columns: { ${key}: 'id', ${use.code}: 'text' } },
  // A row without code goes by its key.
  entry: (row) => ({ key: String(row.${key}), value: String(row.${use.code} || row.${key}) }),
};`,
    ];
  });
}
