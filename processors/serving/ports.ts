/** What copies of the figures need: somewhere to write them, and the topics that they come from. */
import type { Published } from '../topics.ts';

/** A figure as it is now, or that it is no more. Of one key the higher sequence holds, in whatever order they are written. */
export type Served = Published;

export type ServingTarget = {
  readonly name: string;
  /** Makes what it needs; safe to repeat. Tells whether what it holds is from us and whole. */
  readonly prepare: () => Promise<void>;
  /** Resolves when all of them are readable. Throws while the target is away. */
  readonly write: (figures: readonly Served[]) => Promise<void>;
  /** All that was committed up to then is contained. False: what was written is gone, such as by a flush. */
  readonly contain: (asOfMs: number) => Promise<boolean>;
  readonly close: () => Promise<void>;
};

export type ServingEvents = {
  readonly take: (figure: Served) => void;
  /** Everything that was committed at `askedAtMs` has been taken. */
  readonly current: (askedAtMs: number) => void;
};

export type ServingPorts = {
  /** From the beginning of the topics, until the end of `signal`. */
  readonly follow: (events: ServingEvents, signal: AbortSignal) => Promise<void>;
  readonly target: ServingTarget;
  readonly log: (level: 'info' | 'warn', event: string, fields?: Record<string, unknown>) => void;
};
