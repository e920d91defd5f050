/** From a term of the ledger back to the movement that told it and the row that stated it. */

import { loadMapping } from '../../../connectors/systems.ts';
import type { Effect, Movement } from '../../../schemas/types.ts';
import { type KafkaPlaces, readTopic } from '../../adapters/kafka/topic-reader.ts';
import { type Change, keyOfColumns } from '../../cdc/change.ts';
import { hashText } from '../../domain/hash.ts';
import { documentId } from '../../intake/line-documents.ts';
import { capturedTables, type SystemMapping } from '../../intake/mapping.ts';
import { intakeTopology, tableTopic } from '../../intake/topology.ts';
import { movements } from '../../topics.ts';
import { partitionOf } from '../../topology/partitioner.ts';
import type { Topic } from '../../topology/topic.ts';

/** Where a record stands, as `topic-partition@offset`. */
export type RecordPlace = string;

export type StatedBy = {
  readonly movement: RecordPlace;
  /** Position, in the source's log, of the row that stated it first. */
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
  const systems = new Set([...told.values()].map(({ system }) => system));
  const rows = new Map<string, StatedBy['row']>();
  for (const system of systems) {
    const all = [...told].filter(([, one]) => one.system === system);
    const mapping = await loadMapping(system);
    const find = async (some: typeof all, isTheirOwn: boolean): Promise<void> => {
      const wanted = new Set(some.map(([id]) => statementOf(id)));
      const positions = isTheirOwn ? [] : new Set(some.map(([, { effect }]) => effect.order));
      if (wanted.size === 0) return;
      for (const [id, row] of await rowsOf(places, mapping, wanted, positions)) rows.set(id, row);
    };
    await find(all, true);
    // A document that waited for a lookup was told when that came: at the place of another change than its own.
    await find(
      all.filter(([id]) => !rows.has(statementOf(id))),
      false,
    );
  }
  return new Map(
    [...told].map(([id, { movement, effect }]) => [
      id,
      {
        movement,
        rowPosition: effect.order,
        asserted: effect.asserted,
        row: rows.get(statementOf(id)),
      },
    ]),
  );
}

/** An effect's id begins with the hash of its document and of the place of the change that told it. */
const statementOf = (effectId: string): string => effectId.slice(0, effectId.lastIndexOf('-'));

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

/** The change behind each statement, from the system's table topics; told at its own place or at one of these. */
async function rowsOf(
  places: KafkaPlaces,
  mapping: SystemMapping,
  statements: ReadonlySet<string>,
  positions: Iterable<string>,
): Promise<ReadonlyMap<string, StatedBy['row']>> {
  const rows = new Map<string, StatedBy['row']>();
  const { system, schema } = mapping;
  const own = new Set(capturedTables(mapping).map(({ name }) => tableTopic(system, schema, name)));
  for (const input of intakeTopology(mapping).inputs) {
    if (!own.has(input.name)) continue;
    const documents = documentsOf(mapping);
    await readTopic(places, { ...input, partitions: 1 } as unknown as Topic<never, never>, {
      onRecord: ({ value, topic, partition, offset }) => {
        const change = value as Change | undefined;
        if (change?.kind !== 'change') return;
        const { table, key, operation, position } = change;
        for (const id of documents(change)) {
          for (const told of [position, ...positions]) {
            const statement = hashText(`${system}|${id}|${told}`);
            if (!statements.has(statement)) continue;
            const record = recordPlace(topic, partition, offset);
            rows.set(statement, { record, table, key, operation });
          }
        }
      },
    });
  }
  return rows;
}

/** Names the documents that a change belongs to; of a deleted line it remembers where it was. */
function documentsOf(mapping: SystemMapping): (change: Change) => readonly string[] {
  const headers = new Map<string, string>();
  return ({ table, key, row }) =>
    mapping.documents.flatMap((document) => {
      const ids = document.header.name === table ? [documentId(document, key)] : [];
      const { lines } = document;
      if (lines?.table.name !== table) return ids;
      const line = `${document.name}|${key}`;
      const before = headers.get(line);
      const now = row === null ? before : keyOfColumns(lines.headerKey, row);
      if (now === undefined) return ids;
      headers.set(line, now);
      // A line that went to another document changed both.
      const keys = [...new Set([now, before ?? now])];
      return [...ids, ...keys.map((one) => documentId(document, one))];
    });
}
