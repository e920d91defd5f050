/** `stockline replay` on a large ledger: written by the stock and channels steps themselves, without a broker in between. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { avroCodecs } from '../../processors/adapters/avro/codec.ts';
import { registerSchemas, registrySchemas } from '../../processors/adapters/avro/registry.ts';
import { topicSettings } from '../../processors/adapters/kafka/admin.ts';
import { channelsStep } from '../../processors/channels/step.ts';
import type { ReplayResult } from '../../processors/cli/replay.ts';
import { processorOptions } from '../../processors/processes/node-options.ts';
import type { Codecs } from '../../processors/runtime/ports.ts';
import { loadPolicies } from '../../processors/settings/policies.ts';
import { stockStep } from '../../processors/stock/step.ts';
import {
  channelPolicies,
  channelStock,
  ledger,
  movements,
  stockLevels,
} from '../../processors/topics.ts';
import { partitionOf } from '../../processors/topology/partitioner.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { Emit, Input, Step } from '../../processors/topology/topology.ts';
import type { PlacedPair } from './broker.ts';
import type { Setting } from './setting.ts';
import { movementOf, sales, workloads } from './workload.ts';

type AnyTopic = Topic<never, never>;
type Written = Extract<Emit, { readonly kind: 'record' }>;

/** On compacted topics the last value of each key in so many steps is written, as of a transaction. */
const stepsPerTransaction = 2_000;
const policies = loadPolicies();
const told = [ledger, stockLevels, ...policies.map(({ channel }) => channelStock(channel))];
const topics = told as unknown as readonly AnyTopic[];
const policiesApplied = channelPolicies as unknown as AnyTopic;
const names = new Set(topics.map(({ name }) => name));
const program = 'processors/cli/stockline.ts';

/** Writes a ledger of so many entries with its levels and channel figures, and replays it in a process of its own. */
export async function replayContest(
  setting: Setting,
  options: { readonly entries: number },
): Promise<ReplayResult> {
  const { broker, report } = setting;
  // Of policies put in force there are none; a replay asks.
  await broker.anew([...topics, policiesApplied].map(topicSettings));
  await registerSchemas(setting.registryUrl, topics);
  const codecs = avroCodecs(registrySchemas(setting.registryUrl, setting.folder('schemas')));
  await codecs.prepare(topics);
  const startedMs = performance.now();
  const poured = await broker.pour(pairsOf(codecs, options.entries));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  report(`  ${poured} records written in ${seconds} s`);
  const file = join(setting.folder('replay'), 'replay.json');
  const command = [...processorOptions, program, 'replay', '--json', file];
  const environment = { STOCKLINE_KAFKA: setting.brokers, STOCKLINE_REGISTRY: setting.registryUrl };
  await promisify(execFile)('node', command, { env: { ...process.env, ...environment } });
  return JSON.parse(readFileSync(file, 'utf8')) as ReplayResult;
}

function* pairsOf(codecs: Codecs, entries: number): Generator<PlacedPair> {
  const stock = player(stockStep);
  const channels = player(channelsStep(policies));
  const open = new Map<string, Written>();
  let steps = 0;
  for (const sale of sales({ ...workloads.W1, skus: 40_000 }, { count: entries, seed: 5 })) {
    for (const emit of stock(movements.name, sale.sku, movementOf(sale))) {
      if (emit.topic.name === ledger.name) yield placed(codecs, emit);
      else if (emit.topic.name === stockLevels.name) {
        open.set(JSON.stringify(emit.key), emit);
      }
    }
    steps += 1;
    if (steps % stepsPerTransaction !== 0 && steps < entries) continue;
    for (const level of open.values()) {
      yield placed(codecs, level);
      // A replay reads the figures alone, not what channels say beside them.
      for (const figure of channels(stockLevels.name, level.key, level.value)) {
        if (names.has(figure.topic.name)) yield placed(codecs, figure);
      }
    }
    open.clear();
  }
}

/** A step with its state in memory. */
function player<S>(step: Step<S>) {
  const kept = new Map<string, S>();
  const state = {
    get: (key: string) => kept.get(key),
    put: (key: string, value: S) => void kept.set(key, value),
    delete: (key: string) => void kept.delete(key),
    keys: (beginning: string) => [...kept.keys()].filter((key) => key.startsWith(beginning)),
  };
  return (topic: string, key: unknown, value: unknown): readonly Written[] => {
    const place = { topic, partition: 0, offset: 0n, timestampMs: Date.now() };
    const input: Input = { kind: 'record', record: { ...place, key, value, headers: [] } };
    return step(input, state).filter((emit): emit is Written => emit.kind === 'record');
  };
}

function placed(codecs: Codecs, { topic, key, value }: Written): PlacedPair {
  const by = (topic as unknown as Topic<unknown, unknown>).partitionBy(key);
  return {
    topic: topic.name,
    partition: partitionOf(by, topic.partitions),
    key: codecs.encodeKey(topic, key),
    value: codecs.encodeValue(topic, value),
    timestampMs: Date.now(),
  };
}
