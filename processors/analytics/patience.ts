/** A store that waits for ClickHouse to come back: nothing is lost meanwhile, the records stay in Kafka. */
import type { AnalyticsStore } from './ports.ts';

const firstWaitMs = 250;
const longestWaitMs = 10_000;

export function patientStore(
  store: AnalyticsStore,
  options: {
    readonly signal: AbortSignal;
    /** Why it is waited; undefined when it goes on. */
    readonly onWaiting: (reason: string | undefined) => void;
  },
): AnalyticsStore {
  const patiently = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        const result = await attempt();
        options.onWaiting(undefined);
        return result;
      } catch (error) {
        if (options.signal.aborted) throw error;
        options.onWaiting(error instanceof Error ? error.message : String(error));
        await pause(waitMs, options.signal);
      }
    }
  };
  const encode = store.encode?.bind(store);
  return {
    ...(encode === undefined ? {} : { encode: (rows) => patiently(() => encode(rows)) }),
    insert: (rows) => patiently(() => store.insert(rows)),
    select: (query) => patiently(() => store.select(query)),
  };
}

async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, waitMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
