/** What the tables of an unknown database may be: by their keys, their references and the names of their columns. */
import type { FoundColumn, FoundTable } from './source-tables.ts';

export type TableUse =
  | { readonly is: 'items'; readonly code: string }
  | { readonly is: 'balance' }
  | { readonly is: 'journal' }
  | { readonly is: 'lines'; readonly of: string; readonly by: string }
  | { readonly is: 'header' }
  | { readonly is: 'unknown'; readonly why: string };

const names = {
  sku: /^(.*_)?(sku|art(nr|ikel|icle)?(_?(nr|no|id|number))?|item(_?(id|no|nr|number|code))?|product(_?(id|no|code))?|plu|ean|gtin|barcode|material(nr)?|goods(_?id)?)$/i,
  code: /(sku|ean|gtin|barcode|code|number|artnr|item_no|default_code)$/i,
  location:
    /^(.*_)?(loc(ation)?(_?(id|code|no))?|lag(er|nr|ort)?(_?nr)?|warehouse(_?(id|code|no))?|wh(_?id)?|store(_?(id|no|nr|code|number))?|shop(_?(id|no|nr|code|number))?|fil(iale|nr)?|branch(_?(id|no|code))?|site(_?(id|no|code))?|outlet(_?(id|no|nr|code))?|depot(_?(id|no|nr|code|number))?|place(_?(id|no))?|bin(_?(id|code))?)$/i,
  quantity:
    /(qty|quant|menge|anz(ahl)?|stueck|units?$|on_?hand|stock$|bestand|amount$|delta|inventory$)/i,
  date: /(date|datum|_at$|time|_on$|budat|day$|when)/i,
  kind: /^(.*_)?(type|kind|art|reason|code|status|state|stat|direction|dir)$/i,
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

export function rolesOf(table: FoundTable): Roles {
  const pick = (pattern: RegExp, fits: (column: FoundColumn) => boolean = () => true) =>
    table.columns.find((column) => pattern.test(column.name) && fits(column))?.name;
  const isAlone = table.primaryKey.length === 1 ? table.primaryKey[0] : undefined;
  // The row's own number is not the article that it is about, unless nothing else is.
  const about = table.columns.find(({ name }) => names.sku.test(name) && name !== isAlone)?.name;
  return {
    sku: about ?? pick(names.sku),
    location: table.columns.find(({ name }) => names.location.test(name) && name !== isAlone)?.name,
    quantity: pick(names.quantity, isNumber),
    date: pick(names.date, isTime) ?? table.columns.find(isTime)?.name,
    kinds: table.columns
      .filter(({ name }) => names.kind.test(name) && !names.sku.test(name))
      .map(({ name }) => name),
  };
}

export function useOf(table: FoundTable, all: readonly FoundTable[]): TableUse {
  const { sku, location, quantity, date } = rolesOf(table);
  if (table.primaryKey.length === 0) {
    return { is: 'unknown', why: 'it has no primary key, so it cannot be captured' };
  }
  const parent = parentOf(table, all);
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
  if (isMaster && code !== undefined && isReferred(table, all)) {
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

/** By a reference, or by a column that is called like the other table and its key. */
function parentOf(table: FoundTable, all: readonly FoundTable[]): TableUse | undefined {
  for (const other of all) {
    const key = other.primaryKey.length === 1 ? other.primaryKey[0] : undefined;
    if (other === table || key === undefined) continue;
    const roles = rolesOf(other);
    if (roles.date === undefined || roles.quantity !== undefined) continue;
    const stem = other.name.replace(/s$/, '');
    const by = table.columns.find(({ name }) => {
      const target = table.references[name];
      if (target !== undefined) return target.table === other.name;
      const isNamed =
        name === `${stem}_id` || name === `${other.name}_id` || name === `${stem}${key}`;
      return isNamed || (name === key && key !== 'id' && name !== rolesOf(table).sku);
    });
    const isLine = table.name !== other.name && by !== undefined;
    if (isLine) return { is: 'lines', of: other.name, by: by.name };
  }
  return undefined;
}

function isReferred(table: FoundTable, all: readonly FoundTable[]): boolean {
  const key = table.primaryKey[0] ?? '';
  return all.some((other) => {
    if (other === table) return false;
    const { sku } = rolesOf(other);
    if (sku === undefined) return false;
    const target = other.references[sku];
    return target === undefined ? sku === key : target.table === table.name;
  });
}
