/**
 * Source transactions, whole: changes are held until as many have arrived as END counts, and transactions are released
 * in the order of their ENDs. One whose END or changes never come is released after a deadline, flagged.
 */
import type { Change, SystemKind, TransactionPlace } from '../cdc/change.ts';
import type { TransactionEnd } from '../cdc/transaction-event.ts';
import type { StateView } from '../topology/topology.ts';
import { emptySystem, type IntakeState, keys, type SystemState } from './state.ts';

/** The changes of one source transaction in its own order. */
export type Released = {
  readonly id: string;
  readonly changes: readonly Change[];
  readonly committedAt: number;
  /** PostgreSQL: its place among commits, comparable with positions; empty where it is not known. */
  readonly order: string;
  /** False when it was released by the deadline: something of it never came. */
  readonly isWhole: boolean;
};

/** Nothing more of it has come for so long, though the log goes on … */
const stuckAfterMs = 10_000;
/** … and though nothing else has come either: a connector that is down in the middle of a transaction comes back. */
const silentAfterMs = 600_000;
const truncateAfterMs = 1_000;

export function loadSystem(state: StateView<IntakeState>): SystemState {
  const known = state.get(keys.system);
  return known?.kind === 'system' ? known : emptySystem;
}

/** Holds a change, or notes that an unusable one has arrived. */
export function hold(
  state: StateView<IntakeState>,
  place: TransactionPlace,
  change: Change | null,
): void {
  const key = keys.transaction(place.id);
  const known = state.get(key);
  const transaction = known?.kind === 'transaction' ? known : undefined;
  if (transaction === undefined) {
    const system = loadSystem(state);
    state.put(keys.opened(system.openedTo), { kind: 'opened', id: place.id });
    state.put(keys.system, { ...system, openedTo: system.openedTo + 1 });
  }
  const heldKey = keys.held(place.id, place.totalOrder);
  const orderMax = transaction?.orderMax ?? 0;
  // Beyond the highest order so far nothing is held: the store need not be asked.
  const isAgain =
    change !== null && place.totalOrder <= orderMax && state.get(heldKey) !== undefined;
  if (change !== null) state.put(heldKey, { kind: 'held', change });
  state.put(key, {
    kind: 'transaction',
    arrived: (transaction?.arrived ?? 0) + (isAgain ? 0 : 1),
    orderMax: Math.max(orderMax, place.totalOrder),
    ended: transaction?.ended ?? false,
    first: transaction?.first ?? change?.position ?? '',
  });
}

/** new: queued. again: delivered before, what came with it is dropped. behind: it stands before one that is older. */
export type Enqueued = {
  readonly kind: 'new' | 'again' | 'behind';
  readonly droppedChanges: number;
};

/** Queues an END, unless it was delivered before. */
export function enqueue(state: StateView<IntakeState>, end: TransactionEnd): Enqueued {
  const system = loadSystem(state);
  const key = keys.transaction(end.id);
  const known = state.get(key);
  const transaction = known?.kind === 'transaction' ? known : undefined;
  if (transaction?.ended === true) return { kind: 'again', droppedChanges: 0 };
  const last = system.lastEnds[end.domain];
  const isBehind = last !== undefined && end.order <= last.order;
  // One without changes was never noted as applied, so its time says nothing; it has nothing to lose either.
  const isEmpty = end.changes === 0 && transaction === undefined;
  if (isBehind && (isEmpty || end.committedAt <= last.committedAt)) {
    return { kind: 'again', droppedChanges: take(state, end.id).length };
  }
  const kind = isBehind ? 'behind' : 'new';
  if (isEmpty) return { kind, droppedChanges: 0 };
  state.put(key, {
    kind: 'transaction',
    arrived: transaction?.arrived ?? 0,
    orderMax: transaction?.orderMax ?? 0,
    ended: true,
    first: transaction?.first ?? '',
  });
  state.put(keys.queued(system.queueTo), {
    kind: 'queued',
    id: end.id,
    changes: end.changes,
    domain: end.domain,
    order: end.order,
    committedAt: end.committedAt,
  });
  state.put(keys.system, { ...loadSystem(state), queueTo: system.queueTo + 1 });
  return { kind, droppedChanges: 0 };
}

/** The next transaction of the queue if all of it is here; `behind` when the log has gone back with it. */
export function release(
  kind: SystemKind,
  state: StateView<IntakeState>,
): Released | 'behind' | undefined {
  return releaseHead(kind, state, { incompleteToo: false });
}

