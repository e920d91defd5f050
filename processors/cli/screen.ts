/** The live screen of `npm start`: redrawn in place on a terminal, a line now and then elsewhere. */

export type ScreenSection = {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
};

export type Screen = {
  readonly draw: (sections: readonly ScreenSection[], line: string) => void;
  readonly note: (text: string) => void;
  readonly end: () => void;
};

const plainEveryMs = 5_000;
const notesShown = 6;

/** Columns of a table, padded to the widest of each. */
export function layOut(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((text, column) => {
      widths[column] = Math.max(widths[column] ?? 0, text.length);
    });
  }
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function openScreen(output: NodeJS.WriteStream): Screen {
  return output.isTTY === true ? terminalScreen(output) : plainScreen(output);
}

function terminalScreen(output: NodeJS.WriteStream): Screen {
  const notes: string[] = [];
  output.write('\x1b[?25l');
  return {
    draw: (sections) => {
      const lines = sections.flatMap((section) => [
        `\x1b[1m${section.title}\x1b[0m`,
        ...layOut(section.rows).map((line) => `  ${line}`),
        '',
      ]);
      const all = [...lines, ...notes, 'Ctrl-C ends everything.'];
      output.write(`\x1b[H${all.map((line) => `${line}\x1b[K`).join('\n')}\n\x1b[J`);
    },
    note: (text) => {
      notes.push(text);
      if (notes.length > notesShown) notes.shift();
    },
    end: () => {
      output.write('\x1b[?25h');
    },
  };
}

function plainScreen(output: NodeJS.WriteStream): Screen {
  let lastAtMs = 0;
  return {
    draw: (_sections, line) => {
      if (Date.now() - lastAtMs < plainEveryMs) return;
      lastAtMs = Date.now();
      output.write(`${line}\n`);
    },
    note: (text) => {
      output.write(`${text}\n`);
    },
    end: () => undefined,
  };
}
