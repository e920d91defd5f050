/** Rows of a source transaction → documents → one movement per SKU. */
import type { Effect, Movement } from '../../schemas/types.ts';
import type { Change } from '../cdc/change.ts';
import { hashText } from '../domain/hash.ts';
import { movements } from '../topics.ts';
import { type Emit, emit, type StepState } from '../topology/topology.ts';
import { gapAlert, lineageAccepted, raise } from './alerts.ts';
import { type Computed, computeDocument } from './documents.ts';
import { mappingOf } from './line-documents.ts';
import { loadSource, noteRead } from './lineage.ts';
import type { SystemMapping } from './mapping.ts';
import { OpenDocuments } from './open-documents.ts';
import { applyRow, type Gap, type RowContext, type Touched } from './rows.ts';
import { type IntakeState, keys } from './state.ts';
import { looksFiltered, sweep } from './sweep.ts';
import type { Released } from './transactions.ts';

/** Alerts of one kind that one source transaction may raise. */
const alertsMax = 100;

export const count = (metric: string, by: number): readonly Emit[] =>
  by === 0 ? [] : [{ kind: 'count', metric, by }];

/** Rows first, then every touched document once: what nets to nothing within a source transaction stays unseen. */
export function applyReleased(
  mapping: SystemMapping,
  released: Released,
  state: StepState<IntakeState>,
  redrivenAt?: number,
): readonly Emit[] {
  const rows = new AppliedRows(mapping, released, state, redrivenAt !== undefined);
  for (const change of released.changes) rows.apply(change);
  const { touched, emits, isSnapshot } = rows.finish();
  const { id, committedAt } = released;
  const told = tell(mapping, state, touched, {
    id,
    committedAt,
    isSnapshot,
    ...(redrivenAt === undefined ? {} : { adjustAt: redrivenAt }),
  });
  const isLost = !released.isWhole && touched.size > 0;
  return [...told, ...emits, ...(isLost ? [lostEnd(mapping, released)] : [])];
}

class AppliedRows {
  private readonly touched = new Map<string, string | undefined>();
  private readonly counts = { duplicate: 0, purged: 0, incomplete: 0, applied: 0, stale: 0 };
  private readonly emits: Emit[] = [];
  private readonly gaps: Gap[] = [];
  private readonly documents: OpenDocuments;
  private isOpening = false;
  private isSnapshot = false;
  private readonly mapping: SystemMapping;
  private readonly released: Released;
  private readonly state: StepState<IntakeState>;
  private readonly isRedriven: boolean;
  private lineage: string;

  constructor(
    mapping: SystemMapping,
    released: Released,
    state: StepState<IntakeState>,
    isRedriven: boolean,
  ) {
    this.mapping = mapping;
    this.released = released;
    this.state = state;
    this.isRedriven = isRedriven;
    this.documents = new OpenDocuments(state);
    this.lineage = loadSource(state).lineage;
  }

  apply(change: Change): void {
    this.isSnapshot = change.operation === 'r';
    if (this.isSnapshot) this.noteRead(change);
    else this.isOpening = false;
    const { lineage } = this;
    const isWithin = lineage === '' || change.snapshot === 'part';
    const placed = isWithin ? change : { ...change, position: lineage + change.position };
    if (change.operation === 't') this.truncate(placed);
    else this.applyOne(placed);
    if (change.snapshot === 'tableEnd' || change.snapshot === 'end') this.endTable(placed);
  }

  finish(): {
    readonly touched: ReadonlyMap<string, string | undefined>;
    readonly emits: readonly Emit[];
    readonly isSnapshot: boolean;
  } {
    this.documents.write();
    const { committedAt } = this.released;
    const alerted = this.gaps
      .slice(0, alertsMax)
      .map((gap) => gapAlert(this.mapping, committedAt, gap));
    const emits = [
      ...count('duplicates', this.counts.duplicate),
      ...count('purged', this.counts.purged),
      ...count('gaps', this.gaps.length),
      ...alerted,
      ...this.emits,
    ];
    return { touched: this.touched, emits, isSnapshot: this.isSnapshot };
  }

  private applyOne(change: Change): void {
    const context: RowContext = {
      state: this.state,
      documents: this.documents,
      mapping: this.mapping,
      isOpening: this.isOpening,
      order: this.released.order === '' ? '' : this.lineage + this.released.order,
      isRedriven: this.isRedriven,
      gaps: this.gaps,
    };
    const { outcome, touched } = applyRow(change, context);
    this.counts[outcome] += 1;
    for (const [id, position] of touched) {
      this.touched.set(id, position ?? this.touched.get(id));
    }
    const row = `${change.table} ${change.key}`;
    if (outcome === 'incomplete') {
      const reason = `${row}: the log does not repeat all columns of the row, and the row is not known`;
      this.emits.push({ kind: 'deadLetter', code: 'ROW_INCOMPLETE', reason });
    }
    if (outcome === 'stale') {
      const reason = `${row}: it was read some time ago and may have changed since; have the table read again (stockline source snapshot)`;
      this.emits.push({ kind: 'deadLetter', code: 'READ_STALE', reason });
    }
  }

