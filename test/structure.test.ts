/** Does the structure hold? No circles, dead exports or repeated blocks, and no long functions in the core. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const functionLinesMax = 80;
const repeatedLinesMax = 15;
/** What others use: clients of the API, readers of the topics, the runtime's README, vitest. */
const forOthers = [
  // By name, from connectors/systems.ts.
  'connectors/erp/mapping.ts: erpMapping',
  'processors/api/client.ts: ApiError',
  'processors/api/client.ts: InventoryClient',
  // For drafts of mappings.
  'processors/intake/mapping.ts: blank',
  'processors/runtime/run.ts: runProcessor',
  'test/support/stack.ts: setup',
];
/** What runs; tests may have longer factories. */
const running = /^(processors|connectors|deploy|dashboards|schemas)\//;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  .toString()
  .split('\n')
  .filter((file) => file.endsWith('.ts') && file !== 'schemas/types.ts' && existsSync(file));
const sources = new Map(
  files.map((file) => [
    file,
    ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true),
  ]),
);

type Import = {
  readonly target: string;
  readonly names: readonly string[];
  readonly isType: boolean;
};

/** What a file takes from others; `*` stands for all of it. */
function importsOf(file: string, source: ts.SourceFile): readonly Import[] {
  const found: Import[] = [];
  const add = (specifier: string, names: readonly string[], isType: boolean): void => {
    const target = specifier.startsWith('.')
      ? normalize(`${dirname(file)}/${specifier}`)
      : specifier;
    found.push({ target, names, isType });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const named = clause?.namedBindings;
      const elements = named !== undefined && ts.isNamedImports(named) ? named.elements : [];
      const names = elements.map((one) => (one.propertyName ?? one.name).text);
      const isWhole = named !== undefined && ts.isNamespaceImport(named);
      const isType =
        clause?.isTypeOnly === true ||
        (clause?.name === undefined &&
          !isWhole &&
          elements.length > 0 &&
          elements.every((one) => one.isTypeOnly));
      const whole = isWhole ? ['*'] : [];
      const fallback = clause?.name === undefined ? [] : ['default'];
      add(node.moduleSpecifier.text, [...names, ...whole, ...fallback], isType);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      const elements =
        node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
          ? node.exportClause.elements
          : [];
      const names =
        elements.length === 0 ? ['*'] : elements.map((one) => (one.propertyName ?? one.name).text);
      add((node.moduleSpecifier as ts.StringLiteral).text, names, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier !== undefined && ts.isStringLiteral(specifier))
        add(specifier.text, ['*'], false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add((node.argument.literal as ts.StringLiteral).text, ['*'], true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const imports = new Map([...sources].map(([file, source]) => [file, importsOf(file, source)]));

function exportsOf(source: ts.SourceFile): readonly string[] {
  return source.statements.flatMap((statement) => {
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
    if (!isExported) return [];
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.flatMap(({ name }) =>
        ts.isIdentifier(name) ? [name.text] : [],
      );
    }
    const { name } = statement as ts.DeclarationStatement;
    return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
  });
}

describe('structure', () => {
  it('no files import each other in a circle', () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const follow = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        circles.push([...path.slice(path.indexOf(file)), file].join(' > '));
        return;
      }
      if (done.has(file)) return;
      for (const { target, isType } of imports.get(file) ?? []) {
        if (!isType && imports.has(target)) follow(target, [...path, file]);
      }
      done.add(file);
    };
    for (const file of files) follow(file, []);
    expect(circles).toEqual([]);
  });

  it('every direct dependency is used', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    const texts = files.map((file) => readFileSync(file, 'utf8'));
    const unused = Object.keys(dependencies).filter(
      (name) => !texts.some((text) => text.includes(`'${name}'`) || text.includes(`'${name}/`)),
    );
    expect(unused).toEqual([]);
  });

  it('nothing is exported that nobody imports', () => {
    const taken = new Set<string>();
    for (const list of imports.values()) {
      for (const { target, names } of list)
        for (const name of names) taken.add(`${target} ${name}`);
    }
    const dead = [...sources].flatMap(([file, source]) =>
      taken.has(`${file} *`)
        ? []
        : exportsOf(source)
            .filter((name) => !taken.has(`${file} ${name}`))
            // A type that only names a part of what its file gives is written out for its readers.
            .filter((name) => !isNamedInSignature(source, name))
            .map((name) => `${file}: ${name}`),
    );
    expect(dead.filter((one) => !forOthers.includes(one))).toEqual([]);
    expect(forOthers.filter((one) => !dead.includes(one))).toEqual([]);
  });

  it(`no function that runs has more than ${functionLinesMax} lines`, () => {
    const long = [...sources].flatMap(([file, source]) =>
      running.test(file) ? longFunctions(file, source) : [],
    );
    expect(long).toEqual([]);
  });

  it(`no block of more than ${repeatedLinesMax} lines stands in two places`, () => {
    const seen = new Map<string, string>();
    const repeated: string[] = [];
    for (const [file, source] of sources) {
      const lines = source.text.split('\n').map((line) => line.trim());
      const code = lines
        .map((line, at) => ({ line, at }))
        .filter(
          ({ line }) => line.length > 3 && !/^(import|export \{|\/\/|\/?\*|\} from)/.test(line),
        );
      for (let first = 0; first + repeatedLinesMax < code.length; first += 1) {
        const block = code.slice(first, first + repeatedLinesMax + 1);
        const text = block.map(({ line }) => line).join('\n');
        const place = `${file}:${(block[0]?.at ?? 0) + 1}`;
        const other = seen.get(text);
        if (other === undefined) seen.set(text, place);
        else {
          repeated.push(`${place} repeats ${other}`);
          first += repeatedLinesMax;
        }
      }
    }
    expect(repeated).toEqual([]);
  });
});

function isNamedInSignature(source: ts.SourceFile, name: string): boolean {
  const uses = source.text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
  const isType = source.statements.some(
    (statement) =>
      (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) &&
      statement.name.text === name,
  );
  return isType && uses > 1;
}

/** A `describe` holds tests, not code of its own. */
function longFunctions(file: string, source: ts.SourceFile): readonly string[] {
  const long: string[] = [];
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const lines = lineOf(node.end) - lineOf(node.getStart(source)) + 1;
      const call = node.parent;
      const isDescribe =
        ts.isCallExpression(call) && /^describe\b/.test(call.expression.getText(source));
      if (lines > functionLinesMax && !isDescribe) {
        long.push(`${file}:${lineOf(node.getStart(source)) + 1} has ${lines} lines`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return long;
}
