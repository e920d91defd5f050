/** Intake without Kafka: raw bytes through the task into a store on disk, timed. Profile it with `node --cpu-prof --import @oxc-node/core/register`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { posMapping } from '../../connectors/pos/mapping.ts';
import { avroCodecs } from '../../processors/adapters/avro/codec.ts';
import { schemaFile } from '../../processors/adapters/avro/schema-files.ts';
import { lmdbStateStore } from '../../processors/adapters/lmdb-state-store.ts';
import { intakeTopology } from '../../processors/intake/topology.ts';
import { decodeRecord } from '../../processors/runtime/decode.ts';
import type { RawRecord } from '../../processors/runtime/ports.ts';
import { createTask } from '../../processors/runtime/task.ts';
import { deadLetters } from '../../processors/topics.ts';
import { countedIds } from '../support/driver-schemas.ts';
import { debeziumLoad, type RawPair } from './debezium-load.ts';

const receipts = Number(process.argv[2] ?? 40_000);
const perTransaction = 10_000;

const schemas: unknown[] = [];
const idOf = (_subject: string, schema: unknown): number => schemas.push(schema);
const ownIds = new Map<string, number>();
const codecs = avroCodecs({
  writer: (id) => schemas[id - 1] ?? 'absent',
  idOf: (topic, part) => {
    const name = `${topic.name}-${part}`;
    const id = ownIds.get(name) ?? idOf(name, schemaFile(topic[part].schema));
    ownIds.set(name, id);
    return id;
  },
  ownSchema: schemaFile,
  learn: async () => {},
  prepare: async () => {},
});
const load = debeziumLoad(1, idOf);
const folder = mkdtempSync(join(tmpdir(), 'stockline-bench-'));
const store = lmdbStateStore(join(folder, 'store'));
const topology = intakeTopology(posMapping);
const inputs = new Map(topology.inputs.map((input) => [input.name, input]));
const task = createTask({
  topology,
  partition: 0,
  codecs,
  traceIds: countedIds(),
  deadLetters,
  committed: store,
  hotCellsMax: 50_000,
});
task.standAt({ lineage: 'x', offsets: new Map() });
const offsets = new Map<string, number>();
const raw = (pair: RawPair): RawRecord => {
  const offset = offsets.get(pair.topic) ?? 0;
  offsets.set(pair.topic, offset + 1);
  return { ...pair, partition: 0, offset: BigInt(offset), headers: [] };
};
let outputs = 0;
let outputBytes = 0;
const commit = (): void => {
  const transfer = task.transfer(0);
  if (transfer === undefined) return;
  outputs += transfer.outputs.length;
  for (const output of transfer.outputs) {
    outputBytes += (output.key?.length ?? 0) + (output.value?.length ?? 0);
  }
  store.write(transfer.changes, { ...transfer.checkpoint, changelogOffset: 0n, writtenAtMs: 0 });
  task.commit();
};
const run = (records: readonly RawRecord[]): void => {
  let open = 0;
  for (const record of records) {
    const input = inputs.get(record.topic);
    if (input === undefined) throw new Error(record.topic);
    task.apply(decodeRecord(record, input, codecs));
    open += 1;
    if (open < perTransaction) continue;
    commit();
    open = 0;
  }
  commit();
};
run([...load.lookups()].map(raw));
run([...load.receipts(5_000)].map(raw));
const before = load.changes();
const records = [...load.receipts(receipts)].map(raw);
const changes = load.changes() - before;
outputs = 0;
outputBytes = 0;
const started = process.cpuUsage();
const startedMs = performance.now();
run(records);
const ms = performance.now() - startedMs;
const { user, system } = process.cpuUsage(started);
process.stdout.write(
  `${changes} changes, ${records.length} records: ${Math.round(changes / (ms / 1_000))} changes/s, ` +
    `${((user + system) / changes).toFixed(2)} us CPU per change, ${(outputs / changes).toFixed(2)} outputs and ` +
    `${Math.round(outputBytes / changes)} bytes per change\n`,
);
await store.close();
rmSync(folder, { recursive: true, force: true });
