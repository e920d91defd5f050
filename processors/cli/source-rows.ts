/** From a term of the ledger back to the movement that told it and the row that stated it. */
import type { Effect, Movement } from '../../schemas/types.ts';
import { type KafkaPlaces, readTopic } from '../adapters/topic-reader.ts';
import type { Change } from '../cdc/change.ts';
import { capturedTables } from '../intake/mapping.ts';
import { intakeTopology, tableTopic } from '../intake/topology.ts';
import { movements } from '../topics.ts';
import { partitionOf } from '../topology/partitioner.ts';
import type { Topic } from '../topology/topic.ts';
import { loadMapping } from './mappings.ts';

/** Where a record stands, as `topic-partition@offset`. */
export type RecordPlace = string;

export type StatedBy = {
  readonly movement: RecordPlace;
  /** Position, in the source's log, of the row that states it. */
  readonly rowPosition: string;
  readonly asserted: boolean;
  /** Undefined: the source's topic does not hold it any more. */
  readonly row:
    | {
        readonly record: RecordPlace;
        readonly table: string;
        readonly key: string;
        readonly operation: string;
      }
    | undefined;
};

export const recordPlace = (topic: string, partition: number, offset: bigint): RecordPlace =>
  `${topic}-${partition}@${offset}`;

/** What states each of these effects of one SKU, by effect id. Reads the SKU's movements and the sources' topics. */
export async function statementsOf(
  places: KafkaPlaces,
  sku: string,
  effectIds: ReadonlySet<string>,
): Promise<ReadonlyMap<string, StatedBy>> {
  const told = await effectsOf(places, sku, effectIds);
  const positions = new Map<string, Set<string>>();
  for (const { system, effect } of told.values()) {
    const known = positions.get(system) ?? new Set();
    positions.set(system, known.add(effect.order));
  }
  const rows = new Map<string, StatedBy['row']>();
  for (const [system, wanted] of positions) {
    for (const [position, row] of await rowsAt(places, system, wanted)) {
      rows.set(`${system}|${position}`, row);
    }
  }
  return new Map(
    [...told].map(([id, { movement, system, effect }]) => [
      id,
      {
        movement,
        rowPosition: effect.order,
        asserted: effect.asserted,
        row: rows.get(`${system}|${effect.order}`),
      },
    ]),
  );
}

type Told = { readonly movement: RecordPlace; readonly system: string; readonly effect: Effect };

async function effectsOf(
  places: KafkaPlaces,
  sku: string,
  effectIds: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Told>> {
  const told = new Map<string, Told>();
  await readTopic(places, movements as unknown as Topic<never, never>, {
    partitions: [partitionOf(sku, movements.partitions)],
    onRecord: ({ key, value, topic, partition, offset }) => {
      if (key !== sku || value === undefined) return;
      const { system, effects } = value as Movement;
      const movement = recordPlace(topic, partition, offset);
      for (const effect of effects) {
        if (effectIds.has(effect.id)) told.set(effect.id, { movement, system, effect });
      }
    },
  });
  return told;
}

/** The changes at these positions of a system's log, from its table topics. */
async function rowsAt(
  places: KafkaPlaces,
  system: string,
  positions: ReadonlySet<string>,
): Promise<ReadonlyMap<string, StatedBy['row']>> {
  const rows = new Map<string, StatedBy['row']>();
  const mapping = await loadMapping(system);
  const tables = capturedTables(mapping).map(({ name }) =>
    tableTopic(system, mapping.schema, name),
  );
  for (const input of intakeTopology(mapping).inputs) {
    if (!tables.includes(input.name)) continue;
    await readTopic(places, { ...input, partitions: 1 } as unknown as Topic<never, never>, {
      onRecord: ({ value, topic, partition, offset }) => {
        const change = value as Change | undefined;
        if (change?.kind !== 'change' || !positions.has(change.position)) return;
        const { table, key, operation } = change;
        const record = recordPlace(topic, partition, offset);
        rows.set(change.position, { record, table, key, operation });
      },
    });
  }
  return rows;
}
