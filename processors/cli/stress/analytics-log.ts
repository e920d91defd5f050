/** Topics for `stockline stress analytics`: the same in every process, made as they are read, and what they add up to. */
import type { Effect, Movement } from '../../../schemas/types.ts';
import type { Batch, PartitionOffset, RecordReader } from '../../analytics/ports.ts';
import { noQuantities } from '../../domain/quantities.ts';
import { channelStock, inventoryPartitions, ledger, movements, stockLevels } from '../../topics.ts';
import type { StreamRecord } from '../../topology/topology.ts';

/** Records in all, over four topics, and on how many SKUs. */
export type LoadShape = { readonly records: number; readonly skus: number; readonly seed: number };

export const stressChannel = 'stress';
const topics = [
  movements.name,
  ledger.name,
  stockLevels.name,
  channelStock(stressChannel).name,
] as const;
type TopicName = (typeof topics)[number];

const location = 'S01';
const beginning = Date.parse('2026-01-05T08:00:00Z');

/** Records of each partition of each topic. */
export function recordsPerPartition({ records }: LoadShape): number {
  return Math.floor(records / topics.length / inventoryPartitions);
}

/** A transaction's marker follows every third record. */
const offsetOf = (index: number): bigint => BigInt(index + Math.floor(index / 3));
/** The first record at or after an offset. */
const indexFrom = (offset: bigint): number => Number(offset) - Math.floor(Number(offset) / 4);

const repeatedRecords = 5_000;

type Fact = { readonly sku: string; readonly quantity: number };

function factOf({ skus, seed }: LoadShape, partition: number, index: number): Fact {
  const number = (index * 7_919 + seed * 104_729 + partition * 31) % skus;
  return {
    sku: `SKU-${partition}-${String(number).padStart(6, '0')}`,
    quantity: ((index * 2_654_435_761 + seed + partition) % 5_000) - 2_500,
  };
}

function recordOf(
  shape: LoadShape,
  topic: TopicName,
  partition: number,
  index: number,
): StreamRecord {
  const { sku, quantity } = factOf(shape, partition, index);
  const id = `${partition}-${index}`;
  const timestampMs = beginning + index;
  const cause = {
    kind: 'movement',
    id: `m-${id}`,
    system: 'pos',
    transaction: `0-1-${index}`,
    position: `bin.000001:${String(index).padStart(12, '0')}`,
    committedAt: timestampMs,
  } as const;
  const quantities = { ...noQuantities, onHand: quantity, available: quantity };
  const sequence = index + 1;
  const numbers = { sequence, previousSequence: index };
  const of = (key: unknown, value: unknown): StreamRecord => ({
    topic,
    partition,
    offset: offsetOf(index),
    timestampMs,
    key,
    value,
    headers: [],
  });
  switch (topic) {
    case movements.name:
      return of(sku, movementOf(sku, quantity, id, timestampMs, index));
    case ledger.name:
      return of(sku, {
        sku,
        location,
        sequence,
        cause,
        restatement: null,
        quantities,
        changes: [],
      });
    case stockLevels.name:
      return of({ sku, location }, { sku, location, quantities, ...numbers, cause });
    default: {
      const sellable = Math.max(0, quantity);
      const status = sellable > 0 ? 'inStock' : 'out';
      const formula = { formula: 'stress', formulaVersion: 1 };
      const value = {
        channel: stressChannel,
        sku,
        sellable,
        status,
        ...numbers,
        ...formula,
        cause,
      };
      return of(sku, value);
    }
  }
}

/** Every fifth movement has two effects. */
const effectsOf = (index: number): number => (index % 5 === 0 ? 2 : 1);

function movementOf(
  sku: string,
  quantity: number,
  id: string,
  committedAt: number,
  index: number,
): Movement {
  const effects = Array.from(
    { length: effectsOf(index) },
    (_, effect): Effect => ({
      id: `e-${id}-${effect}`,
      kind: 'event',
      asserted: true,
      bucket: 'onHand',
      location,
      quantity: effect === 0 ? quantity : 1_000,
      occurredAt: committedAt,
      order: String(index),
      reason: effect === 0 ? 'sale' : 'return',
      reference: `receipt 1/1/${id}`,
      echo: null,
      expectedAt: null,
      booking: null,
    }),
  );
  const position = `bin.000001:${String(index).padStart(12, '0')}`;
  return {
    id: `m-${id}`,
    sku,
    system: 'pos',
    transaction: `0-1-${index}`,
    position,
    committedAt,
    effects,
    contained: [],
  };
}

