/** One task per source system: changes → source transactions → documents → one movement per SKU. */
import { type Change, hex, type UnusableChange } from '../cdc/change.ts';
import type { TransactionBegin, TransactionEnd } from '../cdc/transaction-event.ts';
import type { Emit, Input, Step, StepState, StreamRecord } from '../topology/topology.ts';
import { lineageRefused, tableStopped, tablesWord } from './alerts.ts';
import { applyReleased, count, tell } from './apply.ts';
import { mappingOf } from './line-documents.ts';
import { loadSource, refuseLineage } from './lineage.ts';
import type { Lookup, SystemMapping } from './mapping.ts';
import { OpenDocuments } from './open-documents.ts';
import { applyLookupRow } from './rows.ts';
import { type IntakeState, keys } from './state.ts';
import { enqueue, forgetClosed, hold, loadSystem, release, releaseStuck } from './transactions.ts';

/** A row of another system's table that this system looks up. */
export type ForeignLookupRow = {
  readonly kind: 'lookupRow';
  readonly lookup: Lookup;
  readonly change: Change;
};

export type IntakeValue =
  | Change
  | UnusableChange
  | TransactionBegin
  | TransactionEnd
  | ForeignLookupRow;

type State = StepState<IntakeState>;

/** On a record that a person sent again. */
const redrivesHeader = 'redrives';
/** On an empty record: the past is told anew, for the reason that it gives. */
export const restateHeader = 'restate';

export function intakeStep(mapping: SystemMapping): Step<IntakeState> {
  return (input: Input, state: State): readonly Emit[] => {
    if (input.kind === 'tick') return onTick(mapping, input.nowMs, state);
    const { record } = input;
    if (record.value === undefined) return onEmpty(mapping, record, state);
    const value = withArrival(record.value as IntakeValue, record.offset);
    if (record.headers.length > 0 && headerOf(record, redrivesHeader) !== undefined) {
      return onRedriven(mapping, value, record.timestampMs, state);
    }
    switch (value.kind) {
      case 'begin':
        return [];
      case 'end':
        return onEnd(mapping, value, state);
      case 'unusable':
        return onUnusable(mapping, value, state);
      case 'lookupRow':
        return onLookupRow(mapping, value, state);
      case 'change':
        return onChange(mapping, value, state);
    }
  };
}

/** A read of a part has no position in the log: where it came stands for it. */
function withArrival(value: IntakeValue, offset: bigint): IntakeValue {
  if (value.kind === 'lookupRow') return { ...value, change: arrived(value.change, offset) };
  return value.kind === 'change' ? arrived(value, offset) : value;
}

const arrived = (change: Change, offset: bigint): Change =>
  change.snapshot === 'part' ? { ...change, position: hex(offset) } : change;

const decoder = new TextDecoder();

function headerOf({ headers }: StreamRecord, name: string): string | undefined {
  const found = headers.find(([header]) => header === name);
  return found === undefined ? undefined : decoder.decode(found[1]);
}

/** Nothing came with a tick that could be a dead letter: the alert beside it says the same. */
function onTick(mapping: SystemMapping, nowMs: number, state: State): readonly Emit[] {
  const { refused, stopped } = loadSource(state);
  const words = Object.keys(stopped).length === 0 ? [] : tablesWord(mapping, nowMs, stopped);
  if (refused !== '') return words;
  const released = releaseStuck(mapping.kind, state, nowMs)
    .flatMap((one) => applyReleased(mapping, one, state))
    .filter(({ kind }) => kind !== 'deadLetter');
  return [...words, ...released];
}

/** A tombstone follows a delete that has said the same. */
function onEmpty(mapping: SystemMapping, record: StreamRecord, state: State): readonly Emit[] {
  const why = record.headers.length === 0 ? undefined : headerOf(record, restateHeader);
  return why === undefined ? [] : restate(mapping, why, record.timestampMs, state);
}

/** Computes every document anew by the mapping and the lookups of today; what differs is told, at its own time. */
function restate(mapping: SystemMapping, why: string, at: number, state: State): readonly Emit[] {
  const position = `${loadSource(state).lineage}${loadSystem(state).lastPosition}~${at}`;
  const ids = state.keys('d|').map((key) => key.slice(2));
  const known = ids.filter((id) => mappingOf(mapping, id) !== undefined);
  const touched = known.map((id) => [id, position] as const);
  const told = tell(mapping, state, touched, {
    id: '',
    committedAt: at,
    isSnapshot: true,
    restatement: why,
  });
  return [...told, ...count('restated', known.length)];
}

function onChange(mapping: SystemMapping, change: Change, state: State): readonly Emit[] {
  const resumed = resume(mapping, change, state);
  const counted = [...resumed, ...count('changes', 1)];
  if (change.transaction !== null) {
    hold(state, change.transaction, change);
    return [...counted, ...drain(mapping, state)];
  }
  const applied = applyReleased(mapping, alone(change), state);
  // The first read of a new lineage lets in what has been held.
  return change.operation === 'r'
    ? [...counted, ...applied, ...drain(mapping, state)]
    : [...counted, ...applied];
}

