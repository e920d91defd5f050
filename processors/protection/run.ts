/** Watches how much of their logs the sources keep for us, and gives a slot up before a source's disk is in danger. */
import { judgeLog, logAlert, type Verdict } from './budget.ts';
import type { ProtectionPorts } from './ports.ts';

const lookEveryMs = 2_000;

export async function runProtection(options: {
  readonly systems: readonly string[];
  readonly budgetBytes: number;
  readonly ports: ProtectionPorts;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { systems, budgetBytes, ports, signal } = options;
  const told = new Map<string, Verdict>();
  const look = async (system: string): Promise<void> => {
    const facts = await ports.logFacts(system);
    // Kafka Connect may be what is down: the slot is given up all the same.
    const isStopped = await ports.isStopped(system).catch(() => false);
    const before = told.get(system) ?? 'well';
    const wasGivenUp = before === 'over' && facts.kind === 'slot' && !facts.exists;
    const verdict = wasGivenUp ? 'over' : judgeLog(facts, budgetBytes, isStopped);
    const alert = logAlert(system, verdict, before, { nowMs: ports.now(), budgetBytes, facts });
    if (alert !== undefined) await ports.tell(alert);
    told.set(system, verdict);
    if (verdict !== 'over') return;
    if (facts.kind === 'slot' && facts.exists) await ports.giveUp(system);
    // Begun again by itself, it would go on behind the gap as if there were none.
    if (!isStopped) await ports.stop(system);
  };
  while (!signal.aborted) {
    for (const system of systems) await look(system).catch(ports.report);
    await ports.sleep(lookEveryMs, signal);
  }
}
