/**
 * Was every answer about a SKU right at one moment between question and answer? Written from the rules, apart from the
 * code that it judges: it replays the ledger and the decisions and looks at nothing else. What it keeps grows with the
 * requests by a few words each, so that a hundred thousand of them fit in memory.
 */
import type { Decision, LedgerEntry, Outcome, Request } from '../../../schemas/types.ts';

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
  const witness = createWitness(backOrder);
  for (const decision of decisions) witness.decided(decision);
  for (const entry of ledger) witness.stepped(entry);
  for (const one of observed) witness.observed(one);
  return witness.verdict();
}

export type Witness = {
  /** Every decision, before any step. */
  readonly decided: (decision: Decision) => void;
  /** Every entry of the ledger, those of a cell in their order. */
  readonly stepped: (entry: LedgerEntry) => void;
  readonly observed: (one: Observed) => void;
  readonly verdict: () => Verdict;
  /** Thousandths that are reserved at the end, by `sku|location`. */
  readonly reserved: () => ReadonlyMap<string, number>;
};

type Cell = {
  readonly sequence: number;
  readonly onHand: number;
  readonly reserved: number;
};

/** An accepted line as its client saw it. */
type Touch = { readonly askedAt: number; readonly answeredAt: number; readonly sequence: number };

/** What decisions say that a cell's step left available, and by which command. */
type Shown = { readonly available: number; readonly commandId: string };

const faultsMax = 100;
const nothing: Cell = { sequence: 0, onHand: 0, reserved: 0 };

export function createWitness(backOrder = 0): Witness {
  let oversold = 0;
  let doubled = 0;
  let unanswered = 0;
  const faults: string[] = [];
  const commandIds = new Set<string>();
  const effects = new Set<string>();
  const shown = new Map<string, Map<number, Shown>>();
  const cells = new Map<string, Cell>();
  const touches = new Map<string, Touch[]>();
  const fault = (sentence: string): void => {
    if (faults.length < faultsMax) faults.push(sentence);
  };

  return {
    decided: ({ commandId, sku, parts }) => {
      if (commandIds.has(commandId)) doubled += 1;
      commandIds.add(commandId);
      for (const { location, sequence, available } of parts) {
        inner(shown, `${sku}|${location}`).set(sequence, { available, commandId });
      }
    },
    stepped: (entry) => {
      const name = `${entry.sku}|${entry.location}`;
      if (entry.cause.kind === 'decision') {
        // No command has an effect on one cell twice.
        const effect = `${entry.cause.id}|${entry.location}`;
        if (effects.has(effect)) doubled += 1;
        effects.add(effect);
        if (entry.quantities.available < -backOrder && isGrant(entry)) oversold += 1;
      }
      checkStep(name, cells.get(name) ?? nothing, entry, fault);
      const { onHand, reserved, available } = entry.quantities;
      cells.set(name, { sequence: entry.sequence, onHand, reserved });
      const told = shown.get(name)?.get(entry.sequence);
      if (told !== undefined && told.available !== available) {
        fault(`${told.commandId}: the answer shows ${told.available}, the ledger ${available}`);
      }
    },
    observed: ({ outcome, askedAt, answeredAt }) => {
      if (outcome === undefined) unanswered += 1;
      if (outcome?.accepted !== true || answeredAt === undefined) return;
      for (const { sku, location, quantity, sequence } of outcome.lines) {
        if (quantity <= 0) continue;
        const name = `${sku}|${location}`;
        const known = touches.get(name);
        const touch = { askedAt, answeredAt, sequence };
        if (known === undefined) touches.set(name, [touch]);
        else known.push(touch);
      }
    },
    verdict: () => {
      for (const [name, all] of touches) checkRealTime(name, all, fault);
      touches.clear();
      return { oversold, doubled, unanswered, faults };
    },
    reserved: () => new Map([...cells].map(([name, { reserved }]) => [name, reserved])),
  };
}

function inner<V>(maps: Map<string, Map<number, V>>, name: string): Map<number, V> {
  const known = maps.get(name) ?? new Map<number, V>();
  maps.set(name, known);
  return known;
}

const isGrant = (entry: LedgerEntry): boolean =>
  entry.changes.some((change) => change.bucket === 'reserved' && change.applied > 0);

/** Sequences without a gap, and each step's figures are the ones before plus its changes. */
function checkStep(
  name: string,
  before: Cell,
  entry: LedgerEntry,
  fault: (sentence: string) => void,
): void {
  if (entry.sequence !== before.sequence + 1) {
    fault(`${name}: step ${entry.sequence} follows ${before.sequence}`);
  }
  for (const bucket of ['onHand', 'reserved'] as const) {
    let should = before[bucket];
    for (const change of entry.changes) if (change.bucket === bucket) should += change.applied;
    if (entry.quantities[bucket] !== should) {
      fault(
        `${name}: ${bucket} is ${entry.quantities[bucket]} at ${entry.sequence}, not ${should}`,
      );
    }
  }
}

/**
 * Real time: by sequence, none may have been answered before one with a lower sequence was asked for. The steps of a
 * cell are one sequence already, so this one pass after sorting decides whether its history is linearizable.
 */
function checkRealTime(
  name: string,
  touches: readonly Touch[],
  fault: (sentence: string) => void,
): void {
  let latestAsked = Number.NEGATIVE_INFINITY;
  for (const touch of [...touches].sort((one, other) => one.sequence - other.sequence)) {
    if (touch.answeredAt < latestAsked) {
      fault(`${name}: step ${touch.sequence} was answered before an earlier step was asked for`);
    }
    latestAsked = Math.max(latestAsked, touch.askedAt);
  }
}
