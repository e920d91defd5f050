/** The ledger alone: what it says of any past moment, and of the present, is what the topics said. */
import { describe, expect, it } from 'vitest';
import { channelsTopology } from '../../processors/channels/topology.ts';
import { chosenCells } from '../../processors/cli/explain.ts';
import { buckets, explainCells, type FiledEntry } from '../../processors/cli/ledger/history.ts';
import {
  cellName,
  channelFiguresOf,
  collectDifferences,
  figureName,
  LedgerReplay,
} from '../../processors/cli/ledger/replay.ts';
import { loadPolicies } from '../../processors/settings/policies.ts';
import { channelStock, ledger, stockLevels } from '../../processors/topics.ts';
import type { LedgerEntry, StockLevel } from '../../schemas/types.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { stockAsRun } from '../support/stock-as-run.ts';
import { record, runTopology } from '../support/topology-driver.ts';
import { randomTrade, tradeSkus } from './random-trade.ts';

const trade = randomTrade(7, 2_500);
const result = runTopology(stockAsRun(), trade.script);
const entries = result.records(ledger).map(({ value }) => value as LedgerEntry);
const levels = result
  .records(stockLevels)
  .map(({ value, timestampMs }) => ({ level: value as StockLevel, timestampMs }));
const filed = result.records(ledger).map(
  ({ value, partition, timestampMs }, index): FiledEntry => ({
    ...{ entry: value as LedgerEntry, partition, offset: BigInt(index), timestampMs },
  }),
);
const filedOf = (sku: string) => filed.filter(({ entry }) => entry.sku === sku);

describe('explain', () => {
  it('D1: at 4 000 random cells and moments it says what inventory.stock.v1 held then', () => {
    const random = seededRandom(3);
    let known = 0;
    for (let turn = 0; turn < 4_000; turn += 1) {
      const sku = tradeSkus[random(tradeSkus.length)] as string;
      const location = `L${1 + random(3)}`;
      const atMs = trade.quietMs[random(trade.quietMs.length)] as number;
      const held = levels.findLast(
        ({ level, timestampMs }) =>
          level.sku === sku && level.location === location && timestampMs <= atMs,
      )?.level;
      const cell = explainCells(filedOf(sku), atMs).find((one) => one.location === location);
      expect(cell?.quantities).toEqual(held?.quantities);
      expect(cell?.last.entry.sequence).toBe(held?.sequence);
      if (held !== undefined) known += 1;
    }
    expect(known).toBeGreaterThan(3_000);
  });

  it('the terms of each quantity add up to it, and the shares of channels are those of the topic', () => {
    for (const sku of tradeSkus) {
      for (const cell of explainCells(filedOf(sku))) {
        for (const bucket of buckets) {
          const terms = cell.terms.get(bucket) ?? [];
          const sum = terms.reduce((total, { change }) => total + change.applied, 0);
          expect(sum).toBe(cell.quantities[bucket]);
        }
        expect(cell.earlier.size).toBe(0);
        const held = levels.findLast(
          ({ level }) => level.sku === sku && level.location === cell.location,
        )?.level;
        const shares = held?.allocations.map(({ channel, quantity }) => [channel, quantity]);
        expect([...cell.allocations].sort()).toEqual([...(shares ?? [])].sort());
      }
    }
  });

  it('what the ledger does not hold any more is told as such', () => {
    const [cell] = explainCells(filedOf('A').slice(5));
    const bucket = buckets.find((name) => cell?.earlier.has(name)) ?? 'onHand';
    const terms = cell?.terms.get(bucket) ?? [];
    const sum = terms.reduce((total, { change }) => total + change.applied, 0);
    expect(sum + (cell?.earlier.get(bucket) ?? 0)).toBe(cell?.quantities[bucket]);
  });

  it('says what is wrong with a question that has no answer', () => {
    expect(() => chosenCells('a', undefined, [])).toThrow('has no step of a: is the SKU spelt');
    expect(() => chosenCells('A', 'Mars', filedOf('A'))).toThrow(
      'A has never been at Mars; it is known at L1, L2, L3',
    );
    expect(() => chosenCells('A', undefined, filedOf('A'), 0)).toThrow(
      /had no step by 1970.*first/,
    );
  });
});

describe('replay', () => {
  const replayOf = (all: readonly LedgerEntry[]) => {
    const differences = collectDifferences();
    const told = new Map(levels.map(({ level }) => [cellName(level), level]));
    const replayed = new LedgerReplay(told, differences.add);
    for (const entry of all) replayed.add(entry);
    return { differences, replayed };
  };

  it('the ledger alone gives the stock levels, schedules and shares included', () => {
    const { differences, replayed } = replayOf(entries);
    expect(differences.examples).toEqual([]);
    const byName = (all: readonly StockLevel[]) =>
      new Map(all.map((level) => [cellName(level), level]));
    const held = byName(levels.map(({ level }) => level));
    for (const level of replayed.levels()) {
      const told = held.get(cellName(level));
      expect(level.schedule).toEqual(told?.schedule);
      expect(level.quantities).toEqual(told?.quantities);
      expect(level.sequence).toBe(told?.sequence);
    }
    const all = [...held.values()];
    expect(replayed.cells.size).toBe(all.length);
    expect(all.some(({ schedule }) => schedule.length > 0)).toBe(true);
    expect(all.some(({ allocations }) => allocations.length > 0)).toBe(true);
  });

  it('and the figures that the channels made of them on their way', () => {
    const policies = loadPolicies();
    const script = levels.map(({ level }) =>
      record(stockLevels, { sku: level.sku, location: level.location }, level),
    );
    const channels = runTopology(channelsTopology(policies), script);
    const { replayed } = replayOf(entries);
    const figures = channelFiguresOf(policies, replayed.levels());
    for (const { channel } of policies) {
      for (const [key, told] of channels.table(channelStock(channel))) {
        const { sellable, status } = told;
        expect(figures.get(figureName(channel, JSON.parse(key) as string))).toEqual({
          ...{ sellable, status },
        });
      }
    }
    expect(figures.size).toBe(policies.length * tradeSkus.length);
  });

  it.each([
    ['an entry that is missing', (all: LedgerEntry[]) => all.toSpliced(100, 1), /follows step/],
    [
      'an entry that is there twice',
      (all: LedgerEntry[]) => all.toSpliced(100, 0, all[100] as LedgerEntry),
      /follows step/,
    ],
    [
      'a figure that was changed',
      (all: LedgerEntry[]) => {
        const entry = all.at(-1) as LedgerEntry;
        const quantities = { ...entry.quantities, damaged: entry.quantities.damaged + 1 };
        return all.with(-1, { ...entry, quantities });
      },
      /damaged adds up to/,
    ],
  ])('%s is found', (_name, spoil, sentence) => {
    const { differences } = replayOf(spoil([...entries]));
    expect(differences.count).toBeGreaterThan(0);
    expect(differences.examples[0]).toMatch(sentence);
  });
});
