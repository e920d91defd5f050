/** Adds the ledger up from nothing: what it makes of every cell must be what the topics show. Pure. */
import type { Cause, LedgerEntry, Quantities, StockLevel } from '../../../schemas/types.ts';
import type { ChannelPolicy } from '../../channels/policy.ts';
import type { ChannelsState } from '../../channels/state.ts';
import { channelsStep } from '../../channels/step.ts';
import { dayOf } from '../../domain/history.ts';
import { type BucketName, noQuantities, withBucket } from '../../domain/quantities.ts';
import { stockLevels } from '../../topics.ts';

export const cellName = (one: { readonly sku: string; readonly location: string }): string =>
  `${one.sku}|${one.location}`;

type ReplayedCell = {
  readonly sku: string;
  readonly location: string;
  readonly quantities: Quantities;
  readonly sequence: number;
  readonly cause: Cause;
  readonly schedule?: ReadonlyMap<number, { readonly incoming: number; readonly reserved: number }>;
  readonly allocations?: ReadonlyMap<string, number>;
};

/** Differences, of which only the first few are kept as sentences: a broken topic may have millions. */
export type Differences = { readonly count: number; readonly examples: readonly string[] };

const examplesMax = 20;

export function collectDifferences(): Differences & { readonly add: (sentence: string) => void } {
  let count = 0;
  const examples: string[] = [];
  return {
    get count() {
      return count;
    },
    examples,
    add: (sentence) => {
      count += 1;
      if (examples.length < examplesMax) examples.push(sentence);
    },
  };
}

/**
 * One partition of the ledger, entry by entry. It keeps one value per cell and nothing per entry. Each step must follow
 * the one before it, end with the figures that it tells, and be what `told` shows at that step.
 */
export class LedgerReplay {
  readonly cells = new Map<string, ReplayedCell>();
  entries = 0;
  private readonly told: ReadonlyMap<string, StockLevel>;
  private readonly fault: (sentence: string) => void;

  constructor(told: ReadonlyMap<string, StockLevel>, fault: (sentence: string) => void) {
    this.told = told;
    this.fault = fault;
  }

  add(entry: LedgerEntry): void {
    this.entries += 1;
    const name = cellName(entry);
    const before = this.cells.get(name);
    if (entry.sequence !== (before?.sequence ?? 0) + 1) {
      this.fault(`${name}: step ${entry.sequence} follows step ${before?.sequence ?? 0}`);
    }
    const after = applied(before, entry);
    for (const [quantity, value] of Object.entries(entry.quantities)) {
      const ours = after.quantities[quantity as keyof Quantities];
      if (ours !== value) {
        this.fault(
          `${name} step ${entry.sequence}: ${quantity} adds up to ${ours / 1000}, told is ${value / 1000}`,
        );
      }
    }
    this.cells.set(name, after);
    const level = this.told.get(name);
    if (level?.sequence === entry.sequence) this.compare(name, level);
  }

  /** Does the topic's level equal the replayed cell, figure by figure? */
  compare(name: string, level: StockLevel): void {
    const ours = this.cells.get(name);
    if (ours === undefined) return;
    const seen = describe(level.quantities, level.schedule, level.allocations);
    const made = levelOf(ours);
    const should = describe(made.quantities, made.schedule, made.allocations);
    if (seen !== should) {
      this.fault(
        `${name} step ${ours.sequence}: replayed ${should}, ${stockLevels.name} has ${seen}`,
      );
    }
  }

  levels(): readonly StockLevel[] {
    return [...this.cells.values()].map(levelOf);
  }
}

function levelOf(cell: ReplayedCell): StockLevel {
  const { sku, location, quantities, sequence, cause } = cell;
  const schedule = [...(cell.schedule ?? [])].map(([day, parts]) => ({ day, ...parts }));
  const allocations = [...(cell.allocations ?? [])];
  return {
    ...{ sku, location, quantities, sequence, previousSequence: sequence - 1, cause },
    schedule: schedule.sort((one, other) => one.day - other.day),
    allocations: allocations.map(([channel, quantity]) => ({ channel, quantity })),
  };
}

function applied(before: ReplayedCell | undefined, entry: LedgerEntry): ReplayedCell {
  let quantities = before?.quantities ?? noQuantities;
  let schedule = before?.schedule;
  let allocations = before?.allocations;
  for (const change of entry.changes) {
    const bucket: BucketName = change.bucket;
    if (change.applied !== 0) {
      quantities = withBucket(quantities, bucket, quantities[bucket] + change.applied);
    }
    if (change.kind === 'allocation') {
      const share = (allocations?.get(change.reference) ?? 0) + change.quantity;
      allocations = withEntry(allocations, change.reference, share === 0 ? undefined : share);
    }
    if (change.expectedAt !== null && (bucket === 'incoming' || bucket === 'reserved')) {
      const day = dayOf(change.expectedAt);
      const known = schedule?.get(day) ?? { incoming: 0, reserved: 0 };
      const next = { ...known, [bucket]: known[bucket] + change.applied };
      const isEmpty = next.incoming === 0 && next.reserved === 0;
      schedule = withEntry(schedule, day, isEmpty ? undefined : next);
    }
  }
  const { sku, location, sequence, cause } = entry;
  return {
    ...{ sku, location, quantities, sequence, cause },
    ...(schedule === undefined ? {} : { schedule }),
    ...(allocations === undefined ? {} : { allocations }),
  };
}

function withEntry<K, V>(known: ReadonlyMap<K, V> | undefined, key: K, value: V | undefined) {
  const next = new Map(known);
  if (value === undefined) next.delete(key);
  else next.set(key, value);
  return next.size === 0 ? undefined : next;
}

function describe(
  quantities: Quantities,
  schedule: StockLevel['schedule'],
  allocations: StockLevel['allocations'],
): string {
  const figures = Object.entries(quantities)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} ${value / 1000}`);
  const days = schedule.map(
    ({ day, incoming, reserved }) => `day ${day}: +${incoming / 1000} -${reserved / 1000}`,
  );
  const shares = allocations.map(({ channel, quantity }) => `${channel} ${quantity / 1000}`);
  return [...figures.sort(), ...days, ...shares.sort()].join(', ');
}

export type ChannelFigure = { readonly sellable: number; readonly status: string };

export const figureName = (channel: string, sku: string): string => `${channel}|${sku}`;

/** What the channels' own step makes of these cells, by `channel|sku`. */
export function channelFiguresOf(
  policies: readonly ChannelPolicy[],
  levels: readonly StockLevel[],
): ReadonlyMap<string, ChannelFigure> {
  const step = channelsStep(policies);
  const kept = new Map<string, ChannelsState>();
  const state = {
    get: (key: string) => kept.get(key),
    put: (key: string, value: ChannelsState) => void kept.set(key, value),
    delete: (key: string) => void kept.delete(key),
    keys: (beginning: string) => [...kept.keys()].filter((key) => key.startsWith(beginning)).sort(),
  };
  const figures = new Map<string, ChannelFigure>();
  for (const value of levels) {
    const { sku, location } = value;
    const place = { topic: stockLevels.name, partition: 0, offset: 0n, timestampMs: 0 };
    const record = { ...place, key: { sku, location }, value, headers: [] };
    for (const emit of step({ kind: 'record', record }, state)) {
      if (emit.kind !== 'record' || emit.value === undefined) continue;
      if (!emit.topic.name.startsWith('channel.')) continue;
      const figure = emit.value as ChannelFigure & { readonly channel: string };
      const { sellable, status } = figure;
      figures.set(figureName(figure.channel, sku), { sellable, status });
    }
  }
  return figures;
}
