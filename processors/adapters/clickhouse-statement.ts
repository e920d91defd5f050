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

/** The statement without a semicolon at its end, or why it is refused. */
export function readingStatement(
  text: string,
): { readonly statement: string } | { readonly refused: string } {
  if (text.trim() === '') return { refused: 'Empty query: ask for example SHOW TABLES.' };
  // Writes a file on this machine, and the engine's read-only mode allows it: so not even inside a string.
  if (/\boutfile\b/i.test(text)) {
    return { refused: 'OUTFILE is not allowed here: the answer holds the result.' };
  }
  let firstWord: string | undefined;
  let end: number | undefined;
  for (const match of text.matchAll(token)) {
    const piece = match[0];
    if (/^(\s|--|#[ !]|\/\*)/.test(piece)) continue;
    if (end !== undefined && piece !== ';') {
      return { refused: 'One statement at a time: what follows the semicolon is not allowed.' };
    }
    if (piece === ';') end ??= match.index;
    else if (piece !== '(') firstWord ??= piece.toUpperCase();
  }
  if (firstWord === undefined || !readingWords.has(firstWord)) {
    return {
      refused: `Only reading is allowed here: ${[...readingWords].join(', ')}, but not ${firstWord ?? 'nothing'}.`,
    };
  }
  return { statement: end === undefined ? text : text.slice(0, end) };
}
