/** Trying again what passes by itself. */
import { recoveryOf } from './errors.ts';
import { limits } from './limits.ts';
import type { Clock, Telemetry } from './ports.ts';
import type { Phase } from './statistics.ts';

/** Tries until it works, as long as the error says that it may; undefined when told to stop. */
export async function patiently<T>(
  attempt: () => Promise<T>,
  adapters: { readonly clock: Clock; readonly telemetry: Telemetry },
  context: {
    readonly signal: AbortSignal;
    readonly statistics: { readonly enter: (phase: Phase, cause?: string) => void };
  },
): Promise<T | undefined> {
  let pauseMs: number = limits.retryMinMs;
  while (!context.signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (recoveryOf(error) !== 'retry') throw error;
      context.statistics.enter('waiting', String(error));
      adapters.telemetry.log('warn', 'trying again', { error: String(error) });
      await adapters.clock.sleep(pauseMs, context.signal);
      pauseMs = Math.min(2 * pauseMs, limits.retryMaxMs);
    }
  }
  return undefined;
}
