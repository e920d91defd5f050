/**
 * Was every answer about a SKU right at one moment between question and answer? Written from the rules, apart from the
 * code that it judges: it replays the ledger and the decisions and looks at nothing else.
 */
import type { Decision, LedgerEntry, Outcome, Request } from '../../schemas/types.ts';

export type Observed = {
  readonly request: Request;
  readonly outcome: Outcome | undefined;
  /** When the client asked, and when it was answered; undefined: it was not. */
  readonly askedAt: number;
  readonly answeredAt: number | undefined;
};

export type Verdict = {
  readonly oversold: number;
  readonly doubled: number;
  readonly unanswered: number;
  /** Sentences; empty when each SKU's history is linearizable. */
  readonly faults: readonly string[];
};

/** `backOrder`: how far below zero a grant may go, in thousandths. */
export function judge(
  observed: readonly Observed[],
  ledger: readonly LedgerEntry[],
  decisions: readonly Decision[],
  backOrder = 0,
): Verdict {
  return {
    oversold: ledger.filter(
      (entry) =>
        entry.cause.kind === 'decision' &&
        entry.quantities.available < -backOrder &&
        isGrant(entry),
    ).length,
    doubled: doubledEffects(ledger) + doubledDecisions(decisions),
    unanswered: observed.filter((one) => one.outcome === undefined).length,
    faults: [
      ...ledgerFaults(ledger),
      ...grantFaults(ledger, decisions),
      ...realTimeFaults(observed),
    ],
  };
}

const isGrant = (entry: LedgerEntry): boolean =>
  entry.changes.some((change) => change.bucket === 'reserved' && change.applied > 0);

/** No command has an effect on one cell twice. */
function doubledEffects(ledger: readonly LedgerEntry[]): number {
  const decided = ledger.filter((entry) => entry.cause.kind === 'decision');
  const names = decided.map((entry) => `${entry.cause.id}|${entry.location}`);
  return names.length - new Set(names).size;
}

function doubledDecisions(decisions: readonly Decision[]): number {
  return decisions.length - new Set(decisions.map((one) => one.commandId)).size;
}

/** Per cell: sequences without a gap, and each step's figures are the ones before plus its changes. */
function ledgerFaults(ledger: readonly LedgerEntry[]): readonly string[] {
  const faults: string[] = [];
  const last = new Map<string, LedgerEntry>();
  for (const entry of ledger) {
    const cell = `${entry.sku} at ${entry.location}`;
    const before = last.get(cell);
    if (entry.sequence !== (before?.sequence ?? 0) + 1) {
      faults.push(`${cell}: step ${entry.sequence} follows ${before?.sequence ?? 0}`);
    }
    for (const bucket of ['onHand', 'reserved'] as const) {
      const moved = entry.changes
        .filter((change) => change.bucket === bucket)
        .reduce((sum, change) => sum + change.applied, 0);
      const should = (before?.quantities[bucket] ?? 0) + moved;
      if (entry.quantities[bucket] !== should) {
        faults.push(
          `${cell}: ${bucket} is ${entry.quantities[bucket]} at ${entry.sequence}, not ${should}`,
        );
      }
    }
    last.set(cell, entry);
  }
  return faults;
}

/** What a decision says it granted is what the ledger's step at that sequence did. */
function grantFaults(
  ledger: readonly LedgerEntry[],
  decisions: readonly Decision[],
): readonly string[] {
  const steps = new Map(
    ledger.map((entry) => [`${entry.sku}|${entry.location}|${entry.sequence}`, entry]),
  );
  return decisions.flatMap((decision) =>
    decision.parts.flatMap((part) => {
      const step = steps.get(`${decision.sku}|${part.location}|${part.sequence}`);
      return step === undefined || step.quantities.available === part.available
        ? []
        : [
            `${decision.commandId}: the answer shows ${part.available}, the ledger ${step.quantities.available}`,
          ];
    }),
  );
}

/** Real time: what was answered before another was asked has the lower sequence in every cell that both touched. */
function realTimeFaults(observed: readonly Observed[]): readonly string[] {
  type Touch = { readonly askedAt: number; readonly answeredAt: number; readonly sequence: number };
  const byCell = new Map<string, Touch[]>();
  for (const { outcome, askedAt, answeredAt } of observed) {
    if (outcome?.accepted !== true || answeredAt === undefined) continue;
    for (const line of outcome.lines.filter(({ quantity }) => quantity > 0)) {
      const cell = `${line.sku} at ${line.location}`;
      const touches = byCell.get(cell) ?? [];
      touches.push({ askedAt, answeredAt, sequence: line.sequence });
      byCell.set(cell, touches);
    }
  }
  return [...byCell].flatMap(([cell, touches]) => {
    // By sequence: none may have been answered before one with a lower sequence was asked.
    const ordered = [...touches].sort((one, other) => one.sequence - other.sequence);
    let latestAsked = Number.NEGATIVE_INFINITY;
    const faults: string[] = [];
    for (const touch of ordered) {
      if (touch.answeredAt < latestAsked) {
        faults.push(
          `${cell}: step ${touch.sequence} was answered before an earlier step was asked for`,
        );
      }
      latestAsked = Math.max(latestAsked, touch.askedAt);
    }
    return faults;
  });
}
