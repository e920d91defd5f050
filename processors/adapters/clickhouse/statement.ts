/** What may be asked from outside: one statement that reads. The engine's own read-only mode stands behind it. */

const readingWords = new Set([
  'SELECT',
  'WITH',
  'FROM',
  'SHOW',
  'DESCRIBE',
  'DESC',
  'EXPLAIN',
  'EXISTS',
]);

/** Strings, quoted names, heredocs and comments; then a semicolon, a word, or any other character. */
const token =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?\*\/|;|\w+|\s+|[\s\S]/g;

export type ReadingStatement = {
  /** Without a semicolon at its end. */
  readonly statement: string;
  /** Of its FORMAT clause. */
  readonly format: string | undefined;
};

/** The statement, or why it is refused: `forbidden` are functions, in small letters, that reach beyond the tables. */
export function readingStatement(
  text: string,
  forbidden: ReadonlySet<string> = new Set(),
): ReadingStatement | { readonly refused: string } {
  if (text.trim() === '') return { refused: 'Empty query: ask for example SHOW TABLES.' };
  // Writes a file on this machine, and the engine's read-only mode allows it: so not even inside a string.
  if (/\boutfile\b/i.test(text)) {
    return { refused: 'OUTFILE is not allowed here: the answer holds the result.' };
  }
  const pieces: string[] = [];
  let end: number | undefined;
  for (const match of text.matchAll(token)) {
    const piece = match[0];
    if (/^(\s|--|#[ !]|\/\*)/.test(piece)) continue;
    if (end !== undefined && piece !== ';') {
      return { refused: 'One statement at a time: what follows the semicolon is not allowed.' };
    }
    if (piece === ';') end ??= match.index;
    else pieces.push(piece);
  }
  const firstWord = pieces.find((piece) => piece !== '(')?.toUpperCase();
  if (firstWord === undefined || !readingWords.has(firstWord)) {
    return {
      refused: `Only reading is allowed here: ${[...readingWords].join(', ')}, but not ${firstWord ?? 'nothing'}.`,
    };
  }
  const reaching = pieces.find((piece, at) => pieces[at + 1] === '(' && reaches(piece, forbidden));
  if (reaching !== undefined) {
    return { refused: `${reaching} is not allowed here: it reaches beyond the tables.` };
  }
  const isFormat = pieces.at(-2)?.toUpperCase() === 'FORMAT' && /^\w+$/.test(pieces.at(-1) ?? '');
  return {
    statement: end === undefined ? text : text.slice(0, end),
    format: isFormat ? pieces.at(-1) : undefined,
  };
}

/** A function's name may be quoted, and letters in it escaped: an escaped one is nothing that anybody needs. */
function reaches(name: string, forbidden: ReadonlySet<string>): boolean {
  const isQuoted = name.startsWith('`') || name.startsWith('"');
  if (!isQuoted) return forbidden.has(name.toLowerCase());
  return name.includes('\\') || forbidden.has(name.slice(1, -1).toLowerCase());
}

/** Table functions that only compute, or read what is in the tables. */
const harmlessTableFunctions = new Set([
  'format',
  'generaterandom',
  'generateseries',
  'generate_series',
  'merge',
  'null',
  'numbers',
  'numbers_mt',
  'primes',
  'sqlstandardvalues',
  'values',
  'view',
  'zeros',
  'zeros_mt',
]);

/** Ordinary functions that read files, ask other machines, or show what belongs to this one. */
const reachingFunctions = ['file', 'catboostevaluate', 'showcertificate', 'getclienthttpheader'];

/** From the engine's own list of table functions, so that a newer engine's are refused too. */
export function forbiddenFunctions(
  tableFunctions: readonly string[],
  functions: readonly string[],
): ReadonlySet<string> {
  const small = (names: readonly string[]) => names.map((name) => name.toLowerCase());
  return new Set([
    ...reachingFunctions,
    ...small(tableFunctions).filter((name) => !harmlessTableFunctions.has(name)),
    ...small(functions).filter((name) =>
      /^(ai(generate|embed|extract|classify|translate))/.test(name),
    ),
  ]);
}
