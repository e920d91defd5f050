/**
 * Says again and again how far each hop of this process has come with each source: to inventory.freshness.v1, in the
 * partition of the SKUs it speaks of.
 */
import { captureWord } from './capture.ts';
import type { FreshnessPorts, HopOfProcess } from './ports.ts';
import { partitionsUpTo, reporterOf, type Said } from './reporter.ts';

/** How often fences are looked at, and how often a word is said though nothing has changed. */
const lookEveryMs = 100;
const sayEveryMs = 400;

export async function runFreshness(options: {
  readonly hops: readonly HopOfProcess[];
  readonly sources: readonly string[];
  readonly partitions: number;
  readonly ports: FreshnessPorts;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { ports, signal } = options;
  const reporters = options.hops.map((hop) => reporterOf(hop, options));
  const beats = new Map<string, number>();
  const following = ports.follow({
    heartbeat: (source, atMs) => {
      beats.set(source, atMs);
      for (const reporter of reporters) reporter.onBeat(source, atMs);
    },
    said: (partition, freshness) => {
      for (const reporter of reporters) reporter.onSaid(partition, freshness);
    },
  });
  /** Whoever works the intake of a source speaks for its connector too. */
  const captured = options.hops.flatMap(({ hop, source }) =>
    hop === 'intake' && source !== undefined ? [source] : [],
  );
  const capture = async (source: string): Promise<readonly Said[]> => {
    const trouble = await ports.troubleOf(source);
    const word = captureWord(source, beats.get(source), trouble, ports.now());
    return partitionsUpTo(options.partitions).map((partition): Said => [partition, word]);
  };
  const say = async (): Promise<void> => {
    const words = [
      ...(await Promise.all(captured.map(capture))).flat(),
      ...reporters.flatMap((reporter) => reporter.words(ports.now())),
    ];
    await Promise.all(words.map(([partition, word]) => ports.write(partition, word)));
  };
  const saying = async (): Promise<void> => {
    let saidAtMs = 0;
    while (!signal.aborted) {
      try {
        for (const reporter of reporters) await reporter.look();
        if (ports.now() - saidAtMs >= sayEveryMs) {
          saidAtMs = ports.now();
          await say();
        }
      } catch (error) {
        // Silence says the same to whoever listens.
        ports.report(error);
      }
      await ports.sleep(lookEveryMs, signal);
    }
  };
  await Promise.all([following, saying()]);
}
