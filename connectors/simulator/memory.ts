/**
 * The simulator's memory on disk: a snapshot of the retailer, and a journal of what was planned and committed since. The
 * same plan follows from the same snapshot, so the journal holds only what came from outside, and each COMMIT that returned.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { type Moment, planNext, planSettling } from './day-plan.ts';
import { retailerVersion } from './master-data.ts';
import type { Retailer } from './retailer.ts';
import type { PlannedTransaction } from './transaction.ts';

export type PlanKind = 'next' | 'settling';

export class Memory {
  private readonly directory: string;
  private journal: number | undefined;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  private get snapshotFile(): string {
    return `${this.directory}/retailer.bin`;
  }

  private journalFile(planned: number): string {
    return `${this.directory}/journal-${planned}`;
  }

  /** The retailer as it was, and the transactions of which nobody knows whether they were committed. */
  load(): { readonly retailer: Retailer; readonly open: readonly PlannedTransaction[] } | null {
    if (!existsSync(this.snapshotFile)) return null;
    const retailer = deserialize(readFileSync(this.snapshotFile)) as Retailer;
    if (retailer.version !== retailerVersion) {
      throw new Error(
        `the simulator's memory in ${this.directory} was written by another version; remove it together with ` +
          'the two databases and start again',
      );
    }
    const file = this.journalFile(retailer.planned);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    return { retailer, open: replay(retailer, lines) };
  }

  /** Writes the retailer as a whole. Everything planned must be committed. */
  save(retailer: Retailer): void {
    const file = `${this.snapshotFile}.next`;
    writeFileSync(file, serialize(retailer));
    const journal = openSync(this.journalFile(retailer.planned), 'w');
    renameSync(file, this.snapshotFile);
    if (this.journal !== undefined) closeSync(this.journal);
    this.journal = journal;
    const current = this.journalFile(retailer.planned);
    for (const name of readdirSync(this.directory)) {
      const path = `${this.directory}/${name}`;
      if (name.startsWith('journal-') && path !== current) rmSync(path);
    }
  }

  /** Before a transaction is planned. */
  notePlan(kind: PlanKind, moment: Moment): void {
    this.write(`p ${kind} ${moment.nowMs} ${moment.isNow ? 1 : 0} ${moment.rowsMax}\n`);
  }

  /** When the COMMIT of the transaction with this number has returned. */
  noteCommit(planned: number): void {
    this.write(`c ${planned}\n`);
  }

  private write(line: string): void {
    if (this.journal === undefined) throw new Error('the journal is not open: save comes first');
    writeSync(this.journal, line);
  }

  close(): void {
    if (this.journal !== undefined) closeSync(this.journal);
    this.journal = undefined;
  }
}

function replay(retailer: Retailer, lines: readonly string[]): readonly PlannedTransaction[] {
  const open = new Map<number, PlannedTransaction>();
  for (const line of lines) {
    const [what, kind, nowMs, isNow, rowsMax] = line.split(' ');
    if (what === 'c') {
      open.delete(Number(kind));
      continue;
    }
    const moment = { nowMs: Number(nowMs), isNow: isNow === '1', rowsMax: Number(rowsMax) };
    const planned = kind === 'next' ? planNext(retailer, moment) : planSettling(retailer, moment);
    if (planned !== null) open.set(retailer.planned, planned);
  }
  return [...open.values()];
}
