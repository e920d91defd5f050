/** What the watch over the sources' logs needs of the world. */
import type { Alert } from '../../schemas/types.ts';

/** What a source says of its log. */
export type LogFacts =
  /** PostgreSQL: a slot holds the log back until we have read it. */
  | {
      readonly kind: 'slot';
      readonly exists: boolean;
      readonly heldBytes: number;
      readonly isLost: boolean;
    }
  /** MariaDB: the server removes files whether we have read them or not. */
  | { readonly kind: 'files'; readonly isGone: boolean; readonly isNextToGo: boolean };

export type ProtectionPorts = {
  readonly logFacts: (system: string) => Promise<LogFacts>;
  /** Was its connector told to stop? Throws when nobody knows. */
  readonly isStopped: (system: string) => Promise<boolean>;
  /** The source need not keep anything for us any more; safe to repeat. */
  readonly giveUp: (system: string) => Promise<void>;
  /** Resolves when the connector is stopped, until a person starts it; safe to repeat. Throws soon when it cannot be. */
  readonly stop: (system: string) => Promise<void>;
  readonly tell: (alert: Alert) => Promise<void>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
  /** Told of trouble that passes by itself. */
  readonly report: (error: unknown) => void;
};
