/** What freshness needs of its process and of the world. */
import type { Freshness } from '../../schemas/types.ts';
import type { Place } from './fence.ts';

/** A running processor, as far as it matters here. */
export type Worked = {
  /** Up to where its inputs are worked off and committed. */
  readonly committed: () => readonly Place[];
  /** What it waits for; empty while it works. */
  readonly waitsFor: () => string;
};

export type HopOfProcess = Worked & {
  readonly hop: 'intake' | 'stock';
  /** Intake works one source; the others work what all of them sent. */
  readonly source: string | undefined;
};

export type FreshnessPorts = {
  /** Calls back until the signal: a heartbeat of a source's connector, and what is said on the topic. */
  readonly follow: (events: {
    readonly heartbeat: (source: string, atMs: number) => void;
    readonly said: (partition: number, freshness: Freshness) => void;
  }) => Promise<void>;
  /** Where these partitions end now, in the order asked for. */
  readonly ends: (places: readonly Omit<Place, 'offset'>[]) => Promise<readonly bigint[]>;
  /** What keeps the connector of a source from capturing; empty when nothing is known to. */
  readonly troubleOf: (source: string) => Promise<string>;
  readonly write: (partition: number, freshness: Freshness) => Promise<void>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
  /** Told of trouble that passes by itself. */
  readonly report: (error: unknown) => void;
};
