import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { legacySql } from '../../connectors/simulator/legacy-sql.ts';
import {
  openSimulator,
  type Simulator,
  type SimulatorOptions,
  type SourceCommit,
} from '../../connectors/simulator/simulator.ts';
import { emptyCell } from '../../connectors/simulator/stock-truth.ts';
import { installErp, installPos } from '../../processors/cli/start/legacy-systems.ts';
import { typescript } from '../../processors/processes/node-options.ts';

const directories: string[] = [];

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A retailer with two databases of its own. */
async function install(
  name: string,
  options: Pick<SimulatorOptions, 'seed' | 'retailer'>,
): Promise<SimulatorOptions> {
  const { postgres, mariadb } = inject('stack');
  const erp = { ...postgres, database: `erp_${name}` };
  const pos = { ...mariadb, database: `pos_${name}` };
  await Promise.all([installErp(erp), installPos(pos)]);
  const directory = mkdtempSync(`${tmpdir()}/stockline-simulator-`);
  directories.push(directory);
  const login = (access: typeof erp) => ({
    host: access.host,
    port: access.port,
    user: access.adminUser,
    password: access.adminPassword,
    database: access.database,
  });
  return { postgres: login(erp), mariadb: login(pos), directory, ...options };
}

/** Every figure of every cell on which the simulator's memory and SQL do not agree. */
async function differences(
  simulator: Simulator,
  options: SimulatorOptions,
): Promise<readonly string[]> {
  await simulator.settle();
  const truth = simulator.truth().cells;
  const sql = await legacySql(options);
  const figures = Object.keys(emptyCell) as (keyof typeof emptyCell)[];
  return [...new Set([...truth.keys(), ...sql.keys()])].flatMap((cell) =>
    figures
      .map((figure) => ({
        figure,
        should: truth.get(cell)?.[figure] ?? 0,
        is: sql.get(cell)?.[figure] ?? 0,
      }))
      .filter(({ should, is }) => should !== is)
      .map(({ figure, should, is }) => `${cell} ${figure}: truth ${should}, SQL ${is}`),
  );
}

/** Cells where the ERP's balance is not the sum of its moves. */
async function unbalanced(options: SimulatorOptions): Promise<readonly unknown[]> {
  const client = new pg.Client({ ...options.postgres });
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT artnr, lagnr, m.menge, b.menge
       FROM (SELECT artnr, lagnr, sum(menge) AS menge FROM lagbew GROUP BY artnr, lagnr) m
       FULL JOIN bestand b USING (artnr, lagnr)
       WHERE coalesce(m.menge, 0) <> coalesce(b.menge, 0)`,
    );
    return rows;
  } finally {
    await client.end();
  }
}

describe('D1 the simulator knows what is true', () => {
  it.each([1, 2, 3])('5 000 transactions of seed %i: memory and SQL agree', async (seed) => {
    const options = await install(`seed_${seed}`, { seed });
    const simulator = await openSimulator(options);
    await simulator.seedMasterData();
    const commits: SourceCommit[] = [];
    await simulator.run({ transactions: 5000, onCommit: (commit) => commits.push(commit) });
    expect(commits.length).toBe(5000);
    expect(new Set(commits.map((one) => `${one.system} ${one.transaction}`)).size).toBe(5000);
    expect(await differences(simulator, options)).toEqual([]);
    expect(await unbalanced(options)).toEqual([]);
    await simulator.close();
  });

  it('through weeks of housekeeping up to the real present', async () => {
    const options = await install('weeks', { seed: 4, retailer: { transactionsPerDay: 150 } });
    const simulator = await openSimulator(options);
    await simulator.seedMasterData();
    const { byKind } = await simulator.run({ transactions: 6000 });
    expect(byKind.housekeeping).toBeGreaterThan(0);
    expect(await differences(simulator, options)).toEqual([]);
    await simulator.close();
  });
});

describe('the simulator goes on', () => {
  it('where it was closed', async () => {
    const options = await install('again', { seed: 5 });
    const first = await openSimulator(options);
    await first.seedMasterData();
    await first.run({ transactions: 1000 });
    await first.close();
    const second = await openSimulator(options);
    await second.seedMasterData();
    await second.run({ transactions: 1000, rate: 500 });
    expect(await differences(second, options)).toEqual([]);
    await second.close();
  });

  it('where kill -9 ended it, each transaction done once', async () => {
    const options = await install('killed', { seed: 6 });
    const program = fileURLToPath(new URL('crash-child.ts', import.meta.url));
    for (let round = 0; round < 2; round++) {
      const child = spawn(process.execPath, [...typescript, program, JSON.stringify(options)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    const simulator = await openSimulator(options);
    expect(await differences(simulator, options)).toEqual([]);
    expect(await unbalanced(options)).toEqual([]);
    await simulator.close();
  });
});
