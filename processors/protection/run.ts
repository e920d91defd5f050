/**
 * Watches how much of their logs the sources keep for us, and gives a slot up before a source's disk is in danger; and
 * their connectors, which it starts again when they fail.
 */
import { judgeLog, logAlert, type Verdict } from './budget.ts';
import type { ConnectorFacts, LogFacts, ProtectionPorts } from './ports.ts';
import { connectorAlert, type Failing, findsItsPlace, judgeConnector } from './restarts.ts';

const lookEveryMs = 2_000;

/** What the last look at a source has found. */
type Watch = { readonly verdict: Verdict; readonly isStopped: boolean };

export async function runProtection(options: {
  readonly systems: readonly string[];
  readonly budgetBytes: number;
  readonly ports: ProtectionPorts;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { systems, budgetBytes, ports, signal } = options;
  const watches = new Map<string, Watch>();
  const failings = new Map<string, Failing | undefined>();
  const stops = async (system: string): Promise<boolean> => {
    try {
      await ports.stop(system);
      return true;
    } catch (error) {
      ports.report(error);
      return false;
    }
  };
  const startAgain = async (
    system: string,
    connector: ConnectorFacts,
    facts: LogFacts,
  ): Promise<void> => {
    const before = failings.get(system);
    const nowMs = ports.now();
    const { failing, isDue } = judgeConnector(before, connector, nowMs);
    const isStarted = findsItsPlace(facts);
    const at = { nowMs, cause: connector.cause, isStarted };
    const alert = connectorAlert(system, before, failing, at);
    if (alert !== undefined) await ports.tell(alert);
    if (isDue && isStarted) await ports.restart(system).catch(ports.report);
    failings.set(system, failing);
  };
  const look = async (system: string): Promise<void> => {
    const facts = await ports.logFacts(system);
    const before = watches.get(system) ?? { verdict: 'well', isStopped: false };
    // Kafka Connect may be what is down: the slot is given up all the same, and nothing was begun anew.
    const connector = await ports.connector(system).catch(() => undefined);
    const isStopped = connector === undefined ? before.isStopped : connector.state === 'stopped';
    const isBegunAnew = before.isStopped && !isStopped;
    const isGivenUp = before.verdict === 'over' && !isBegunAnew;
    const verdict = isGivenUp ? 'over' : judgeLog(facts, budgetBytes, isStopped);
    const at = { nowMs: ports.now(), budgetBytes, facts };
    const alert = logAlert(system, verdict, before.verdict, at);
    if (alert !== undefined) await ports.tell(alert);
    const isOver = verdict === 'over';
    // First: a connector that runs makes its slot again, and goes on behind the gap as if there were none.
    const isNowStopped = isStopped || (isOver && (await stops(system)));
    watches.set(system, { verdict, isStopped: isNowStopped });
    if (isOver && facts.kind === 'slot' && facts.exists) await ports.giveUp(system);
    if (connector !== undefined && !isOver) await startAgain(system, connector, facts);
  };
  while (!signal.aborted) {
    for (const system of systems) await look(system).catch(ports.report);
    await ports.sleep(lookEveryMs, signal);
  }
}
