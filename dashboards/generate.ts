/** `npm run generate`: writes Grafana's JSON of each board beside this file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { boards } from './boards.ts';
import { grafanaBoard } from './grafana.ts';

export const boardsFolder = fileURLToPath(new URL('./boards/', import.meta.url));

mkdirSync(boardsFolder, { recursive: true });
for (const board of boards) {
  const file = `${boardsFolder}${board.uid}.json`;
  writeFileSync(file, `${JSON.stringify(grafanaBoard(board), null, 2)}\n`);
}
