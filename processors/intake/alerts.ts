/** What intake raises for a person to look at. */
import type { Alert, Freshness } from '../../schemas/types.ts';
import { alerts, freshness } from '../topics.ts';
import { type Emit, emit } from '../topology/topology.ts';
import type { SystemMapping } from './mapping.ts';
import type { Gap } from './rows.ts';

type Raised = Pick<Alert, 'id' | 'kind' | 'message'> & Partial<Alert>;

export function raise(mapping: SystemMapping, raisedAt: number, what: Raised): Emit {
  const alert: Alert = {
    severity: 'warning',
    sku: '',
    location: '',
    system: mapping.system,
    expected: '',
    seen: '',
    raisedAt,
    open: true,
    ...what,
  };
  return emit(alerts, mapping.system, alert);
}

export function gapAlert(mapping: SystemMapping, at: number, gap: Gap): Emit {
  const row = `${gap.table} ${gap.key}`;
  return raise(mapping, at, {
    id: `gap|${mapping.system}|${row}`,
    kind: 'gap',
    message:
      `an earlier change of ${row} never came through the log of ${mapping.system}: somebody hides changes from it; ` +
      `this row is right again; for the others: stockline source snapshot ${mapping.system} ${gap.table} --blocking`,
    expected: gap.held === null || gap.held === undefined ? 'no row' : JSON.stringify(gap.held),
    seen: gap.before === null ? 'no row' : JSON.stringify(gap.before),
  });
}

export function tableStopped(
  mapping: SystemMapping,
  at: number,
  table: string,
  fault: string | undefined,
): Emit {
  return raise(mapping, at, {
    id: `tableStopped|${mapping.system}|${table}`,
    kind: 'tableStopped',
    severity: 'critical',
    message:
      fault === undefined
        ? `${mapping.system} ${table} fits the mapping again; send on what was kept: stockline dlq redrive --reason TABLE_STOPPED; ` +
          `where a new column was not captured yet: stockline source snapshot ${mapping.system} ${table}`
        : `${mapping.system} ${table} stands still: ${fault}. Its changes are kept as dead letters, all else goes on. ` +
          `Correct the columns of ${table} in connectors/${mapping.system}/, start intake again, then: stockline dlq redrive --reason TABLE_STOPPED`,
    open: fault !== undefined,
  });
}

export function lineageRefused(mapping: SystemMapping, at: number, reason: string): Emit {
  return raise(mapping, at, {
    id: `newLineage|${mapping.system}`,
    kind: 'newLineage',
    severity: 'critical',
    message:
      `the log of ${mapping.system} is another one: ${reason}. Nothing of it is applied, all is kept. ` +
      `Let the connector take a new snapshot (stockline source resync ${mapping.system}): from there it goes on by itself`,
  });
}

export function lineageAccepted(mapping: SystemMapping, at: number): Emit {
  return raise(mapping, at, {
    id: `newLineage|${mapping.system}`,
    kind: 'newLineage',
    message: `the log of ${mapping.system} began anew, and its snapshot goes on from there`,
    open: false,
  });
}

/** To every partition: the SKUs of these tables are behind while they stand still. */
export function tablesWord(
  { system }: SystemMapping,
  nowMs: number,
  stopped: Readonly<Record<string, string>>,
): readonly Emit[] {
  const faults = Object.entries(stopped).map(([table, fault]) => `${table}: ${fault}`);
  const word: Freshness = {
    source: system,
    hop: 'tables',
    position: '',
    asOf: nowMs,
    observedAt: nowMs,
    state: faults.length === 0 ? 'fresh' : 'degraded',
    reason: faults.length === 0 ? '' : `stands still: ${faults.join('; ')}`,
  };
  return Array.from({ length: freshness.partitions }, (_, partition) =>
    emit(freshness, system, word, { partition }),
  );
}