/** `only`: the other topics are empty, and the same movements come again and again, so that making them costs nothing; `perSecond`: they come at that rate, each of its moment. */
export function stressReader(
  shape: LoadShape,
  only?: 'movements',
  perSecond?: number,
): RecordReader {
  const count = recordsPerPartition(shape);
  const has = (topic: string): boolean => only === undefined || topic === movements.name;
  let positions: { readonly topic: TopicName; readonly partition: number; index: number }[] = [];
  const place = ({ topic, partition, index }: (typeof positions)[number]): PartitionOffset => ({
    topic,
    partition,
    offset: offsetOf(index),
  });
  let turn = 0;
  let given = 0;
  const startedAtMs = Date.now();
  const made = new Map<number, StreamRecord>();
  const recordAt = (topic: TopicName, partition: number, index: number): StreamRecord => {
    if (only === undefined) return recordOf(shape, topic, partition, index);
    const place = (index % repeatedRecords) * inventoryPartitions + partition;
    const known = made.get(place) ?? recordOf(shape, topic, partition, index % repeatedRecords);
    made.set(place, known);
    const timestampMs = perSecond === undefined ? known.timestampMs : Date.now();
    return { ...known, offset: offsetOf(index), timestampMs };
  };
  return {
    bounds: async (names) =>
      names.flatMap((topic) =>
        Array.from({ length: inventoryPartitions }, (_, partition) => {
          const isOurs = (topics as readonly string[]).includes(topic) && has(topic);
          return { topic, partition, first: 0n, end: isOurs ? offsetOf(count) : 0n };
        }),
      ),
    seek: async (offsets) => {
      positions = offsets.flatMap(({ topic, partition, offset }) => {
        const known = topics.find((one) => one === topic);
        if (known === undefined || !has(topic)) return [];
        return [{ topic: known, partition, index: indexFrom(offset) }];
      });
    },
    poll: async (limit): Promise<Batch> => {
      const due =
        perSecond === undefined ? Infinity : ((Date.now() - startedAtMs) * perSecond) / 1000;
      const recordsMax = Math.min(limit.recordsMax, Math.max(0, Math.floor(due) - given));
      const records: StreamRecord[] = [];
      const ends: PartitionOffset[] = [];
      const share = Math.ceil(recordsMax / Math.max(1, positions.length));
      for (let step = 0; step < positions.length; step += 1) {
        const position = positions[(turn + step) % positions.length];
        if (position === undefined) continue;
        const until = Math.min(
          count,
          position.index + share,
          position.index + recordsMax - records.length,
        );
        while (position.index < until) {
          records.push(recordAt(position.topic, position.partition, position.index));
          position.index += 1;
        }
        if (position.index >= count) ends.push(place(position));
      }
      turn += 1;
      given += records.length;
      await new Promise((resolve) => setTimeout(resolve, records.length > 0 ? 0 : 5));
      return { records, ends };
    },
  };
}

export type Sums = {
  readonly movements: number;
  readonly effects: number;
  /** Thousandths. */
  readonly quantity: number;
  readonly ledger: number;
  /** By SKU: the last figure, in thousandths. */
  readonly onHand: ReadonlyMap<string, number>;
};

/** From the numbers that make the records, apart from tables and views. */
export function expectedSums(shape: LoadShape): Sums {
  const count = recordsPerPartition(shape);
  const onHand = new Map<string, number>();
  let effects = 0;
  let quantity = 0;
  for (let partition = 0; partition < inventoryPartitions; partition += 1) {
    for (let index = 0; index < count; index += 1) {
      const fact = factOf(shape, partition, index);
      const more = effectsOf(index) - 1;
      effects += 1 + more;
      quantity += fact.quantity + more * 1_000;
      onHand.set(fact.sku, fact.quantity);
    }
  }
  const records = count * inventoryPartitions;
  return { movements: records, effects, quantity, ledger: records, onHand };
}
