/** What all parts of a bench share: stack, broker, codecs, schema ids, folders. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '../../deploy/native/stack.ts';
import { avroCodecs } from '../../processors/adapters/avro/codec.ts';
import { registerSchemas, registrySchemas } from '../../processors/adapters/avro/registry.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import type { Codecs, Telemetry } from '../../processors/runtime/ports.ts';
import {
  alerts,
  commands,
  deadLetters,
  decisions,
  freshness,
  ledger,
  movements,
  stockLevels,
} from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import { type BenchBroker, benchBroker } from './broker.ts';

export type Setting = {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly broker: BenchBroker;
  readonly brokerPid: number;
  /** Where the broker keeps its topics. */
  readonly logs: string;
  readonly codecs: Codecs;
  readonly schemaId: (topic: { readonly name: string }, part: 'key' | 'value') => number;
  readonly telemetry: Telemetry;
  /** A new empty folder that goes with the bench. */
  readonly folder: (name: string) => string;
  readonly report: (line: string) => void;
  readonly close: () => Promise<void>;
};

export const benchTopics = [
  movements,
  commands,
  decisions,
  ledger,
  stockLevels,
  alerts,
  deadLetters,
  freshness,
] as unknown as readonly Topic<never, never>[];

export async function openSetting(report: (line: string) => void): Promise<Setting> {
  const root = mkdtempSync(join(tmpdir(), 'stockline-bench-'));
  const stack = await startStack({
    directory: join(root, 'stack'),
    parts: ['kafka', 'registry'],
    report,
  });
  return settingOn(root, stack.addresses, {
    logs: join(root, 'stack'),
    report,
    close: async () => {
      await stack.stop();
      if (existsSync(root)) rmSync(root, { recursive: true, force: true });
    },
  });
}

/** On a stack that runs already; `logs` is its folder. */
async function settingOn(
  root: string,
  addresses: { readonly kafkaBrokers: string; readonly registryUrl: string },
  options: {
    readonly logs: string;
    readonly report: (line: string) => void;
    readonly close: () => Promise<void>;
  },
): Promise<Setting> {
  const { kafkaBrokers: brokers, registryUrl } = addresses;
  const broker = await benchBroker(brokers);
  await registerSchemas(registryUrl, benchTopics);
  const schemas = registrySchemas(registryUrl, join(root, 'schemas'));
  const codecs = avroCodecs(schemas);
  await codecs.prepare(benchTopics);
  let folders = 0;
  return {
    brokers,
    registryUrl,
    broker,
    brokerPid: Number(readFileSync(join(options.logs, 'pids', 'kafka'), 'utf8')),
    logs: join(options.logs, 'kafka'),
    codecs: learning(codecs, schemas),
    schemaId: (topic, part) => schemas.idOf(topic as Topic<never, never>, part),
    telemetry: processTelemetry({ logLevel: 'error' }).of('bench'),
    folder: (name) => {
      folders += 1;
      const folder = join(root, `${folders}-${name}`);
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    report: options.report,
    close: async () => {
      await broker.close();
      await options.close();
    },
  };
}

/** All that is read here was written by our own schemas, so no id has to be asked for on the way. */
function learning(codecs: Codecs, schemas: ReturnType<typeof registrySchemas>): Codecs {
  const known = avroCodecs({
    ...schemas,
    writer: (id) => {
      for (const topic of benchTopics) {
        if (schemas.idOf(topic, 'value') === id) return schemas.ownSchema(topic.value.schema);
      }
      return undefined;
    },
  });
  return { ...codecs, decodeValue: known.decodeValue };
}
