/**
 * What a `connectors/<system>/mapping.ts` says of a legacy system: which tables and columns are read, how rows make
 * documents, and what a document means for stock. Pure; a new system needs such a file and a connector config.
 */
import type { Row, SystemKind } from '../cdc/change.ts';
import { type CapturedTable, columnType } from '../cdc/table.ts';

export type Table = CapturedTable & {
  /**
   * What the deletion of a row means. `retract`: it never was. `purge`: housekeeping; once the document's header is
   * older than that by its column `datedBy`, deletions in it change nothing.
   */
  readonly onDelete: 'retract' | { readonly purgeOlderThanMs: number; readonly datedBy: string };
};

/** A value found by a key in another table, possibly of another system: barcode → SKU, shop → location. */
export type Lookup = {
  readonly name: string;
  readonly system: { readonly name: string; readonly kind: SystemKind; readonly schema: string };
  readonly table: CapturedTable;
  /** Undefined: the row does not take part. */
  readonly entry: (row: Row) => { readonly key: string; readonly value: string } | undefined;
};

export type EchoDraft = {
  readonly key: string;
  readonly role: 'till' | 'posting';
  readonly rule: 'supersede' | 'max';
  readonly complete: boolean;
  /**
   * True where the ERP posts one total that nets returns against sales: both sums are then compared whole. The till's
   * mapping and the ERP's must say the same of one key. Absent: sales and returns are compared apart.
   */
  readonly netted?: boolean;
};

/** What a line of the ERP's order has booked: our hold for the order shrinks by the most that it ever showed. */
export type BookingDraft = {
  /** Names the order in both systems, as a reservation's reference does. */
  readonly order: string;
  readonly line: string;
  /** Ordered, shipped units included; in thousandths. */
  readonly quantity: number;
  /** Still to be shipped. */
  readonly open: number;
};

/** What a document means for one cell, as the mapping says it. Quantities in thousandths. */
export type EffectDraft = {
  readonly kind: 'event' | 'level' | 'count' | 'opening';
  readonly bucket:
    | 'onHand'
    | 'reserved'
    | 'incoming'
    | 'inTransit'
    | 'damaged'
    | 'qualityControl'
    | 'safetyStock';
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  /** Business time; for a level and an opening it is replaced by the time of the change. */
  readonly occurredAt: number;
  readonly reason: string;
  readonly reference: string;
  readonly echo?: EchoDraft;
  /** For incoming and reserved: the day on which it is expected, as an instant. */
  readonly expectedAt?: number;
  /** A line of an order that our own reservations may be for; bucket `reserved`, kind `level`, quantity 0. */
  readonly booking?: BookingDraft;
};

/** A header with its lines, as they are now. Without lines the header stands alone. */
export type SourceDocument = { readonly header: Row; readonly lines: readonly Row[] };

/** What an effects function may ask. Answers are kept with the document, so that a later change of a lookup does not move it. */
export type Resolver = {
  /** Empty while the row is not there: the document then waits as a whole. */
  readonly lookup: (name: string, key: string) => string;
  /** The instant of a time without zone. */
  readonly instant: (localMs: number) => number;
  /** A date without time: the time of the commit on its own day, otherwise the end of that day. */
  readonly dated: (day: number) => number;
};

export type DocumentMapping = {
  readonly name: string;
  readonly header: Table;
  readonly lines?: {
    readonly table: Table;
    readonly headerKey: readonly string[];
    /**
     * True where no effect depends on two lines or on none: `effects` is then asked with one line at a time, and a document
     * may have any number of them. For what is filled row by row and for what is large. Once said, it cannot be taken back.
     */
    readonly apart?: boolean;
  };
  /** Rows of the initial snapshot are part of the opening balances: told as contained, and not added again. */
  readonly containedInOpening: boolean;
  /** Names the document in business terms; of several rows with one name the lowest id counts. */
  readonly once?: (header: Row) => string;
  readonly effects: (document: SourceDocument, resolver: Resolver) => readonly EffectDraft[];
};

export type SystemMapping = {
  readonly system: string;
  readonly kind: SystemKind;
  /** PostgreSQL: the schema; MariaDB: the database. */
  readonly schema: string;
  readonly timeZone: string;
  /** A change whose business time lies further back than this before its commit is refused. */
  readonly lateAfterMs: number;
  /** So many documents may wait for a lookup; further ones are refused. Absent: 10 000. */
  readonly waitingMax?: number;
  readonly documents: readonly DocumentMapping[];
  readonly lookups: readonly Lookup[];
};

export const dayMs = 86_400_000;

/** Declares a mapping; refuses one that contradicts itself, with every fault at once. */
export function defineMapping(mapping: SystemMapping): SystemMapping {
  const names = mapping.documents.map((document) => document.name);
  const faults = [
    ...(new Set(names).size === names.length ? [] : ['two documents have the same name']),
    ...mapping.documents.flatMap(documentFaults),
    ...mapping.lookups.flatMap(({ table }) => tableFaults(table)),
  ];
  if (faults.length > 0) {
    throw new Error(`mapping ${mapping.system}: ${[...new Set(faults)].join('; ')}`);
  }
  return mapping;
}

function documentFaults({ name, header, lines }: DocumentMapping): readonly string[] {
  const faults = [...tableFaults(header), ...(lines === undefined ? [] : tableFaults(lines.table))];
  if (/[|/]/.test(name)) faults.push(`document ${name}: a name cannot hold | or /`);
  if (lines !== undefined) {
    if (lines.headerKey.length !== header.primaryKey.length) {
      faults.push(`${name}: headerKey must name a column per primary key column of ${header.name}`);
    }
    for (const column of lines.headerKey) {
      if (lines.table.columns[column] === undefined) {
        faults.push(`${name}: headerKey ${column} is no column of ${lines.table.name}`);
      }
    }
  }
  if (header.onDelete === 'retract') return faults;
  const { datedBy } = header.onDelete;
  const dated = header.columns[datedBy];
  if (dated === undefined || !['localTime', 'instant'].includes(columnType(dated))) {
    faults.push(`${name}: datedBy ${datedBy} must be a time of ${header.name}`);
  }
  return faults;
}

function tableFaults({ name, primaryKey, columns }: CapturedTable): readonly string[] {
  const missing = primaryKey.filter((column) => columns[column] === undefined);
  const faults = missing.map((column) => `${name}: key column ${column} is not read`);
  return primaryKey.length === 0 ? [`${name}: it has no key`] : faults;
}

/** The tables that have to be captured from the mapping's own system. */
export function capturedTables(mapping: SystemMapping): readonly CapturedTable[] {
  const tables = new Map<string, CapturedTable>();
  const add = (table: CapturedTable): void => {
    const known = tables.get(table.name);
    tables.set(
      table.name,
      known === undefined ? table : { ...table, columns: { ...known.columns, ...table.columns } },
    );
  };
  for (const document of mapping.documents) {
    add(document.header);
    if (document.lines !== undefined) add(document.lines.table);
  }
  for (const lookup of mapping.lookups) {
    if (lookup.system.name === mapping.system) add(lookup.table);
  }
  return [...tables.values()];
}

/** What a draft leaves open. A mapping that still has one is not loaded. */
export function blank(question: string): never {
  throw new Error(`the mapping has a blank: ${question}`);
}
