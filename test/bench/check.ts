/** Reads what a contender wrote, committed records only, and holds it against the oracle. */
import { kafkaSource } from '../../processors/adapters/kafka/consumer.ts';
import { beginning, type Codecs, type Telemetry } from '../../processors/runtime/ports.ts';
import { ledger, movements, stockLevels } from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { LedgerEntry, Movement, StockLevel } from '../../schemas/types.ts';
import type { ExpectedCell } from './workload.ts';

export type ReadContext = {
  readonly brokers: string;
  readonly codecs: Codecs;
  readonly telemetry: Telemetry;
};

const waitMs = 200;

/** Every committed value of a topic, partition by partition in order. */
async function readAll<V>(
  topic: Topic<never, V>,
  context: ReadContext,
  take: (value: V, bytes: { readonly key: number; readonly value: number }) => void,
): Promise<void> {
  const any = topic as unknown as Topic<never, never>;
  const source = await kafkaSource({ ...context, group: `bench-reader-${process.pid}` });
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
  source.assign(
    partitions.map((partition) => ({ topic: topic.name, partition, offset: beginning })),
  );
  const ended = new Set<number>();
  while (ended.size < partitions.length) {
    const { records, ends } = await source.poll({ recordsMax: 10_000, waitMs });
    for (const { value, key } of records) {
      if (value === undefined) continue;
      const sizes = { key: key?.length ?? 0, value: value.length };
      take(context.codecs.decodeValue(any, value) as V, sizes);
    }
    for (const { partition } of ends) ended.add(partition);
  }
  await source.close();
}

/** Empty when ledger and levels are what they have to be; otherwise the first differences as sentences. */
export async function stockFaults(
  expected: ReadonlyMap<string, ExpectedCell>,
  context: ReadContext,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const fault = (text: string): void => {
    if (faults.length < 10) faults.push(text);
  };
  const reached = new Map<string, number>();
  await readAll(ledger as unknown as Topic<never, LedgerEntry>, context, (entry) => {
    const key = `${entry.sku}|${entry.location}`;
    const before = reached.get(key) ?? 0;
    if (entry.sequence !== before + 1) {
      fault(`the ledger of ${key} goes from ${before} to ${entry.sequence}`);
    }
    reached.set(key, entry.sequence);
    const cell = expected.get(key);
    if (entry.sequence === cell?.sequence && entry.quantities.onHand !== cell.onHand) {
      fault(`the ledger of ${key} ends with ${entry.quantities.onHand}, not ${cell.onHand}`);
    }
  });
  const levels = new Map<string, { readonly onHand: number; readonly sequence: number }>();
  await readAll(stockLevels as unknown as Topic<never, StockLevel>, context, (level) => {
    const key = `${level.sku}|${level.location}`;
    const before = levels.get(key)?.sequence ?? 0;
    if (level.previousSequence !== before) {
      fault(`the level of ${key} follows ${level.previousSequence}, and ${before} was the last`);
    }
    levels.set(key, { onHand: level.quantities.onHand, sequence: level.sequence });
  });
  for (const [key, cell] of expected) {
    if (reached.get(key) !== cell.sequence) {
      fault(`the ledger of ${key} has ${reached.get(key) ?? 0} entries of ${cell.sequence}`);
    }
    const level = levels.get(key);
    if (level?.onHand !== cell.onHand || level.sequence !== cell.sequence) {
      fault(`the level of ${key} is ${JSON.stringify(level)}, not ${JSON.stringify(cell)}`);
    }
  }
  if (levels.size !== expected.size) fault(`${levels.size} cells instead of ${expected.size}`);
  return faults;
}

/** Empty when the movements of the till's sales are what was sold; otherwise the first differences. */
export async function intakeFaults(
  sold: ReadonlyMap<string, number>,
  context: ReadContext,
): Promise<readonly string[]> {
  const told = new Map<string, number>();
  const ids = new Set<string>();
  let again = 0;
  await readAll(movements as unknown as Topic<never, Movement>, context, (movement) => {
    for (const effect of movement.effects) {
      if (ids.has(effect.id)) again += 1;
      ids.add(effect.id);
      const key = `${movement.sku}|${effect.location}`;
      told.set(key, (told.get(key) ?? 0) - effect.quantity);
    }
  });
  const faults = [...sold].flatMap(([key, quantity]) =>
    told.get(key) === quantity ? [] : [`${key} sold ${quantity}, and ${told.get(key)} was told`],
  );
  if (again > 0) faults.push(`${again} effects were told twice`);
  return faults.slice(0, 10);
}
