/** `stockline replay`: the ledger alone gives the stock and channel figures again; compared with what the topics hold. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LedgerEntry, StockLevel } from '../../schemas/types.ts';
import { type KafkaPlaces, readTopic } from '../adapters/kafka/topic-reader.ts';
import type { ChannelPolicy } from '../channels/policy.ts';
import { readKafkaPlaces } from '../settings/places.ts';
import { policiesInForce } from '../settings/policies.ts';
import { channelStock, inventoryPartitions, ledger, stockLevels } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import {
  type ChannelFigure,
  cellName,
  channelFiguresOf,
  collectDifferences,
  figureName,
  LedgerReplay,
} from './ledger/replay.ts';

export type ReplayResult = {
  readonly entries: number;
  readonly cells: number;
  readonly channelFigures: number;
  readonly differences: number;
  /** The first few differences, a sentence each. */
  readonly examples: readonly string[];
  readonly entriesPerSecond: number;
  /** The most memory that the process had. */
  readonly peakBytes: number;
};

/** The channels follow the stock: what differs is looked at once more after so long. */
const channelsBehindMs = 3_000;

/** Prints the comparison; resolves with 0 when all is identical, else 1. */
export async function replay(options: {
  readonly directory: string;
  readonly json?: string;
}): Promise<number> {
  const places = readKafkaPlaces(process.env, options.directory);
  const result = await replayLedger(places, await policiesInForce(places));
  const text = JSON.stringify(result, null, 2);
  process.stdout.write(`${text}\n`);
  if (options.json !== undefined) writeFileSync(resolve(options.json), `${text}\n`);
  if (result.entries === 0) throw new Error(`${ledger.name} is empty: there is nothing to replay`);
  return result.differences === 0 ? 0 : 1;
}

/** Partition by partition, so that no more than a partition's cells are in memory. */
export async function replayLedger(
  places: KafkaPlaces,
  policies: readonly ChannelPolicy[],
): Promise<ReplayResult> {
  const differences = collectDifferences();
  const sums = { entries: 0, cells: 0, channelFigures: 0, tookMs: 0 };
  for (let partition = 0; partition < inventoryPartitions; partition += 1) {
    const told = await readLevels(places, partition);
    const replayed = new LedgerReplay(told, differences.add);
    const beganAt = performance.now();
    await readTopic(places, untyped(ledger), {
      partitions: [partition],
      onRecord: ({ value }) => replayed.add(value as LedgerEntry),
    });
    sums.tookMs += performance.now() - beganAt;
    await compareRest(places, partition, told, replayed, differences.add);
    const figures = channelFiguresOf(policies, replayed.levels());
    await compareChannels(places, partition, policies, figures, differences.add);
    sums.entries += replayed.entries;
    sums.cells += replayed.cells.size;
    sums.channelFigures += figures.size;
  }
  return {
    ...{ entries: sums.entries, cells: sums.cells, channelFigures: sums.channelFigures },
    differences: differences.count,
    examples: differences.examples,
    entriesPerSecond: Math.round((sums.entries * 1000) / Math.max(1, sums.tookMs)),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

const untyped = (topic: unknown) => topic as Topic<never, never>;

async function readLevels(
  places: KafkaPlaces,
  partition: number,
): Promise<ReadonlyMap<string, StockLevel>> {
  const levels = new Map<string, StockLevel>();
  await readTopic(places, untyped(stockLevels), {
    partitions: [partition],
    onRecord: ({ value }) => {
      if (value !== undefined) levels.set(cellName(value as StockLevel), value as StockLevel);
    },
  });
  return levels;
}

/**
 * The levels were read before the ledger: cells that had further steps meanwhile are read again, and must be at the
 * ledger's step by now, or beyond it.
 */
async function compareRest(
  places: KafkaPlaces,
  partition: number,
  told: ReadonlyMap<string, StockLevel>,
  replayed: LedgerReplay,
  fault: (sentence: string) => void,
): Promise<void> {
  for (const [name, level] of told) {
    const sequence = replayed.cells.get(name)?.sequence ?? 0;
    if (sequence < level.sequence) {
      fault(
        `${name}: the ledger ends at step ${sequence}, ${stockLevels.name} has ${level.sequence}`,
      );
    }
  }
  const moved = [...replayed.cells].filter(
    ([name, { sequence }]) => sequence > (told.get(name)?.sequence ?? 0),
  );
  if (moved.length === 0) return;
  const now = await readLevels(places, partition);
  for (const [name, { sequence }] of moved) {
    const level = now.get(name);
    if (level === undefined || level.sequence < sequence) {
      fault(
        `${name}: the ledger ends at step ${sequence}, ${stockLevels.name} has ${level?.sequence ?? 0}`,
      );
    } else if (level.sequence === sequence) replayed.compare(name, level);
  }
}

async function compareChannels(
  places: KafkaPlaces,
  partition: number,
  policies: readonly ChannelPolicy[],
  figures: ReadonlyMap<string, ChannelFigure>,
  fault: (sentence: string) => void,
): Promise<void> {
  let differing = await channelDifferences(places, partition, policies, figures);
  if (differing.length > 0) {
    await new Promise((done) => setTimeout(done, channelsBehindMs));
    differing = await channelDifferences(places, partition, policies, figures);
  }
  for (const sentence of differing) fault(sentence);
}

async function channelDifferences(
  places: KafkaPlaces,
  partition: number,
  policies: readonly ChannelPolicy[],
  figures: ReadonlyMap<string, ChannelFigure>,
): Promise<readonly string[]> {
  const told = new Map<string, ChannelFigure>();
  for (const { channel } of policies) {
    await readTopic(places, untyped(channelStock(channel)), {
      partitions: [partition],
      onRecord: ({ key, value }) => {
        const name = figureName(channel, String(key));
        if (value === undefined) told.delete(name);
        else told.set(name, value as ChannelFigure);
      },
    });
  }
  return [...new Set([...told.keys(), ...figures.keys()])].flatMap((name) => {
    const [ours, seen] = [figures.get(name), told.get(name)];
    return ours?.sellable === seen?.sellable && ours?.status === seen?.status
      ? []
      : [`${name}: replayed ${shown(ours)}, the topic has ${shown(seen)}`];
  });
}

const shown = (figure: ChannelFigure | undefined): string =>
  figure === undefined ? 'nothing' : `${figure.sellable / 1000} (${figure.status})`;
