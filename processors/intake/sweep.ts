/** Rows of a table that are gone without a delete of their own: after a truncate, or deleted before a snapshot. */
import type { Change } from '../cdc/change.ts';
import type { StepState } from '../topology/topology.ts';
import { documentId, lineIds } from './line-documents.ts';
import type { SystemMapping } from './mapping.ts';
import { type IntakeState, keys } from './state.ts';

export type Sweep = {
  /** A delete for each row of the table that was last told before. */
  readonly deletes: readonly Change[];
  /** Rows of the table that are held. */
  readonly held: number;
};

/** `last`: the truncate, or the snapshot's last read of the table; rows told before it are gone. */
export function sweep(mapping: SystemMapping, last: Change, state: StepState<IntakeState>): Sweep {
  const deletes = new Map<string, Change>();
  let held = 0;
  const note = (key: string, position: string): void => {
    held += 1;
    if (position >= last.position || deletes.has(key)) return;
    const { table, position: at, committedAt } = last;
    const gone = { kind: 'change', operation: 'd', row: null, transaction: null } as const;
    deletes.set(key, { ...gone, table, key, position: at, committedAt });
  };
  for (const document of mapping.documents) {
    const isHeader = document.header.name === last.table;
    const isLines = document.lines?.table.name === last.table;
    if (!isHeader && !isLines) continue;
    const beginning = `d|${documentId(document, '')}`;
    const linesApart = isLines ? state.keys(`d|${lineIds(document)}`) : [];
    for (const stateKey of [...state.keys(beginning), ...linesApart]) {
      const known = state.get(stateKey);
      if (known?.kind !== 'document') continue;
      const { header, lines } = known;
      if (isHeader && header !== null && header.row !== null) {
        note(stateKey.slice(beginning.length), header.position);
      }
      if (!isLines) continue;
      for (const [key, { row, position }] of lines) if (row !== null) note(key, position);
    }
  }
  for (const lookup of mapping.lookups) {
    if (lookup.system.name !== mapping.system || lookup.table.name !== last.table) continue;
    const beginning = keys.lookupRow(lookup.name, '');
    for (const stateKey of state.keys(beginning)) {
      const known = state.get(stateKey);
      if (known?.kind !== 'lookupRow' || known.key === '') continue;
      note(stateKey.slice(beginning.length), known.position);
    }
  }
  return { deletes: [...deletes.values()], held };
}

const sweptMax = 100;

/** A snapshot that shows so little of what is held was rather filtered than the rest deleted. */
export function looksFiltered({ deletes, held }: Sweep): boolean {
  return deletes.length > sweptMax && deletes.length > held / 2;
}
