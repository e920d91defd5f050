/** What the tables of an unknown database may be: by their keys, their references and the names of their columns. */
import type { FoundColumn, FoundTable } from '../source/tables.ts';

export type TableUse =
  | { readonly is: 'items'; readonly code: string }
  | { readonly is: 'balance' }
  | { readonly is: 'journal' }
  | { readonly is: 'lines'; readonly of: string; readonly by: string }
  | { readonly is: 'header' }
  | { readonly is: 'unknown'; readonly why: string };

const names = {
  sku: /^(.*_)?(sku|art(nr|ikel|icle)?(_?(nr|no|id|number))?|item(_?(id|no|nr|number|code))?|product(_?(id|no|code))?|plu|ean|gtin|upc|isbn|barcode|material(nr)?|goods(_?id)?|part(_?(no|nr|number|id))?)$/i,
  code: /(sku|ean|gtin|upc|barcode|code|number|artnr|item_no|default_code)$/i,
  location:
    /^(.*_)?(loc(ation)?(_?(id|code|no))?|lag(er|nr|ort)?(_?nr)?|warehouse(_?(id|code|no))?|wh(_?id)?|store(_?(id|no|nr|code|number))?|shop(_?(id|no|nr|code|number))?|fil(iale|nr)?|branch(_?(id|no|code))?|site(_?(id|no|code))?|outlet(_?(id|no|nr|code))?|depot(_?(id|no|nr|code|number))?|place(_?(id|no))?|bin(_?(id|code))?|shel(f|ves)(_?(id|no))?)$/i,
  quantity:
    /(qty|quant|menge|anz(ahl)?|stueck|units?$|pieces?|pcs|copies|on_?hand|stock$|bestand|amount$|delta|inventory$|balance$|level$)/i,
  date: /(date|datum|_at$|time|_on$|budat|day$|when)/i,
  kind: /^(.*_)?(type|kind|art|reason|code|status|state|stat|direction|dir)$/i,
};
/** Numbers that are no quantity of goods. */
const otherNumber =
  /(price|preis|cost|total|tax|vat|discount|rate|weight|width|height|length|lat|lon|year|age|percent|version|sort|position|line_?no|posnr|(^|_)(id|no|nr)$)/i;
/** What tables of such names hold. */
const tableNames = {
  items: /(item|article|artikel|product|sku|good|material|book|part|variant|merch)/i,
  places:
    /(loc|ware_?house|store|shop|depot|outlet|branch|site|lager|filial|shel[fv]|room|place|bin|kiosk)/i,
  people:
    /(cust|client|user|employ|staff|supplier|vendor|person|account|visitor|buyer|tax|curren|unit|categ|group|status)/i,
};

const isNumber = ({ type }: FoundColumn): boolean =>
  /^(numeric|decimal|double|float|real|int|integer|bigint|smallint|mediumint|tinyint)/.test(type);
export const isTime = ({ type }: FoundColumn): boolean => /^(date|time)/.test(type);

export type Roles = {
  readonly sku: string | undefined;
  readonly location: string | undefined;
  readonly quantity: string | undefined;
  readonly date: string | undefined;
  readonly kinds: readonly string[];
};

export type Guess = {
  readonly rolesOf: (table: FoundTable) => Roles;
  readonly useOf: (table: FoundTable) => TableUse;
  /** The table that a column refers to, said or not. */
  readonly targetOf: (table: FoundTable, column: string) => FoundTable | undefined;
};

export function guessOf(all: readonly FoundTable[]): Guess {
  const targetOf = (table: FoundTable, column: string): FoundTable | undefined => {
    const declared = table.references[column]?.table;
    return all.find((other) =>
      declared === undefined ? isCalledLike(table, column, other) : other.name === declared,
    );
  };
  const rolesOf = (table: FoundTable): Roles => roles(table, (column) => targetOf(table, column));
  const guess: Guess = {
    targetOf,
    rolesOf,
    useOf: (table) => useOf(table, all, guess),
  };
  return guess;
}

/** A column that is called like the key of another table, or like that table and its key. */
function isCalledLike(table: FoundTable, column: string, other: FoundTable): boolean {
  const [key] = other.primaryKey;
  if (other === table || other.primaryKey.length !== 1 || key === undefined) return false;
  const isOwnKey = table.primaryKey.length === 1 && table.primaryKey[0] === column;
  const stem = other.name.replace(/s$/, '');
  const isNamed = [`${stem}_id`, `${other.name}_id`, `${stem}${key}`].includes(column);
  return isNamed || (column === key && key !== 'id' && !isOwnKey);
}

