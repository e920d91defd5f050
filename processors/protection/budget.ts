/** How much of a source's log is kept for us, and what follows. A full disk of the ERP is worse than a new snapshot. Pure. */
import type { Alert } from '../../schemas/types.ts';
import type { LogFacts } from './ports.ts';

/** over: the slot is given up. lost: changes are missing, and only a new snapshot makes the figures right again. */
export type Verdict = 'well' | 'near' | 'over' | 'lost';

const nearShare = 0.5;

/** `isStopped`: the connector was told to stop, as it is when its slot was given up. */
export function judgeLog(facts: LogFacts, budgetBytes: number, isStopped: boolean): Verdict {
  if (facts.kind === 'files') return facts.isGone ? 'lost' : facts.isNextToGo ? 'near' : 'well';
  if (facts.isLost) return 'lost';
  // Before the first start there is no slot either, and nothing is missing.
  if (!facts.exists) return isStopped ? 'lost' : 'well';
  if (facts.heldBytes > budgetBytes) return 'over';
  return facts.heldBytes > nearShare * budgetBytes ? 'near' : 'well';
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;

/** Undefined for `well`, unless something was told before. */
export function logAlert(
  system: string,
  verdict: Verdict,
  told: Verdict,
  at: { readonly nowMs: number; readonly budgetBytes: number; readonly facts: LogFacts },
): Alert | undefined {
  if (verdict === told) return undefined;
  const resync = `Then: stockline source resync ${system}`;
  const messages: Readonly<Record<Verdict, string>> = {
    well: `the log of ${system} is read in time again`,
    near:
      at.facts.kind === 'files'
        ? `what is read of the log of ${system} is in its oldest file: the server may remove it before it is read. See why its connector is behind`
        : `${system} keeps more than half of the budget of its log for us: see why its connector is behind before its slot is given up`,
    over: `${system} kept more of its log for us than the budget allows: its slot is given up, so that its disk does not fill, and its figures are stale. See why its connector was behind. ${resync}`,
    lost: `a part of the log of ${system} is gone before it was read: its figures are stale. ${resync}`,
  };
  return {
    id: `logBudget|${system}`,
    kind: 'logBudget',
    severity: verdict === 'near' ? 'warning' : verdict === 'well' ? 'info' : 'critical',
    sku: '',
    location: '',
    system,
    message: messages[verdict],
    expected: `at most ${megabytes(at.budgetBytes)}`,
    seen: at.facts.kind === 'slot' ? megabytes(at.facts.heldBytes) : '',
    raisedAt: at.nowMs,
    open: verdict !== 'well',
  };
}
