/** Watches how much of their logs the sources keep for us, and gives a slot up before a source's disk is in danger. */
import { judgeLog, logAlert, type Verdict } from './budget.ts';
import type { ProtectionPorts } from './ports.ts';

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
  const stops = async (system: string): Promise<boolean> => {
    try {
      await ports.stop(system);
      return true;
    } catch (error) {
      ports.report(error);
      return false;
    }
  };
  const look = async (system: string): Promise<void> => {
    const facts = await ports.logFacts(system);
    const before = watches.get(system) ?? { verdict: 'well', isStopped: false };
    // Kafka Connect may be what is down: the slot is given up all the same, and nothing was begun anew.
    const isStopped = await ports.isStopped(system).catch(() => before.isStopped);
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
  };
  while (!signal.aborted) {
    for (const system of systems) await look(system).catch(ports.report);
    await ports.sleep(lookEveryMs, signal);
  }
}
