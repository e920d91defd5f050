/** The stock processor beside its rivals, in interleaved rounds over the same movements. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  changelogSettings,
  type TopicSettings,
  topicSettings,
} from '../../processors/adapters/kafka/admin.ts';
import { processorOptions } from '../../processors/processes/node-options.ts';
import { stockTopology } from '../../processors/stock/topology.ts';
import { ledger, movements, stockLevels } from '../../processors/topics.ts';
import { partitionOf } from '../../processors/topology/partitioner.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { PlacedPair } from './broker.ts';
import { stockFaults } from './check.ts';
import { type Contender, contest, type Run } from './contest.ts';
import type { CopySettings, Share } from './copy-process.ts';
import type { ProcessorSettings } from './processor-process.ts';
import { benchTopics, type Setting } from './setting.ts';
import type { StreamsProgram } from './streams.ts';
import { type ExpectedCell, expectedCells, movementOf, type Sale } from './workload.ts';

export type StockContender =
  | 'ours'
  | 'copyLoop'
  | 'streamsRocksdb'
  | 'streamsMemory'
  | 'atLeastOnce'
  | 'twoProcesses';

export type StockRun = Run & { readonly faults: readonly string[]; readonly storeBytes: number };

const program = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));
const outputs = benchTopics.filter(({ name }) => name !== movements.name);

export class StockContest {
  private readonly setting: Setting;
  private readonly streams: StreamsProgram | undefined;
  private readonly seed: Iterable<Sale>;
  private expected: ReadonlyMap<string, ExpectedCell> = new Map();
  private shares: readonly Share[] = [];
  private runs = 0;

  constructor(setting: Setting, seed: Iterable<Sale>, streams: StreamsProgram | undefined) {
    this.setting = setting;
    this.seed = seed;
    this.streams = streams;
  }

  get cells(): number {
    return this.expected.size;
  }

  /** Pours the movements in. */
  async preload(): Promise<number> {
    const { broker } = this.setting;
    await broker.anew([topicSettings(movements as unknown as Topic<never, never>)]);
    const sold = [...this.seed];
    this.expected = expectedCells(sold);
    return broker.pour(movementPairs(this.setting, sold));
  }

  async run(name: StockContender): Promise<StockRun> {
    this.runs += 1;
    const id = `bench-${this.runs}`;
    const { broker } = this.setting;
    const changelog = changelogSettings({ ...stockTopology, name: id });
    await broker.anew([...outputs.map(topicSettings), changelog]);
    const state = this.setting.folder(id);
    const contender = this.contender(name, id, state, changelog);
    const input = { topics: [movements.name], brokerPid: this.setting.brokerPid };
    const run = await contest(contender, input, broker);
    const isCopy = name === 'copyLoop';
    const faults = isCopy ? [] : await stockFaults(this.expected, this.setting);
    if (name === 'ours' && this.shares.length === 0) await this.measureShares(changelog.name);
    await broker.removeBeginningWith(id);
    await broker.removeGroup(id);
    return { ...run, faults, storeBytes: folderBytes(state) };
  }

  /** What to start for a run of this id. */
  contender(name: StockContender, id: string, state: string, changelog: TopicSettings): Contender {
    const base = { name, group: id };
    switch (name) {
      case 'ours':
        return { ...base, commands: [this.ours(id, state, 0, 1, 'exactlyOnce')] };
      case 'atLeastOnce':
        return { ...base, commands: [this.ours(id, state, 0, 1, 'atLeastOnce')] };
      case 'twoProcesses':
        return {
          ...base,
          commands: [0, 1].map((group) =>
            this.ours(id, join(state, String(group)), group, 2, 'exactlyOnce'),
          ),
        };
      case 'copyLoop':
        return { ...base, commands: [this.copy(id, changelog.name)] };
      case 'streamsRocksdb':
        return { ...base, commands: [this.onStreams('rocksdb', id, state)] };
      case 'streamsMemory':
        return { ...base, commands: [this.onStreams('memory', id, state)] };
    }
  }

  private ours(
    id: string,
    stateDirectory: string,
    group: number,
    groups: number,
    guarantee: ProcessorSettings['guarantee'],
  ): readonly string[] {
    const settings: ProcessorSettings = {
      brokers: this.setting.brokers,
      registryUrl: this.setting.registryUrl,
      stateDirectory,
      processor: 'stock',
      name: id,
      guarantee,
      group,
      groups,
    };
    return ['node', ...processorOptions, program('processor-process.ts'), JSON.stringify(settings)];
  }

  private copy(id: string, changelog: string): readonly string[] {
    const settings: CopySettings = {
      brokers: this.setting.brokers,
      group: id,
      input: movements.name,
      partitions: movements.partitions,
      shares: this.shares.map((share) =>
        share.topic === 'changelog' ? { ...share, topic: changelog } : share,
      ),
    };
    return ['node', ...processorOptions, program('copy-process.ts'), JSON.stringify(settings)];
  }

  private onStreams(store: 'rocksdb' | 'memory', id: string, state: string): readonly string[] {
    if (this.streams === undefined) throw new Error('Kafka Streams was not prepared');
    const { setting } = this;
    return this.streams.command({
      brokers: setting.brokers,
      application: id,
      state,
      store,
      ledgerKey: setting.schemaId(ledger, 'key'),
      ledgerValue: setting.schemaId(ledger, 'value'),
      levelKey: setting.schemaId(stockLevels, 'key'),
      levelValue: setting.schemaId(stockLevels, 'value'),
    });
  }

  /** What our processor writes per event, by topic: the copy loop writes the same. */
  private async measureShares(changelog: string): Promise<void> {
    const { broker } = this.setting;
    const events = await broker.ends([movements.name]);
    const { logs } = this.setting;
    const share = async (topic: string, as: string, keyBytes: number): Promise<Share> => {
      const records = await broker.ends([topic]);
      const bytes = readdirSync(logs)
        .filter((folder) => folder.startsWith(`${topic}-`) && /-\d+$/.test(folder))
        .reduce((sum, folder) => sum + folderBytes(join(logs, folder), '.log'), 0);
      const withHeaders = as !== 'changelog';
      // Of a record in a batch about 12 bytes are its own, and a trace header is 67.
      const overhead = 12 + keyBytes + (withHeaders ? 67 : 0);
      return {
        topic: as,
        perEvent: records / events,
        keyBytes,
        valueBytes: Math.max(1, Math.round(bytes / records - overhead)),
        withHeaders,
      };
    };
    this.shares = [
      await share(ledger.name, ledger.name, 18),
      await share(stockLevels.name, stockLevels.name, 23),
      await share(changelog, 'changelog', 22),
    ];
    this.setting.report(`  writes per event: ${JSON.stringify(this.shares)}`);
  }
}

/** The movements of sales as records. */
export function* movementPairs(setting: Setting, sold: Iterable<Sale>): Generator<PlacedPair> {
  const { codecs } = setting;
  const topic = movements as unknown as Topic<never, never>;
  for (const sale of sold) {
    yield {
      topic: movements.name,
      partition: partitionOf(sale.sku, movements.partitions),
      key: codecs.encodeKey(topic, sale.sku),
      value: codecs.encodeValue(topic, movementOf(sale)),
      // Not the time of business: a topic keeps and rolls by the time of its records.
      timestampMs: Date.now(),
    };
  }
}

/** The sum of the files in a folder, also below; only those that end so. */
export function folderBytes(folder: string, ending = ''): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith(ending)) continue;
    try {
      sum += statSync(join(entry.parentPath, entry.name)).size;
    } catch {
      // It went while it was looked at.
    }
  }
  return sum;
}
