/** The state of intake as bytes: one tag per kind, then its fields in the order below. */
import type { Change, Row } from '../cdc/change.ts';
import type { ColumnValue } from '../cdc/values.ts';
import { PackedReader, type PackedWriter, packed } from '../topology/packed.ts';
import type { StateCodec } from '../topology/topology.ts';
import type { EffectDraft } from './mapping.ts';
import type { AssertedEffect, DocumentState, IntakeState, StoredRow } from './state.ts';

/** Places are part of the format: add at the end. */
const kinds = [
  'document',
  'lines',
  'lookup',
  'lookupRow',
  'waiting',
  'once',
  'dateLag',
  'held',
  'transaction',
  'queued',
  'opened',
  'system',
] as const satisfies readonly IntakeState['kind'][];
const effectKinds = ['event', 'level', 'count', 'opening'] as const;
const buckets = [
  'onHand',
  'reserved',
  'incoming',
  'inTransit',
  'damaged',
  'qualityControl',
  'safetyStock',
] as const;
const roles = ['till', 'posting'] as const;
const rules = ['supersede', 'max'] as const;
const operations = ['c', 'u', 'd', 'r', 't'] as const;
const columnTags = { null: 0, number: 1, text: 2 } as const;

/** Version 1 was JSON and noted each line by itself: it is refused. */
export const intakeStateCodec: StateCodec<IntakeState> = {
  version: 2,
  encode: (value) => packed((to) => writeState(to, value)),
  decode: (bytes) => readState(new PackedReader(bytes)),
};

function writeState(to: PackedWriter, value: IntakeState): void {
  to.unsigned(kinds.indexOf(value.kind));
  switch (value.kind) {
    case 'document':
      writeDocument(to, value);
      break;
    case 'lines':
    case 'waiting':
    case 'once':
      writeWords(to, value.documents);
      break;
    case 'lookup':
      to.text(value.value);
      break;
    case 'lookupRow':
      to.text(value.position);
      to.text(value.key);
      to.text(value.value);
      break;
    case 'dateLag':
      to.number(value.lagMs);
      break;
    case 'held':
      writeChange(to, value.change);
      break;
    case 'transaction':
      to.unsigned(value.arrived);
      to.unsigned(value.orderMax);
      to.flag(value.ended);
      break;
    case 'queued':
      to.text(value.id);
      to.unsigned(value.changes);
      to.text(value.order);
      to.number(value.committedAt);
      break;
    case 'opened':
      to.text(value.id);
      break;
    case 'system':
      to.text(value.snapshot);
      for (const place of [value.queueFrom, value.queueTo, value.openedFrom, value.openedTo]) {
        to.unsigned(place);
      }
      to.text(value.lastEnd);
      writeMaybe(to, value.stuck, (stuck) => {
        to.unsigned(stuck.queue);
        to.unsigned(stuck.opened);
        to.number(stuck.sinceMs);
      });
  }
}

function readState(from: PackedReader): IntakeState {
  const kind = choice(kinds, from);
  switch (kind) {
    case 'document':
      return readDocument(from);
    case 'lines':
    case 'waiting':
    case 'once':
      return { kind, documents: readWords(from) };
    case 'lookup':
      return { kind, value: from.text() };
    case 'lookupRow':
      return { kind, position: from.text(), key: from.text(), value: from.text() };
    case 'dateLag':
      return { kind, lagMs: from.number() };
    case 'held':
      return { kind, change: readChange(from) };
    case 'transaction':
      return { kind, arrived: from.unsigned(), orderMax: from.unsigned(), ended: from.flag() };
    case 'queued':
      return {
        kind,
        id: from.text(),
        changes: from.unsigned(),
        order: from.text(),
        committedAt: from.number(),
      };
    case 'opened':
      return { kind, id: from.text() };
    case 'system':
      return {
        kind,
        snapshot: from.text(),
        queueFrom: from.unsigned(),
        queueTo: from.unsigned(),
        openedFrom: from.unsigned(),
        openedTo: from.unsigned(),
        lastEnd: from.text(),
        stuck: readMaybe(from, () => ({
          queue: from.unsigned(),
          opened: from.unsigned(),
          sinceMs: from.number(),
        })),
      };
  }
}

function writeDocument(to: PackedWriter, document: DocumentState): void {
  writeMaybe(to, document.header, (header) => writeStoredRow(to, header));
  to.unsigned(document.lines.size);
  for (const [key, line] of document.lines) {
    to.word(key);
    writeStoredRow(to, line);
  }
  writeEffects(to, document.asserted);
  to.unsigned(document.resolved.size);
  for (const [asked, answer] of document.resolved) {
    to.word(asked);
    writeColumn(to, answer);
  }
  writeMaybe(to, document.baseline, (baseline) => {
    writeMaybe(to, baseline.header, (row) => writeRow(to, row));
    to.unsigned(baseline.lines.size);
    for (const [key, row] of baseline.lines) {
      to.word(key);
      writeRow(to, row);
    }
    writeEffects(to, baseline.effects);
  });
  to.word(document.purgedThrough);
  to.word(document.waitsFor);
}