  private noteRead(read: Change): void {
    const { kind } = this.mapping;
    const { isOpening, isNewLineage } = noteRead(kind, read, this.state);
    this.isOpening = isOpening;
    if (!isNewLineage) return;
    this.lineage = loadSource(this.state).lineage;
    this.emits.push(lineageAccepted(this.mapping, read.committedAt));
  }

  /** All rows of the table that were told before are gone; rows that follow in the same transaction are new. */
  private truncate(change: Change): void {
    this.documents.write();
    const { deletes } = sweep(this.mapping, change, this.state);
    for (const one of deletes) this.applyOne(one);
    const { mapping } = this;
    const message = `${mapping.system} ${change.table} was truncated: ${deletes.length} rows are taken back`;
    const id = `tableTruncated|${mapping.system}|${change.table}|${change.position}`;
    this.emits.push(
      raise(mapping, change.committedAt, { id, kind: 'tableTruncated', message, severity: 'info' }),
    );
  }

  /** A snapshot has read all of the table: what it did not show has been deleted meanwhile. */
  private endTable(last: Change): void {
    const { mapping, state } = this;
    const { opening, openingAttempts } = loadSource(state);
    const { position, committedAt: at } = last;
    state.put(keys.read(last.table), { kind: 'read', position, at });
    if (last.position === opening && openingAttempts === 1) return;
    this.documents.write();
    const found = sweep(mapping, last, state);
    if (looksFiltered(found)) {
      const message =
        `a snapshot of ${mapping.system} ${last.table} showed ${found.held - found.deletes.length} of ${found.held} rows: ` +
        'it looks filtered, so nothing was deleted; see the runbook';
      const id = `sweepRefused|${mapping.system}|${last.table}`;
      this.emits.push(raise(mapping, last.committedAt, { id, kind: 'sweepRefused', message }));
      return;
    }
    for (const one of found.deletes) this.applyOne(one);
    this.emits.push(...count('swept', found.deletes.length));
  }
}

export type Telling = {
  /** The source transaction; empty for reads. */
  readonly id: string;
  readonly committedAt: number;
  readonly isSnapshot: boolean;
  readonly adjustAt?: number;
  readonly restatement?: string;
};

/** Computes the touched documents, each named once, and writes one movement per SKU. */
export function tell(
  mapping: SystemMapping,
  state: StepState<IntakeState>,
  touched: Iterable<Touched>,
  telling: Telling,
): readonly Emit[] {
  const bySku = new Map<string, ToldOfSku>();
  const refused: Emit[] = [];
  const refusedIds: string[] = [];
  let last = '';
  for (const [id, position] of touched) {
    const document = mappingOf(mapping, id);
    if (document === undefined)
      throw new Error(`no document of ${mapping.system} has the id ${id}`);
    const computed = computeDocument(document, id, { state, mapping, position, ...telling });
    if (computed.kind === 'waiting') refused.push(...count('waiting', 1));
    if (computed.kind === 'refused') {
      refusedIds.push(id);
      refused.push(...refusal(mapping, id, computed, telling));
    }
    if (computed.kind !== 'told') continue;
    if (computed.position > last) last = computed.position;
    for (const { sku, effect } of computed.effects) ofSku(bySku, sku).effects.push(effect);
    for (const { sku, effect } of computed.contained) ofSku(bySku, sku).contained.push(effect);
  }
  if (refusedIds.length > 0 && telling.id !== '') {
    state.put(keys.refusals(telling.id), { kind: 'refusals', documents: refusedIds });
  }
  const told = [...bySku].map(([sku, ofSku]) =>
    emit(movements, sku, movement(mapping, sku, ofSku, last, telling)),
  );
  return [...told, ...count('movements', told.length), ...refused];
}

type ToldOfSku = { readonly effects: Effect[]; readonly contained: Effect[] };

function ofSku(bySku: Map<string, ToldOfSku>, sku: string): ToldOfSku {
  const known = bySku.get(sku);
  if (known !== undefined) return known;
  const begun: ToldOfSku = { effects: [], contained: [] };
  bySku.set(sku, begun);
  return begun;
}

function movement(
  mapping: SystemMapping,
  sku: string,
  told: ToldOfSku,
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
    ...told,
  };
}

function refusal(
  mapping: SystemMapping,
  id: string,
  { code, reason }: Extract<Computed, { kind: 'refused' }>,
  { committedAt }: Telling,
): readonly Emit[] {
  const sentence = `${mapping.system} ${id}, committed at ${new Date(committedAt).toISOString()}: ${reason}`;
  const kind = code === 'LATE' ? 'late' : 'refused';
  return [
    { kind: 'deadLetter', code, reason: sentence },
    raise(mapping, committedAt, { id: `${kind}|${id}`, kind, message: sentence }),
  ];
}

function lostEnd(mapping: SystemMapping, released: Released): Emit {
  return raise(mapping, released.committedAt, {
    id: `lostTransactionEnd|${mapping.system}|${released.id}`,
    kind: 'lostTransactionEnd',
    message: `source transaction ${released.id} never came whole: ${released.changes.length} changes were applied`,
  });
}
