/** How the writer's schema of a table answers to the captured columns: a parser per column, or what does not fit. */
import { type CapturedTable, columnNames, columnType } from './table.ts';
import { type ColumnParser, columnParser, type WrittenColumn } from './values.ts';

type ShapedColumn = {
  readonly name: string;
  /** Its name in the log. */
  readonly from: string;
  readonly parse: ColumnParser;
};

export type Shape = {
  readonly columns: readonly ShapedColumn[];
  readonly keyColumns: readonly ShapedColumn[];
  /** What of the table no longer fits the mapping, as a sentence. */
  readonly misfit: string | undefined;
  readonly keyMisfit: string | undefined;
};

type Schema = Readonly<Record<string, unknown>>;

const shapes = new WeakMap<object, Map<CapturedTable, Shape>>();

/** Worked out once per writer's schema. */
export function shapeOf(table: CapturedTable, writer: unknown): Shape {
  const byTable = shapes.get(writer as object) ?? new Map<CapturedTable, Shape>();
  shapes.set(writer as object, byTable);
  const known = byTable.get(table);
  if (known !== undefined) return known;
  const shape = makeShape(table, writtenColumns(writer));
  byTable.set(table, shape);
  return shape;
}

function makeShape(table: CapturedTable, written: ReadonlyMap<string, WrittenColumn>): Shape {
  const columns: ShapedColumn[] = [];
  const misfits = new Map<string, string>();
  for (const [name, column] of Object.entries(table.columns)) {
    const names = columnNames(name, column);
    const from = names.find((one) => written.has(one));
    if (from === undefined) {
      if (typeof column === 'object' && column.absent !== undefined) {
        const { absent } = column;
        columns.push({ name, from: name, parse: () => absent });
      } else misfits.set(name, `column ${names.join(' or ')} of ${table.name} is gone`);
      continue;
    }
    const type = columnType(column);
    const found = written.get(from) as WrittenColumn;
    const parse = columnParser(type, found);
    if (parse !== undefined) columns.push({ name, from, parse });
    else {
      const kind = found.encoding === '' ? found.avro : found.encoding;
      misfits.set(name, `column ${from} of ${table.name} is ${kind} now, which is no ${type}`);
    }
  }
  const inKey = ({ name }: { readonly name: string }) => table.primaryKey.includes(name);
  const all = [...misfits.values()].join('; ');
  const ofKey = [...misfits].filter(([name]) => inKey({ name })).map(([, text]) => text);
  return {
    columns,
    keyColumns: columns.filter(inKey),
    misfit: all === '' ? undefined : all,
    keyMisfit: ofKey.length === 0 ? undefined : ofKey.join('; '),
  };
}

/** The columns of the row that an envelope's schema describes. */
function writtenColumns(writer: unknown): ReadonlyMap<string, WrittenColumn> {
  const found = new Map<string, WrittenColumn>();
  for (const field of fieldsOf(writer)) {
    if (field.name !== 'before' && field.name !== 'after') continue;
    const row = [field.type].flat().find((type) => typeof type === 'object' && type !== null);
    for (const column of fieldsOf(row)) found.set(String(column.name), written(column.type));
  }
  return found;
}

function fieldsOf(schema: unknown): readonly Schema[] {
  return ((schema as Schema | undefined)?.fields as readonly Schema[] | undefined) ?? [];
}

const primitives = new Set(['int', 'long', 'float', 'double', 'boolean', 'bytes', 'string']);

/** A record that the schema has described before is only named, as Connect names it. */
function writtenByName(name: string): WrittenColumn {
  return primitives.has(name) ? { avro: name, encoding: '' } : { avro: 'record', encoding: name };
}

function written(type: unknown): WrittenColumn {
  const own = [type].flat().find((one) => one !== 'null');
  if (typeof own !== 'object' || own === null) return writtenByName(String(own));
  const schema = own as Schema;
  const encoding = String(schema['connect.name'] ?? '');
  if (schema.logicalType === 'decimal' && schema.type === 'bytes') {
    return { avro: 'decimal', encoding: '' };
  }
  // What Connect calls `Enum`, `EnumSet`, `Uuid` or `Json` is a string like any other.
  const isPlain = schema.type === 'string' && !encoding.startsWith('io.debezium.time.');
  return { avro: String(schema.type), encoding: isPlain ? '' : encoding };
}