function readDocument(from: PackedReader): DocumentState {
  return {
    kind: 'document',
    header: readMaybe(from, () => readStoredRow(from)),
    lines: readMap(from, () => readStoredRow(from)),
    asserted: readEffects(from),
    resolved: readMap(from, () => readColumn(from) as string | number),
    baseline: readMaybe(from, () => ({
      header: readMaybe(from, () => readRow(from)),
      lines: readMap(from, () => readRow(from)),
      effects: readEffects(from),
    })),
    purgedThrough: from.word(),
    waitsFor: from.word(),
  };
}

function writeStoredRow(to: PackedWriter, stored: StoredRow): void {
  to.word(stored.position);
  writeMaybe(to, stored.row, (row) => writeRow(to, row));
}

function readStoredRow(from: PackedReader): StoredRow {
  const position = from.word();
  return { row: readMaybe(from, () => readRow(from)), position };
}

function writeRow(to: PackedWriter, row: Row): void {
  const names = Object.keys(row);
  to.unsigned(names.length);
  for (const name of names) {
    to.word(name);
    writeColumn(to, row[name] as ColumnValue);
  }
}

function readRow(from: PackedReader): Row {
  const row: Record<string, ColumnValue> = {};
  for (let left = from.unsigned(); left > 0; left -= 1) row[from.word()] = readColumn(from);
  return row;
}

function writeColumn(to: PackedWriter, value: ColumnValue): void {
  if (value === null) to.unsigned(columnTags.null);
  else if (typeof value === 'number') {
    to.unsigned(columnTags.number);
    to.number(value);
  } else {
    to.unsigned(columnTags.text);
    to.word(value);
  }
}

function readColumn(from: PackedReader): ColumnValue {
  switch (from.unsigned()) {
    case columnTags.null:
      return null;
    case columnTags.number:
      return from.number();
    default:
      return from.word();
  }
}

function writeEffects(to: PackedWriter, effects: readonly AssertedEffect[]): void {
  to.unsigned(effects.length);
  for (const effect of effects) {
    to.unsigned(effectKinds.indexOf(effect.kind));
    to.unsigned(buckets.indexOf(effect.bucket));
    to.word(effect.sku);
    to.word(effect.location);
    to.number(effect.quantity);
    to.number(effect.occurredAt);
    to.word(effect.reason);
    to.word(effect.reference);
    writeMaybe(to, effect.echo ?? null, (echo) => {
      to.word(echo.key);
      to.unsigned(roles.indexOf(echo.role));
      to.unsigned(rules.indexOf(echo.rule));
      to.flag(echo.complete);
    });
    to.word(effect.order);
    to.number(effect.toldAt);
  }
}

function readEffects(from: PackedReader): readonly AssertedEffect[] {
  const effects: AssertedEffect[] = [];
  for (let left = from.unsigned(); left > 0; left -= 1) {
    const draft: EffectDraft = {
      kind: choice(effectKinds, from),
      bucket: choice(buckets, from),
      sku: from.word(),
      location: from.word(),
      quantity: from.number(),
      occurredAt: from.number(),
      reason: from.word(),
      reference: from.word(),
    };
    const echo = readMaybe(from, () => ({
      key: from.word(),
      role: choice(roles, from),
      rule: choice(rules, from),
      complete: from.flag(),
    }));
    const told = { order: from.word(), toldAt: from.number() };
    effects.push(echo === null ? { ...draft, ...told } : { ...draft, echo, ...told });
  }
  return effects;
}

function writeChange(to: PackedWriter, change: Change): void {
  to.text(change.table);
  to.unsigned(operations.indexOf(change.operation));
  to.text(change.key);
  writeMaybe(to, change.row, (row) => writeRow(to, row));
  to.text(change.position);
  to.number(change.committedAt);
  writeMaybe(to, change.transaction, (transaction) => {
    to.text(transaction.id);
    to.unsigned(transaction.totalOrder);
  });
}

function readChange(from: PackedReader): Change {
  return {
    kind: 'change',
    table: from.text(),
    operation: choice(operations, from),
    key: from.text(),
    row: readMaybe(from, () => readRow(from)),
    position: from.text(),
    committedAt: from.number(),
    transaction: readMaybe(from, () => ({ id: from.text(), totalOrder: from.unsigned() })),
  };
}

function writeWords(to: PackedWriter, words: readonly string[]): void {
  to.unsigned(words.length);
  for (const word of words) to.word(word);
}

function readWords(from: PackedReader): readonly string[] {
  return Array.from({ length: from.unsigned() }, () => from.word());
}

function writeMaybe<T>(to: PackedWriter, value: T | null, write: (value: T) => void): void {
  to.flag(value !== null);
  if (value !== null) write(value);
}

function readMaybe<T>(from: PackedReader, read: () => T): T | null {
  return from.flag() ? read() : null;
}

function readMap<T>(from: PackedReader, read: () => T): Map<string, T> {
  const entries = new Map<string, T>();
  for (let left = from.unsigned(); left > 0; left -= 1) {
    const key = from.word();
    entries.set(key, read());
  }
  return entries;
}

function choice<T>(of: readonly T[], from: PackedReader): T {
  const place = from.unsigned();
  const chosen = of[place];
  if (chosen === undefined) throw new Error(`the bytes choose ${place} of ${of.length}`);
  return chosen;
}
