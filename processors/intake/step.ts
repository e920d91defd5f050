/** One task per source system: changes → source transactions → documents → one movement per SKU. */
import type { Alert, Movement } from '../../schemas/types.ts';
import type { Change, UnusableChange } from '../cdc/change.ts';
import type { TransactionBegin, TransactionEnd } from '../cdc/transaction-event.ts';
import { alerts, movements } from '../topics.ts';
import { type Emit, emit, type Input, type StateView, type Step } from '../topology/topology.ts';
import { computeDocument, documentOf } from './documents.ts';
import type { ToldEffect } from './effects.ts';
import { hashText } from './hash.ts';
import type { Lookup, SystemMapping } from './mapping.ts';
import { OpenDocuments } from './open-documents.ts';
import { applyLookupRow, applyRow } from './rows.ts';
import { type IntakeState, keys } from './state.ts';
import {
  enqueue,
  forgetClosed,
  hold,
  loadSystem,
  type Released,
  release,
  releaseStuck,
} from './transactions.ts';

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

export function intakeStep(mapping: SystemMapping): Step<IntakeState> {
  return (input: Input, state: StateView<IntakeState>): readonly Emit[] => {
    if (input.kind === 'tick') {
      return releaseStuck(state, input.nowMs).flatMap((one) => applyReleased(mapping, one, state));
    }
    // A tombstone follows a delete that has said the same.
    if (input.record.value === undefined) return [];
    const value = input.record.value as IntakeValue;
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

const count = (metric: string, by: number): readonly Emit[] =>
  by === 0 ? [] : [{ kind: 'count', metric, by }];

function onChange(
  mapping: SystemMapping,
  change: Change,
  state: StateView<IntakeState>,
): readonly Emit[] {
  if (change.operation === 't') {
    const fault = 'the table was truncated: its rows have to be read again';
    return onUnusable(mapping, { ...change, kind: 'unusable', fault, isTableBroken: false }, state);
  }
  const counted = count('changes', 1);
  if (change.transaction !== null) {
    hold(state, change.transaction, change);
    return [...counted, ...drain(mapping, state)];
  }
  const { committedAt } = change;
  const alone = { id: '', changes: [change], committedAt, isWhole: true };
  return [...counted, ...applyReleased(mapping, alone, state)];
}

function onEnd(
  mapping: SystemMapping,
  end: TransactionEnd,
  state: StateView<IntakeState>,
): readonly Emit[] {
  const { droppedChanges } = enqueue(state, end);
  return [...count('duplicates', droppedChanges), ...drain(mapping, state)];
}

function onUnusable(
  mapping: SystemMapping,
  unusable: UnusableChange,
  state: StateView<IntakeState>,
): readonly Emit[] {
  if (unusable.transaction !== null) hold(state, unusable.transaction, null);
  return [
    ...count('changes', 1),
    { kind: 'deadLetter', code: 'CHANGE_UNUSABLE', reason: unusable.fault },
    ...drain(mapping, state),
  ];
}

/** Everything at the head of the queue that is complete. */
function drain(mapping: SystemMapping, state: StateView<IntakeState>): readonly Emit[] {
  const emits: Emit[] = [];
  for (;;) {
    const released = release(state);
    if (released === undefined) break;
    for (const one of applyReleased(mapping, released, state)) emits.push(one);
  }
  if (emits.length > 0) forgetClosed(state);
  return emits;
}

function onLookupRow(
  mapping: SystemMapping,
  row: ForeignLookupRow,
  state: StateView<IntakeState>,
): readonly Emit[] {
  const { touched } = applyLookupRow(row.lookup, row.change, state);
  const { position, committedAt } = row.change;
  return tell(mapping, state, new Map(touched.map((id) => [id, position])), {
    id: '',
    committedAt,
    isOpening: false,
    isSnapshot: true,
  });
}

/** Rows first, then every touched document once: what nets to nothing within a source transaction stays unseen. */
function applyReleased(
  mapping: SystemMapping,
  released: Released,
  state: StateView<IntakeState>,
): readonly Emit[] {
  const touched = new Map<string, string>();
  let duplicates = 0;
  let purged = 0;
  let isOpening = false;
  let isSnapshot = false;
  const documents = new OpenDocuments(state);
  for (const change of released.changes) {
    isSnapshot = change.operation === 'r';
    isOpening = isSnapshot && isInitialSnapshot(change, state);
    const outcome = applyRow(change, { state, documents, mapping, isOpening });
    if (outcome.outcome === 'duplicate') duplicates += 1;
    if (outcome.outcome === 'purged') purged += 1;
    for (const id of outcome.touched) touched.set(id, change.position);
  }
  documents.write();
  const { id, committedAt } = released;
  const emits = [
    ...tell(mapping, state, touched, { id, committedAt, isOpening, isSnapshot }),
    ...count('duplicates', duplicates),
    ...count('purged', purged),
  ];
  const isLost = !released.isWhole && touched.size > 0;
  return isLost ? [...emits, lostEnd(mapping, released)] : emits;
}

/** The first snapshot that is seen is the initial one; a later one has another position. */
function isInitialSnapshot(change: Change, state: StateView<IntakeState>): boolean {
  const system = loadSystem(state);
  if (system.snapshot === '') {
    state.put(keys.system, { ...system, snapshot: change.position });
    return true;
  }
  return system.snapshot === change.position;
}

type Telling = {
  readonly id: string;
  readonly committedAt: number;
  readonly isOpening: boolean;
  readonly isSnapshot: boolean;
};

/** Computes the touched documents and writes one movement per SKU. */
function tell(
  mapping: SystemMapping,
  state: StateView<IntakeState>,
  touched: ReadonlyMap<string, string>,
  telling: Telling,
): readonly Emit[] {
  const bySku = new Map<string, ToldEffect[]>();
  const refused: Emit[] = [];
  let last = '';
  for (const [id, position] of touched) {
    if (position > last) last = position;
    const context = { state, mapping, position, ...telling };
    const computed = computeDocument(documentOf(mapping, id), id, context);
    if (computed.kind === 'late') refused.push(...late(mapping, id, computed.oldestAt, telling));
    if (computed.kind === 'waiting') refused.push(...count('waiting', 1));
    if (computed.kind !== 'told') continue;
    for (const told of computed.effects) {
      const effects = bySku.get(told.sku) ?? [];
      effects.push(told);
      bySku.set(told.sku, effects);
    }
  }
  const told = [...bySku].map(([sku, effects]) =>
    emit(movements, sku, movement(mapping, sku, effects, last, telling)),
  );
  return [...told, ...count('movements', told.length), ...refused];
}

function movement(
  mapping: SystemMapping,
  sku: string,
  told: readonly ToldEffect[],
  position: string,
  telling: Telling,
): Movement {
  return {
    id: hashText(`${mapping.system}|${telling.id}|${position}|${sku}`),
    sku,
    system: mapping.system,
    transaction: telling.id,
    position,
    committedAt: telling.committedAt,
    effects: told.map((one) => one.effect),
  };
}

function late(
  mapping: SystemMapping,
  id: string,
  oldestAt: number,
  telling: Telling,
): readonly Emit[] {
  const reason =
    `${mapping.system} ${id} was committed at ${new Date(telling.committedAt).toISOString()} with a business time ` +
    `of ${new Date(oldestAt).toISOString()}: later than the mapping allows, so none of it was applied`;
  return [
    { kind: 'deadLetter', code: 'LATE', reason },
    raise(mapping, telling.committedAt, { id: `late|${id}`, kind: 'late', message: reason }),
  ];
}

function lostEnd(mapping: SystemMapping, released: Released): Emit {
  return raise(mapping, released.committedAt, {
    id: `lostTransactionEnd|${mapping.system}|${released.id}`,
    kind: 'lostTransactionEnd',
    message: `source transaction ${released.id} never came whole: ${released.changes.length} changes were applied`,
  });
}

function raise(
  mapping: SystemMapping,
  raisedAt: number,
  what: { readonly id: string; readonly kind: string; readonly message: string },
): Emit {
  const alert: Alert = {
    ...what,
    severity: 'warning',
    sku: '',
    location: '',
    system: mapping.system,
    expected: '',
    seen: '',
    raisedAt,
    open: true,
  };
  return emit(alerts, mapping.system, alert);
}
