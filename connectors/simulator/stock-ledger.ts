/** What really is in one cell: counts and dated movements. The simulator's own truth, which knows nothing of Stockline. */

export type Count = { readonly id: string; readonly atMs: number; quantity: number };

export type CellLedger = {
  /** The figure before all that is still listed below. */
  base: number;
  /** The count that `base` goes back to: whatever is dated up to it is in it. */
  anchorMs: number;
  /** Time, quantity, time, quantity, … in thousandths; a retraction is the opposite quantity at the same time. */
  events: number[];
  counts: Count[];
};

export function emptyLedger(): CellLedger {
  return { base: 0, anchorMs: Number.NEGATIVE_INFINITY, events: [], counts: [] };
}

/** A movement, or with the opposite sign its retraction. */
export function recordMovement(ledger: CellLedger, atMs: number, quantity: number): void {
  if (atMs > ledger.anchorMs) ledger.events.push(atMs, quantity);
}

export function recordCount(ledger: CellLedger, count: Count): void {
  ledger.counts.push(count);
}

export function correctCount(ledger: CellLedger, id: string, quantity: number): void {
  const count = ledger.counts.find((one) => one.id === id);
  if (count === undefined) throw new Error(`count ${id} is not in the ledger any more`);
  count.quantity = quantity;
}

export function deleteCount(ledger: CellLedger, id: string): void {
  ledger.counts = ledger.counts.filter((one) => one.id !== id);
}

/** The latest count and what is dated strictly after it; without a count, everything. */
export function onHand(ledger: CellLedger): number {
  const latest = latestCount(ledger.counts);
  if (latest === undefined) return ledger.base + sumAfter(ledger.events, Number.NEGATIVE_INFINITY);
  return latest.quantity + sumAfter(ledger.events, latest.atMs);
}

/** Folds what is older than a time before which no count is ever corrected or entered, so that memory stays bounded. */
export function foldLedger(ledger: CellLedger, beforeMs: number): void {
  const settled = latestCount(ledger.counts.filter((count) => count.atMs < beforeMs));
  if (settled !== undefined) {
    ledger.base = settled.quantity;
    ledger.anchorMs = settled.atMs;
    ledger.counts = ledger.counts.filter((count) => count.atMs >= beforeMs);
  }
  const kept: number[] = [];
  for (let index = 0; index < ledger.events.length; index += 2) {
    const atMs = ledger.events[index] ?? 0;
    const quantity = ledger.events[index + 1] ?? 0;
    if (atMs >= beforeMs) kept.push(atMs, quantity);
    else if (atMs > ledger.anchorMs) ledger.base += quantity;
  }
  ledger.events = kept;
}

function latestCount(counts: readonly Count[]): Count | undefined {
  return counts.reduce<Count | undefined>(
    (latest, count) => (latest === undefined || count.atMs >= latest.atMs ? count : latest),
    undefined,
  );
}

function sumAfter(events: readonly number[], afterMs: number): number {
  let sum = 0;
  for (let index = 0; index < events.length; index += 2) {
    if ((events[index] ?? 0) > afterMs) sum += events[index + 1] ?? 0;
  }
  return sum;
}
