/** Cuts a writer's Avro schema down to the listed fields, so that nothing else of a record is decoded. */

type Field = { readonly name: string; readonly type: unknown };
type Schema = string | readonly unknown[] | Readonly<Record<string, unknown>>;
type Named = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** Which fields of each named record are wanted; 'all' when a path ends at it. */
type Wanted = Map<string, Set<string> | 'all'>;

const namedKinds = new Set(['record', 'error', 'enum', 'fixed']);

/**
 * The reader's schema for `fields` (paths such as `after.artnr`). Where one record type is reached by several
 * paths (`before` and `after`), it has the fields of all of them. Defaults are left out: every field that stays is
 * one that the writer has. Without `fields` the whole schema comes back, names qualified.
 */
export function projectSchema(writer: unknown, fields: readonly string[] | undefined): unknown {
  const named = new Map<string, Readonly<Record<string, unknown>>>();
  const whole = qualify(writer as Schema, '', named);
  const wanted: Wanted = new Map();
  if (fields === undefined) want(whole, [], named, wanted);
  else for (const path of fields) want(whole, path.split('.'), named, wanted);
  return cut(whole, wanted, named, new Set());
}

/** Names qualified, definitions collected, references left as full names, defaults dropped. */
function qualify(
  schema: unknown,
  namespace: string,
  named: Map<string, Readonly<Record<string, unknown>>>,
): unknown {
  if (typeof schema === 'string') return fullName(schema, namespace);
  if (Array.isArray(schema)) return schema.map((one) => qualify(one, namespace, named));
  const found = schema as Readonly<Record<string, unknown>>;
  const kind = found.type;
  if (typeof kind !== 'string') return qualify(kind, namespace, named);
  if (kind === 'array') return { ...found, items: qualify(found.items, namespace, named) };
  if (kind === 'map') return { ...found, values: qualify(found.values, namespace, named) };
  if (!namedKinds.has(kind)) return found;
  const name = fullName(String(found.name), String(found.namespace ?? namespace));
  const inner = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
  const { namespace: _, ...rest } = found;
  const fields = found.fields as readonly Field[] | undefined;
  named.set(name, {
    ...rest,
    name,
    ...(fields === undefined
      ? {}
      : {
          fields: fields.map((field) => ({
            name: field.name,
            type: qualify(field.type, inner, named),
          })),
        }),
  });
  return name;
}

const primitives = new Set('null boolean int long float double bytes string'.split(' '));

function fullName(name: string, namespace: string): string {
  if (primitives.has(name) || name.includes('.') || namespace === '') return name;
  return `${namespace}.${name}`;
}

function want(schema: unknown, path: readonly string[], named: Named, wanted: Wanted): void {
  if (Array.isArray(schema)) {
    for (const one of schema) want(one, path, named, wanted);
    return;
  }
  if (typeof schema !== 'string') {
    const found = schema as Readonly<Record<string, unknown>>;
    const inside = found.items ?? found.values;
    if (inside !== undefined) want(inside, path, named, wanted);
    return;
  }
  const fields = named.get(schema)?.fields as readonly Field[] | undefined;
  if (fields === undefined) return;
  const [first, ...rest] = path;
  const before = wanted.get(schema);
  if (first === undefined) {
    if (before === 'all') return;
    wanted.set(schema, 'all');
    for (const field of fields) want(field.type, [], named, wanted);
    return;
  }
  const field = fields.find((one) => one.name === first);
  if (before === undefined) wanted.set(schema, new Set(field === undefined ? [] : [first]));
  else if (before !== 'all' && field !== undefined) before.add(first);
  if (field !== undefined) want(field.type, rest, named, wanted);
}

function cut(schema: unknown, wanted: Wanted, named: Named, defined: Set<string>): unknown {
  if (Array.isArray(schema)) return schema.map((one) => cut(one, wanted, named, defined));
  if (typeof schema !== 'string') {
    const found = schema as Readonly<Record<string, unknown>>;
    const part = found.items === undefined ? 'values' : 'items';
    if (found[part] === undefined) return found;
    return { ...found, [part]: cut(found[part], wanted, named, defined) };
  }
  const definition = named.get(schema);
  if (definition === undefined || defined.has(schema)) return schema;
  defined.add(schema);
  const fields = definition.fields as readonly Field[] | undefined;
  if (fields === undefined) return definition;
  const kept = wanted.get(schema);
  return {
    ...definition,
    fields: fields
      .filter((field) => kept === 'all' || kept?.has(field.name) === true)
      .map((field) => ({ name: field.name, type: cut(field.type, wanted, named, defined) })),
  };
}
