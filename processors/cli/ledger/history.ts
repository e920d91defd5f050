/** What the ledger alone tells of a cell: its figures at any moment, and which steps made each of them. Pure. */
import type { Bucket, Change, LedgerEntry, Quantities } from '../../../schemas/types.ts';

/** An entry with its place in the topic. */
export type FiledEntry = {
  readonly entry: LedgerEntry;
  readonly partition: number;
  readonly offset: bigint;
  /** When it was told, in milliseconds: the time of the record that caused it. */
  readonly timestampMs: number;
};

/** One step's share in a quantity. */
export type Term = { readonly filed: FiledEntry; readonly change: Change };

export type ExplainedCell = {
  readonly sku: string;
  readonly location: string;
  readonly quantities: Quantities;
  /** The step that made it so. */
  readonly last: FiledEntry;
  /** By quantity: the steps that moved it, newest first. */
  readonly terms: ReadonlyMap<Bucket, readonly Term[]>;
  /** By quantity: what came from steps that the ledger does not hold any more; absent where all are there. */
  readonly earlier: ReadonlyMap<Bucket, number>;
  /** What is left of each channel's own share, in thousandths. */
  readonly allocations: ReadonlyMap<string, number>;
};

export const buckets = [
  'onHand',
  'reserved',
  'damaged',
  'qualityControl',
  'safetyStock',
  'incoming',
  'inTransit',
] as const satisfies readonly Bucket[];

/**
 * Each cell of one SKU as it was told at `atMs`: through its last step of that time or before. `filed` holds all of
 * the SKU's entries in the order of the topic, which is the order of the steps.
 */
export function explainCells(
  filed: readonly FiledEntry[],
  atMs = Number.POSITIVE_INFINITY,
): readonly ExplainedCell[] {
  const cells = new Map<string, FiledEntry[]>();
  for (const one of filed) {
    const steps = cells.get(one.entry.location);
    if (steps === undefined) cells.set(one.entry.location, [one]);
    else steps.push(one);
  }
  return [...cells.values()].flatMap((steps) => {
    const index = steps.findLastIndex((one) => one.timestampMs <= atMs);
    return index < 0 ? [] : [explainCell(steps.slice(0, index + 1))];
  });
}

function explainCell(steps: readonly FiledEntry[]): ExplainedCell {
  const last = steps.at(-1) as FiledEntry;
  const { sku, location, quantities } = last.entry;
  const terms = new Map<Bucket, Term[]>(buckets.map((bucket) => [bucket, []]));
  const allocations = new Map<string, number>();
  for (const filed of steps.toReversed()) {
    for (const change of filed.entry.changes.toReversed()) {
      if (change.applied !== 0) terms.get(change.bucket)?.push({ filed, change });
      if (change.kind === 'allocation') {
        const { reference, quantity } = change;
        allocations.set(reference, (allocations.get(reference) ?? 0) + quantity);
      }
    }
  }
  const earlier = new Map<Bucket, number>();
  for (const bucket of buckets) {
    const told = (terms.get(bucket) ?? []).reduce((sum, { change }) => sum + change.applied, 0);
    if (told !== quantities[bucket]) earlier.set(bucket, quantities[bucket] - told);
  }
  for (const [channel, share] of allocations) if (share === 0) allocations.delete(channel);
  return { sku, location, quantities, last, terms, earlier, allocations };
}
