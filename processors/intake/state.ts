/** The state of intake by key: documents with their rows, lookups, waiting documents, open source transactions. */
import type { Change, Row } from '../cdc/change.ts';
import type { EffectDraft } from './mapping.ts';

/** A row of a document; `row` is null once deleted, the position stays against redelivery. */
export type StoredRow = { readonly row: Row | null; readonly position: string };

/** A document as a snapshot has shown it until now. */
export type SnapshotRows = {
  readonly header: Row | null;
  /** By primary key. */
  readonly lines: ReadonlyMap<string, Row>;
};

/** A place in the log, and when what stands there was committed. */
export type Standing = { readonly position: string; readonly committedAt: number };

export type AssertedEffect = EffectDraft & {
  /** Position of the row that stated it first. */
  readonly order: string;
  /** The business time that stock was told; differs from `occurredAt` where that lay after the commit. */
  readonly toldAt: number;
};

export type DocumentState = {
  readonly kind: 'document';
  readonly header: StoredRow | null;
  /** By primary key. */
  readonly lines: ReadonlyMap<string, StoredRow>;
  /** What has been told to stock, or is contained in the opening. */
  readonly asserted: readonly AssertedEffect[];
  /** Lookups and dates as they were answered first. */
  readonly resolved: ReadonlyMap<string, string | number>;
  /** The rows of the initial snapshot and what they mean; only for documents that the opening contains. */
  readonly baseline: (SnapshotRows & { readonly effects: readonly AssertedEffect[] }) | null;
  /** The rows of the initial snapshot that still have to open cells; never set where there is a baseline. */
  readonly opening?: SnapshotRows & Standing;
  /** After housekeeping deleted it: nothing up to this position brings it back. */
  readonly purgedThrough: string;
  /** The lookup that it waits for; empty when it does not wait. */
  readonly waitsFor: string;
  /** The last of its rows that came, while it waits: as of there it is told. */
  readonly waitsSince?: Standing;
  /** Of a line that is kept apart: the document whose header it has. */
  readonly headerId?: string;
};

export type IntakeState =
  | DocumentState
  /** Which documents a block of lines belongs to; empty text where there is none. */
  | { readonly kind: 'lines'; readonly documents: readonly string[] }
  | { readonly kind: 'lookup'; readonly value: string }
  | {
      readonly kind: 'lookupRow';
      readonly position: string;
      readonly key: string;
      readonly value: string;
    }
  | { readonly kind: 'waiting'; readonly documents: readonly string[] }
  | { readonly kind: 'once'; readonly documents: readonly string[] }
  /** The smallest distance seen between a commit and the business date in its row: how far the dates run behind. */
  | { readonly kind: 'dateLag'; readonly lagMs: number }
  | { readonly kind: 'held'; readonly change: Change }
  | {
      readonly kind: 'transaction';
      /** Changes that have arrived, usable or not. */
      readonly arrived: number;
      readonly orderMax: number;
      readonly ended: boolean;
      /** Position of its first change. */
      readonly first: string;
    }
  | {
      readonly kind: 'queued';
      readonly id: string;
      readonly changes: number;
      readonly domain: string;
      readonly order: string;
      readonly committedAt: number;
    }
  | { readonly kind: 'opened'; readonly id: string }
  /** The table has been read whole by the snapshot at this position, and at this time. */
  | { readonly kind: 'read'; readonly position: string; readonly at: number }
  /** Documents of a source transaction whose effects were refused: they are computed again when it is redriven. */
  | { readonly kind: 'refusals'; readonly documents: readonly string[] }
  | SourceState
  | SystemState;

/** What seldom changes. */
export type SourceState = {
  readonly kind: 'source';
  /** Position of the snapshot that opens the cells; empty before its first row. */
  readonly opening: string;
  /** How often it began: it begins anew when it breaks off. */
  readonly openingAttempts: number;
  readonly isOpened: boolean;
  /** Position of the last snapshot. */
  readonly snapshot: string;
  /** Put before every position; empty for the first lineage of the log. */
  readonly lineage: string;
  /** Why nothing of the log is applied any more; empty when it is. */
  readonly refused: string;
  /** Tables that no longer fit the mapping, and why. */
  readonly stopped: Readonly<Record<string, string>>;
  /** How many documents wait for a lookup. */
  readonly waiting: number;
};

/** Where the ENDs of one domain stand. */
export type LastEnd = { readonly order: string; readonly committedAt: number };

export type SystemState = {
  readonly kind: 'system';
  /** ENDs wait in a queue for their changes: first and one past the last. */
  readonly queueFrom: number;
  readonly queueTo: number;
  /** Transactions in the order of their first change, to find those whose END never came. */
  readonly openedFrom: number;
  readonly openedTo: number;
  /** The last END applied, by domain. */
  readonly lastEnds: Readonly<Record<string, LastEnd>>;
  /** Position of the last change applied. */
  readonly lastPosition: string;
  /** Since when, by the ticks, nothing has come of the transaction that holds up the queue, or has had no END. */
  readonly stuck: {
    readonly queue: number;
    readonly opened: number;
    /** Absent in what an older build wrote. */
    readonly arrived?: number;
    readonly sinceMs: number;
  } | null;
};

export const emptySystem: SystemState = {
  kind: 'system',
  queueFrom: 0,
  queueTo: 0,
  openedFrom: 0,
  openedTo: 0,
  lastEnds: {},
  lastPosition: '',
  stuck: null,
};

export const emptySource: SourceState = {
  kind: 'source',
  opening: '',
  openingAttempts: 0,
  isOpened: false,
  snapshot: '',
  lineage: '',
  refused: '',
  stopped: {},
  waiting: 0,
};

export const emptyDocument: DocumentState = {
  kind: 'document',
  header: null,
  lines: new Map(),
  asserted: [],
  resolved: new Map(),
  baseline: null,
  purgedThrough: '',
  waitsFor: '',
};

export const keys = {
  system: 's',
  source: 'm',
  read: (table: string) => `v|${table}`,
  refusals: (transaction: string) => `f|${transaction}`,
  document: (name: string, key: string) => `d|${name}|${key}`,
  lines: (table: string, block: string) => `i|${table}|${block}`,
  lookup: (name: string, key: string) => `l|${name}|${key}`,
  lookupRow: (name: string, key: string) => `r|${name}|${key}`,
  waiting: (name: string, key: string) => `w|${name}|${key}`,
  once: (document: string, key: string) => `o|${document}|${key}`,
  dateLag: (document: string) => `a|${document}`,
  transaction: (id: string) => `t|${id}`,
  held: (id: string, totalOrder: number) => `h|${id}|${totalOrder}`,
  queued: (place: number) => `q|${place}`,
  opened: (place: number) => `n|${place}`,
} as const;