function alone(change: Change) {
  return { id: '', changes: [change], committedAt: change.committedAt, order: '', isWhole: true };
}

/** A table that stood still fits the mapping again. */
function resume(mapping: SystemMapping, change: Change, state: State): readonly Emit[] {
  const source = loadSource(state);
  if (source.stopped[change.table] === undefined) return [];
  const { [change.table]: _, ...stopped } = source.stopped;
  state.put(keys.source, { ...source, stopped });
  return [
    tableStopped(mapping, change.committedAt, change.table, undefined),
    ...(Object.keys(stopped).length === 0 ? tablesWord(mapping, change.committedAt, stopped) : []),
  ];
}

function onEnd(mapping: SystemMapping, end: TransactionEnd, state: State): readonly Emit[] {
  const { kind, droppedChanges } = enqueue(state, end);
  const dropped = count('duplicates', droppedChanges);
  if (kind !== 'behind') return [...dropped, ...drain(mapping, state)];
  return refuse(mapping, `transaction ${end.id} is later and stands before others`, end, state);
}

function refuse(
  mapping: SystemMapping,
  reason: string,
  { committedAt }: { readonly committedAt: number },
  state: State,
): readonly Emit[] {
  if (loadSource(state).refused !== '') return [];
  refuseLineage(reason, state);
  return [lineageRefused(mapping, committedAt, reason)];
}

function onUnusable(
  mapping: SystemMapping,
  unusable: UnusableChange,
  state: State,
): readonly Emit[] {
  if (unusable.transaction !== null) hold(state, unusable.transaction, null);
  const stopped = unusable.isTableBroken ? stopTable(mapping, unusable, state) : [];
  const code = unusable.isTableBroken ? 'TABLE_STOPPED' : 'CHANGE_UNUSABLE';
  return [
    ...count('changes', 1),
    { kind: 'deadLetter', code, reason: unusable.fault },
    ...stopped,
    ...drain(mapping, state),
  ];
}

function stopTable(
  mapping: SystemMapping,
  { table, fault, committedAt }: UnusableChange,
  state: State,
): readonly Emit[] {
  const source = loadSource(state);
  if (source.stopped[table] === fault) return [];
  state.put(keys.source, { ...source, stopped: { ...source.stopped, [table]: fault } });
  return [tableStopped(mapping, committedAt, table, fault)];
}

/** Everything at the head of the queue that is complete. */
function drain(mapping: SystemMapping, state: State): readonly Emit[] {
  const emits: Emit[] = [];
  for (;;) {
    if (loadSource(state).refused !== '') break;
    const released = release(mapping.kind, state);
    if (released === undefined) break;
    if (released === 'behind') {
      const committedAt = Math.max(
        ...Object.values(loadSystem(state).lastEnds).map((end) => end.committedAt),
      );
      emits.push(
        ...refuse(mapping, 'later transactions stand before others', { committedAt }, state),
      );
      break;
    }
    for (const one of applyReleased(mapping, released, state)) emits.push(one);
  }
  if (emits.length > 0) forgetClosed(state);
  return emits;
}

function onLookupRow(
  mapping: SystemMapping,
  { lookup, change }: ForeignLookupRow,
  state: State,
): readonly Emit[] {
  const documents = new OpenDocuments(state);
  const { touched, outcome } = applyLookupRow(lookup, change, { state, mapping, documents });
  const { committedAt } = change;
  const told = tell(mapping, state, touched, {
    id: '',
    committedAt,
    isSnapshot: true,
  });
  if (outcome !== 'incomplete') return told;
  const reason = `${change.table} ${change.key}: the log does not repeat all columns of the row`;
  return [...told, { kind: 'deadLetter', code: 'ROW_INCOMPLETE', reason }];
}

/** A person has sent a record again: a row is applied by itself, an END lets its refused documents be computed again. */
function onRedriven(
  mapping: SystemMapping,
  value: IntakeValue,
  at: number,
  state: State,
): readonly Emit[] {
  switch (value.kind) {
    case 'begin':
      return [];
    case 'lookupRow':
      return onLookupRow(mapping, value, state);
    case 'unusable':
      return onUnusable(mapping, { ...value, transaction: null }, state);
    case 'change': {
      const change = { ...value, transaction: null };
      return [
        ...resume(mapping, change, state),
        ...applyReleased(mapping, alone(change), state, at),
      ];
    }
    case 'end': {
      const key = keys.refusals(value.id);
      const refused = state.get(key);
      if (refused?.kind !== 'refusals') return count('duplicates', 1);
      state.delete(key);
      const { lineage } = loadSource(state);
      const position = `${lineage}${loadSystem(state).lastPosition}~${at}`;
      const { id, committedAt } = value;
      const telling = { id, committedAt, isSnapshot: false, adjustAt: at };
      return tell(
        mapping,
        state,
        refused.documents.map((document) => [document, position]),
        telling,
      );
    }
  }
}