function releaseHead(
  kind: SystemKind,
  state: StateView<IntakeState>,
  options: { readonly incompleteToo: boolean },
): Released | 'behind' | undefined {
  const system = loadSystem(state);
  if (system.queueFrom === system.queueTo) return undefined;
  const head = state.get(keys.queued(system.queueFrom));
  if (head?.kind !== 'queued') {
    throw new Error(`D3: the queue of source transactions lost its place ${system.queueFrom}`);
  }
  const known = state.get(keys.transaction(head.id));
  const transaction = known?.kind === 'transaction' ? known : undefined;
  const isWhole = (transaction?.arrived ?? 0) >= head.changes;
  if (!isWhole && !options.incompleteToo) return undefined;
  // A binlog has its transactions one after the other: a later one that stands before is of another log.
  const first = transaction?.first ?? '';
  if (kind === 'mariadb' && first !== '' && first <= system.lastPosition) return 'behind';
  const changes = take(state, head.id);
  state.delete(keys.queued(system.queueFrom));
  const last = system.lastEnds[head.domain];
  const committedAt = Math.max(head.committedAt, last?.committedAt ?? 0);
  state.put(keys.system, {
    ...loadSystem(state),
    queueFrom: system.queueFrom + 1,
    lastEnds: { ...system.lastEnds, [head.domain]: { order: head.order, committedAt } },
    lastPosition: changes.at(-1)?.position ?? system.lastPosition,
  });
  const order = kind === 'postgresql' ? head.order : '';
  return { id: head.id, changes, committedAt: head.committedAt, order, isWhole };
}

/** Takes a transaction's changes out of the state, in its own order. */
function take(state: StateView<IntakeState>, id: string): readonly Change[] {
  const known = state.get(keys.transaction(id));
  const orderMax = known?.kind === 'transaction' ? known.orderMax : 0;
  const changes: Change[] = [];
  for (let order = 0; order <= orderMax; order += 1) {
    const held = state.get(keys.held(id, order));
    if (held?.kind !== 'held') continue;
    changes.push(held.change);
    state.delete(keys.held(id, order));
  }
  state.delete(keys.transaction(id));
  return changes;
}

/** Called by the tick: what has held up everything for too long is released as it is. */
/** So many changes of the transaction that all others wait for have come. */
function arrivedOfWaiting(system: SystemState, state: StateView<IntakeState>): number {
  const head = state.get(keys.queued(system.queueFrom));
  const opened = state.get(keys.opened(system.openedFrom));
  const id = head?.kind === 'queued' ? head.id : opened?.kind === 'opened' ? opened.id : '';
  const known = state.get(keys.transaction(id));
  return known?.kind === 'transaction' ? known.arrived : 0;
}

/** MariaDB's TRUNCATE is a transaction of its own, whose END comes with the next one at the earliest. */
function isTruncateAlone(system: SystemState, state: StateView<IntakeState>): boolean {
  const opened = state.get(keys.opened(system.openedFrom));
  if (system.queueFrom !== system.queueTo || opened?.kind !== 'opened') return false;
  const known = state.get(keys.transaction(opened.id));
  if (known?.kind !== 'transaction' || known.arrived !== 1) return false;
  const held = state.get(keys.held(opened.id, known.orderMax));
  return held?.kind === 'held' && held.change.operation === 't';
}

/** Others stand behind it: what is missing would have come before them. */
const goesOn = ({ queueFrom, queueTo, openedFrom, openedTo }: SystemState): boolean =>
  queueTo - queueFrom > 1 || openedTo - openedFrom > 1;

export function releaseStuck(
  kind: SystemKind,
  state: StateView<IntakeState>,
  nowMs: number,
): readonly Released[] {
  const system = forgetClosed(state);
  const waits = system.queueFrom !== system.queueTo || system.openedFrom !== system.openedTo;
  if (!waits) {
    if (system.stuck !== null) state.put(keys.system, { ...system, stuck: null });
    return [];
  }
  const { stuck } = system;
  const arrived = arrivedOfWaiting(system, state);
  const isAsBefore =
    stuck?.queue === system.queueFrom &&
    stuck.opened === system.openedFrom &&
    stuck.arrived === arrived;
  if (!isAsBefore) {
    const since = { queue: system.queueFrom, opened: system.openedFrom, arrived, sinceMs: nowMs };
    state.put(keys.system, { ...system, stuck: since });
    return [];
  }
  const isTruncate = kind === 'mariadb' && isTruncateAlone(system, state);
  const deadlineMs = isTruncate ? truncateAfterMs : goesOn(system) ? stuckAfterMs : silentAfterMs;
  if (nowMs - stuck.sinceMs < deadlineMs) return [];
  const released: Released[] = [];
  const head = releaseHead(kind, state, { incompleteToo: true });
  if (head === 'behind') return [];
  if (head !== undefined) released.push(head);
  else {
    const opened = state.get(keys.opened(system.openedFrom));
    if (opened?.kind === 'opened') {
      const changes = take(state, opened.id);
      const committedAt = changes.at(-1)?.committedAt ?? nowMs;
      released.push({ id: opened.id, changes, committedAt, order: '', isWhole: isTruncate });
    }
  }
  forgetClosed(state);
  return released;
}

/** Moves the list of open transactions past those that have been released. */
export function forgetClosed(state: StateView<IntakeState>): SystemState {
  const system = loadSystem(state);
  let { openedFrom } = system;
  while (openedFrom < system.openedTo) {
    const opened = state.get(keys.opened(openedFrom));
    if (opened?.kind === 'opened' && state.get(keys.transaction(opened.id)) !== undefined) break;
    state.delete(keys.opened(openedFrom));
    openedFrom += 1;
  }
  if (openedFrom === system.openedFrom) return system;
  const next = { ...system, openedFrom };
  state.put(keys.system, next);
  return next;
}
