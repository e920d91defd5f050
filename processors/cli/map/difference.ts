/**
 * What `map apply` would change, before it does: intake's own step, on intake's own state as its changelog has it, with the mapping
 * and the lookups of now. Nothing is written.
 */
import type { Movement } from '../../../schemas/types.ts';
import { type KafkaPlaces, readChanges } from '../../adapters/kafka/topic-reader.ts';
import type { SystemMapping } from '../../intake/mapping.ts';
import type { IntakeState } from '../../intake/state.ts';
import { intakeStep, restateHeader } from '../../intake/step.ts';
import { intakeTopology, transactionTopic } from '../../intake/topology.ts';
import { decodeState } from '../../runtime/state.ts';
import { movements } from '../../topics.ts';
import { changelogName, type StepState } from '../../topology/topology.ts';

export type CellDifference = {
  readonly sku: string;
  readonly location: string;
  readonly bucket: string;
  /** In thousandths: what would be added to the cell. */
  readonly by: number;
  readonly effects: number;
};

export type MapDifference = {
  readonly documents: number;
  readonly cells: readonly CellDifference[];
  readonly refused: readonly string[];
};

export async function differenceBy(
  places: KafkaPlaces,
  mapping: SystemMapping,
): Promise<MapDifference> {
  const state = await stateOf(places, mapping);
  const step = intakeStep(mapping);
  const why = new TextEncoder().encode('dry run');
  const emits = step(
    {
      kind: 'record',
      record: {
        topic: transactionTopic(mapping.system),
        ...{ partition: 0, offset: 0n, timestampMs: Date.now(), key: undefined, value: undefined },
        headers: [[restateHeader, why]],
      },
    },
    state,
  );
  const cells = new Map<string, CellDifference>();
  const refused: string[] = [];
  let documents = 0;
  for (const one of emits) {
    if (one.kind === 'count') documents += one.metric === 'restated' ? one.by : 0;
    else if (one.kind === 'deadLetter') refused.push(one.reason);
    else if (one.topic.name === movements.name) addMovement(cells, one.value as Movement);
  }
  const changed = [...cells.values()].filter(({ by }) => by !== 0);
  return {
    documents,
    cells: changed.sort((one, other) => Math.abs(other.by) - Math.abs(one.by)),
    refused: [...new Set(refused)],
  };
}

function addMovement(cells: Map<string, CellDifference>, { sku, effects }: Movement): void {
  for (const { location, bucket, quantity } of effects) {
    const key = `${sku}|${location}|${bucket}`;
    const known = cells.get(key) ?? { sku, location, bucket, by: 0, effects: 0 };
    cells.set(key, { ...known, by: known.by + quantity, effects: known.effects + 1 });
  }
}

/** All of a source is one partition: its state is one table. */
async function stateOf(
  places: KafkaPlaces,
  mapping: SystemMapping,
): Promise<StepState<IntakeState>> {
  const topology = intakeTopology(mapping);
  const bytes = await readChanges(places, changelogName(topology));
  if (bytes.size === 0) {
    throw new Error(`intake-${mapping.system} has no state: nothing of it has come in yet`);
  }
  const written = new Map<string, IntakeState | undefined>();
  return {
    get: (key) => {
      if (written.has(key)) return written.get(key);
      const known = bytes.get(key);
      return known === undefined ? undefined : decodeState(topology.state, known);
    },
    put: (key, value) => void written.set(key, value),
    delete: (key) => void written.set(key, undefined),
    keys: (beginning) =>
      [...new Set([...bytes.keys(), ...written.keys()])]
        .filter((key) => key.startsWith(beginning))
        .filter((key) => !written.has(key) || written.get(key) !== undefined)
        .sort(),
  };
}