/** By the names of columns first, then by what they refer to: of two tables that nothing is known of the larger one is the articles. */
function roles(table: FoundTable, target: (column: string) => FoundTable | undefined): Roles {
  const own = table.primaryKey.length === 1 ? table.primaryKey[0] : undefined;
  const others = table.columns.filter(({ name }) => name !== own);
  const named = (pattern: RegExp): string | undefined =>
    others.find(({ name }) => pattern.test(name))?.name;
  const masters = others
    .flatMap(({ name }) => {
      const to = target(name);
      return to === undefined || to.columns.some(isTime) ? [] : [{ name, to }];
    })
    .filter(({ to }) => !tableNames.people.test(to.name))
    .sort((one, other) => other.to.rows - one.to.rows);
  const referring = (pattern: RegExp): string | undefined =>
    masters.find(({ to }) => pattern.test(to.name))?.name;
  const location = named(names.location) ?? referring(tableNames.places);
  const sku =
    named(names.sku) ??
    referring(tableNames.items) ??
    masters.find(({ name }) => name !== location)?.name ??
    (own !== undefined && names.sku.test(own) ? own : undefined);
  const numbers = table.columns.filter(
    (column) =>
      isNumber(column) &&
      !table.primaryKey.includes(column.name) &&
      target(column.name) === undefined &&
      !otherNumber.test(column.name),
  );
  const only = numbers.length === 1 && sku !== undefined ? numbers[0]?.name : undefined;
  return {
    sku,
    location: location ?? masters.find(({ name }) => name !== sku)?.name,
    quantity: numbers.find(({ name }) => names.quantity.test(name))?.name ?? only,
    date:
      table.columns.find((column) => names.date.test(column.name) && isTime(column))?.name ??
      table.columns.find(isTime)?.name,
    kinds: table.columns
      .filter(({ name }) => names.kind.test(name) && !names.sku.test(name))
      .map(({ name }) => name),
  };
}

function useOf(table: FoundTable, all: readonly FoundTable[], guess: Guess): TableUse {
  const { sku, location, quantity, date } = guess.rolesOf(table);
  if (table.primaryKey.length === 0) {
    return { is: 'unknown', why: 'it has no primary key, so it cannot be captured' };
  }
  const parent = parentOf(table, all, guess);
  if (sku !== undefined && quantity !== undefined && parent !== undefined) return parent;
  const isCell =
    sku !== undefined &&
    table.primaryKey.includes(sku) &&
    (location === undefined || table.primaryKey.includes(location));
  if (quantity !== undefined && isCell && table.primaryKey.length <= 3) return { is: 'balance' };
  if (sku !== undefined && quantity !== undefined && date !== undefined) return { is: 'journal' };
  if (sku !== undefined && quantity !== undefined && location !== undefined) {
    return { is: 'balance' };
  }
  const code = table.columns.find(
    ({ name, type }) =>
      names.code.test(name) && /char|text/.test(type) && !table.primaryKey.includes(name),
  );
  const isMaster = table.primaryKey.length === 1 && quantity === undefined;
  if (isMaster && code !== undefined && isReferred(table, all, guess)) {
    return { is: 'items', code: code.name };
  }
  return { is: 'unknown', why: 'no article with a quantity was seen in it' };
}

/** Columns that may name something, where it is not seen which: they are read, so that a blank can speak of them. */
export const namingColumns = ({ columns, references }: FoundTable): readonly string[] =>
  columns
    .filter(
      ({ name, type }) =>
        references[name] !== undefined ||
        (/(id|no|nr|num|code|key)$/i.test(name) && !isTime({ name, type, isNullable: false })),
    )
    .map(({ name }) => name);

/** The table of headers, which have a time and no quantity. */
function parentOf(
  table: FoundTable,
  all: readonly FoundTable[],
  guess: Guess,
): TableUse | undefined {
  for (const other of all) {
    if (other === table || other.primaryKey.length !== 1) continue;
    const { date, quantity } = guess.rolesOf(other);
    if (date === undefined || quantity !== undefined) continue;
    const { sku } = guess.rolesOf(table);
    const by = table.columns.find(
      ({ name }) => name !== sku && guess.targetOf(table, name) === other,
    );
    if (by !== undefined) return { is: 'lines', of: other.name, by: by.name };
  }
  return undefined;
}

function isReferred(table: FoundTable, all: readonly FoundTable[], guess: Guess): boolean {
  return all.some((other) => {
    const { sku } = guess.rolesOf(other);
    return other !== table && sku !== undefined && guess.targetOf(other, sku) === table;
  });
}
