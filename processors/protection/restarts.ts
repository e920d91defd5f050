/** A connector that fails is started again, with longer and longer pauses: Kafka Connect never does so itself. Pure. */
import type { Alert } from '../../schemas/types.ts';
import type { ConnectorFacts, LogFacts } from './ports.ts';

/** A connector that has failed, and has not been seen to run since for as long as it was given. */
export type Failing = { readonly restarts: number; readonly dueAtMs: number };

export type Looked = {
  /** Undefined: it is well. */
  readonly failing: Failing | undefined;
  readonly isDue: boolean;
};

const firstPauseMs = 10_000;
const pauseMaxMs = 600_000;

/** What is due when the connector is seen like this. One that runs when its next start would be due is well again. */
export function judgeConnector(
  failing: Failing | undefined,
  { state }: ConnectorFacts,
  nowMs: number,
): Looked {
  const isWaiting = failing !== undefined && nowMs < failing.dueAtMs;
  if (state === 'failed' && !isWaiting) {
    const restarts = (failing?.restarts ?? 0) + 1;
    const pauseMs = Math.min(pauseMaxMs, firstPauseMs * 2 ** (restarts - 1));
    return { failing: { restarts, dueAtMs: nowMs + pauseMs }, isDue: true };
  }
  return { failing: state === 'running' && !isWaiting ? undefined : failing, isDue: false };
}

/** One that finds no slot makes it again, and goes on behind the gap as if there were none. */
export function findsItsPlace(facts: LogFacts): boolean {
  return facts.kind === 'slot' ? facts.exists && !facts.isLost : !facts.isGone;
}

/** Undefined where nothing has changed. */
export function connectorAlert(
  system: string,
  before: Failing | undefined,
  now: Failing | undefined,
  at: { readonly nowMs: number; readonly cause: string; readonly isStarted: boolean },
): Alert | undefined {
  if ((before === undefined) === (now === undefined)) return undefined;
  const follows = at.isStarted
    ? 'It is started again until it runs'
    : `The log is no longer kept for it, so it is not started again. Then: stockline source resync ${system}`;
  return {
    id: `connectorFailed|${system}`,
    kind: 'connectorFailed',
    severity: now === undefined ? 'info' : 'critical',
    sku: '',
    location: '',
    system,
    message:
      now === undefined
        ? `the connector of ${system} runs again`
        : `the connector of ${system} has failed: ${at.cause}. Its figures are stale. ${follows}`,
    expected: 'running',
    seen: now === undefined ? 'running' : 'failed',
    raisedAt: at.nowMs,
    open: now !== undefined,
  };
}
