/** The data dictionary, from what ClickHouse itself says of its tables and views. */

export type Ask = (query: string) => Promise<readonly (readonly unknown[])[]>;

/** Values that let a parametrised view be described. */
const sample = "'2026-01-01 00:00:00'";

export async function dictionary(ask: Ask): Promise<string> {
  const tables = await ask(
    "SELECT name, engine, comment, create_table_query FROM system.tables WHERE database = currentDatabase() AND name != 'migrations' " +
      'ORDER BY name',
  );
  const sections: string[] = [];
  for (const wanted of ['View', 'MergeTree'] as const) {
    sections.push(wanted === 'View' ? '## Views: ask these' : '## Tables: what the views rest on');
    for (const [name, engine, comment, query] of tables) {
      const isView = engine === 'View';
      if (isView !== (wanted === 'View') || engine === 'MaterializedView') continue;
      const parameters = parametersOf(String(query));
      const call = parameters.map((parameter) => `${parameter} = ${sample}`).join(', ');
      const columns = await ask(
        call === '' ? `DESCRIBE ${name}` : `DESCRIBE (SELECT * FROM ${name}(${call}))`,
      );
      sections.push(section(String(name), String(comment), parameters, columns));
    }
  }
  return `${head}\n${sections.join('\n\n')}\n`;
}

const head = `# Data dictionary

Generated from the schema by \`npm run generate\`; a test holds it to what ClickHouse says. Quantities are units with three
places, times are UTC. README.md beside this file has examples.
`;

function parametersOf(query: string): readonly string[] {
  return [...new Set([...query.matchAll(/\{(\w+):\w/g)].map((match) => String(match[1])))].sort();
}

function section(
  name: string,
  comment: string,
  parameters: readonly string[],
  columns: readonly (readonly unknown[])[],
): string {
  const call = parameters.length === 0 ? '' : `(${parameters.join(', ')})`;
  const rows = columns.map(([column, type, , , meaning]) => {
    const cell = (text: unknown): string => String(text).replaceAll('|', '\\|');
    return `| \`${cell(column)}\` | ${cell(type)} | ${cell(meaning)} |`;
  });
  const table = ['| column | type | meaning |', '|---|---|---|', ...rows].join('\n');
  return `### ${name}${call}\n\n${comment}\n\n${table}`;
}
