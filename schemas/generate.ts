/** Writes types.ts from the Avro schemas: `npm run generate`. A test fails when the committed file is stale. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

type Schema =
  | string
  | readonly Schema[]
  | {
      readonly type: string;
      readonly name?: string;
      readonly doc?: string;
      readonly logicalType?: string;
      readonly symbols?: readonly string[];
      readonly items?: Schema;
      readonly fields?: readonly { name: string; type: Schema; doc?: string }[];
    };

const folder = fileURLToPath(new URL('.', import.meta.url));

const primitives: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  double: 'number',
  bytes: 'Uint8Array',
  null: 'null',
};

/** The TypeScript expression of a schema; named types on the way are added to `declared`. */
function expression(schema: Schema, declared: Map<string, string>): string {
  if (typeof schema === 'string') return primitives[schema] ?? schema;
  if (Array.isArray(schema)) return schema.map((one) => expression(one, declared)).join(' | ');
  const named = schema as Exclude<Schema, string | readonly Schema[]>;
  if (named.logicalType === 'decimal' || named.logicalType === 'timestamp-millis') return 'number';
  switch (named.type) {
    case 'array':
      return `readonly ${expression(named.items as Schema, declared)}[]`;
    case 'enum':
      declare(named, (named.symbols ?? []).map((symbol) => `'${symbol}'`).join(' | '), declared);
      return String(named.name);
    case 'record': {
      const lines = (named.fields ?? []).map(
        (field) =>
          `  /** ${field.doc ?? ''} */\n  readonly ${field.name}: ${expression(field.type, declared)};`,
      );
      declare(named, `{\n${lines.join('\n')}\n}`, declared);
      return String(named.name);
    }
    default:
      return expression(named.type, declared);
  }
}

function declare(
  schema: { readonly name?: string; readonly doc?: string },
  body: string,
  declared: Map<string, string>,
): void {
  const text = `/** ${schema.doc ?? ''} */\nexport type ${schema.name} = ${body};\n`;
  const before = declared.get(String(schema.name));
  if (before !== undefined && before !== text) {
    throw new Error(`two schemas declare ${schema.name} differently: name one of them otherwise`);
  }
  declared.set(String(schema.name), text);
}

/** The whole of types.ts. */
export function generateTypes(): string {
  const declared = new Map<string, string>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.avsc')) continue;
    expression(JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as Schema, declared);
  }
  const header =
    '// Generated from the .avsc files by `npm run generate`. Do not edit.\n' +
    '// Quantities (decimal) are safe integers in thousandths of a unit; times are milliseconds since the epoch.\n\n';
  return header + [...declared.values()].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(`${folder}/types.ts`, generateTypes());
}
