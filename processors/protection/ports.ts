/** What the watch over the sources needs of the world. */
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

/** What Kafka Connect says of a connector: `stopped` was told to be, `failed` gave up by itself, with the cause. */
export type ConnectorFacts = {
  readonly state: 'running' | 'stopped' | 'failed' | 'other';
  readonly cause: string;
};

export type ProtectionPorts = {
  readonly logFacts: (system: string) => Promise<LogFacts>;
  /** Throws when nobody knows. */
  readonly connector: (system: string) => Promise<ConnectorFacts>;
  /** The source need not keep anything for us any more; safe to repeat. */
  readonly giveUp: (system: string) => Promise<void>;
  /** Resolves when the connector is stopped, until a person starts it; safe to repeat. Throws soon when it cannot be. */
  readonly stop: (system: string) => Promise<void>;
  /** Starts what has failed of its connector again. */
  readonly restart: (system: string) => Promise<void>;
  readonly tell: (alert: Alert) => Promise<void>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
  /** Told of trouble that passes by itself. */
  readonly report: (error: unknown) => void;
};
