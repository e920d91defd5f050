/** The intake of one source system: its captured tables and its transaction topic, and tables of others that it looks up. */
import { envelopeFields, parseChange } from '../cdc/change.ts';
import { parseTransactionEvent } from '../cdc/transaction-event.ts';
import { alerts, freshness, movements } from '../topics.ts';
import type { ForeignTopic, Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import { capturedTables, type Lookup, type SystemMapping } from './mapping.ts';
import type { IntakeState } from './state.ts';
import { intakeStateCodec } from './state-codec.ts';
import { type IntakeValue, intakeStep } from './step.ts';

const tickMs = 1_000;
const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

/** Name of the topic of a captured table. */
export const tableTopic = (system: string, schema: string, table: string): string =>
  `${system}.${schema}.${table}`;

export const transactionTopic = (system: string): string => `${system}.transaction`;

/** Where Debezium tells at an interval that a connector lives, and how far its source's log has been read. */
export const heartbeatTopic = (system: string): string => `__debezium-heartbeat.${system}`;

export function intakeTopology(mapping: SystemMapping): Topology<IntakeState> {
  const { system, kind, schema } = mapping;
  const tables = capturedTables(mapping);
  const names = new Set(tables.map((table) => `${schema}.${table.name}`));
  const own = tables.map(
    (table): ForeignTopic<IntakeValue> => ({
      name: tableTopic(system, schema, table.name),
      foreign: true,
      fields: envelopeFields(table),
      parse: (plain, writer) => parseChange(kind, table, plain, writer),
    }),
  );
  const others = mapping.lookups.filter((lookup) => lookup.system.name !== system);
  return defineTopology({
    name: `intake-${system}`,
    inputs: [
      ...own,
      {
        name: transactionTopic(system),
        foreign: true,
        parse: (plain) => parseTransactionEvent(kind, names, plain),
      },
      ...others.map(foreignLookup),
    ],
    state: intakeStateCodec,
    tickMs,
    step: intakeStep(mapping),
    outputs: anyTopics([movements, alerts, freshness]),
  });
}

function foreignLookup(lookup: Lookup): ForeignTopic<IntakeValue> {
  const { name, kind, schema } = lookup.system;
  return {
    name: tableTopic(name, schema, lookup.table.name),
    foreign: true,
    fields: envelopeFields(lookup.table),
    parse: (plain, writer) => {
      const change = parseChange(kind, lookup.table, plain, writer);
      // Its transactions are the other system's.
      return change.kind === 'change'
        ? { kind: 'lookupRow', lookup, change }
        : { ...change, transaction: null };
    },
  };
}

/** Every topic of a system that has to exist before intake starts: Debezium creates them only with the first row. */
export function sourceTopics(mapping: SystemMapping): readonly string[] {
  return [
    ...capturedTables(mapping).map((table) =>
      tableTopic(mapping.system, mapping.schema, table.name),
    ),
    transactionTopic(mapping.system),
    heartbeatTopic(mapping.system),
  ];
}
