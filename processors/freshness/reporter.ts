/** One hop of this process: hears what the hop before says, and says how far it has come itself. */
import type { Freshness } from '../../schemas/types.ts';
import { type Fence, isPassed, type Place } from './fence.ts';
import { Hop } from './hop.ts';
import type { FreshnessPorts, HopOfProcess } from './ports.ts';

/** A hop passes its fences in a fraction of this. */
const behindAfterMs = 1_200;

export type Said = readonly [partition: number, freshness: Freshness];

export type Reporter = {
  /** A heartbeat of a source's connector, which wrote everything before it. */
  readonly onBeat: (source: string, atMs: number) => void;
  readonly onSaid: (partition: number, freshness: Freshness) => void;
  /** Asks where the inputs end, or looks whether all before the ends that it asked for is worked off. */
  readonly look: () => Promise<void>;
  readonly words: (nowMs: number) => readonly Said[];
};

const hopBefore = { intake: 'capture', stock: 'intake' } as const;

export function partitionsUpTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, partition) => partition);
}

export function reporterOf(
  worked: HopOfProcess,
  options: {
    readonly sources: readonly string[];
    readonly partitions: number;
    readonly ports: FreshnessPorts;
  },
): Reporter {
  const { ports } = options;
  const hop = new Hop();
  const isIntake = worked.hop === 'intake';
  const sources = worked.source === undefined ? options.sources : [worked.source];
  const all = partitionsUpTo(options.partitions);
  let fence: Fence | undefined;
  let passedAtMs = ports.now();
  /** Intake works the one partition of each table, and what it says goes to all of ours. */
  const partitionsOf = (places: readonly Place[]): readonly number[] =>
    isIntake ? all : [...new Set(places.map(({ partition }) => partition))];

  const look = async (): Promise<void> => {
    const committed = worked.committed();
    if (fence !== undefined && isPassed(fence, committed)) {
      for (const partition of partitionsOf(fence.ends)) hop.passed(partition, fence.atMs);
      passedAtMs = fence.atMs;
      fence = undefined;
    }
    if (fence?.ends.length === committed.length || committed.length === 0) return;
    const atMs = ports.now();
    const ends = await ports.ends(committed);
    const places = committed.map((place, index) => ({ ...place, offset: ends[index] ?? 0n }));
    fence = { atMs, ends: places };
  };
  const words = (nowMs: number): readonly Said[] => {
    const behindMs = nowMs - passedAtMs;
    const why =
      worked.waitsFor() ||
      (behindMs > behindAfterMs
        ? `${worked.hop} is ${(behindMs / 1_000).toFixed(1)} s behind`
        : '');
    return partitionsOf(worked.committed()).flatMap((partition) =>
      sources.map((source): Said => {
        const asOf = hop.asOf(source, partition);
        const told = { source, hop: worked.hop, position: '', observedAt: nowMs };
        if (asOf !== undefined) {
          const state = why === '' ? 'fresh' : 'degraded';
          return [partition, { ...told, asOf, state, reason: why }];
        }
        const reason = why || `how far ${source} has come is not known yet`;
        return [partition, { ...told, asOf: 0, state: 'unknown', reason }];
      }),
    );
  };
  return {
    onBeat: (source, atMs) => {
      if (!isIntake || source !== worked.source) return;
      for (const partition of all) hop.hear({ source, partition, asOf: atMs, saidAt: ports.now() });
    },
    onSaid: (partition, { source, hop: from, asOf, observedAt }) => {
      if (isIntake || from !== hopBefore[worked.hop] || asOf === 0) return;
      hop.hear({ source, partition, asOf, saidAt: observedAt });
    },
    look,
    words,
  };
}
