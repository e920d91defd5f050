/** The real world of analytics, put together: ClickHouse with its tables, the endpoint for questions, Kafka's records. */
import { join } from 'node:path';
import type { AnalyticsStore, RecordReader } from '../../analytics/ports.ts';
import type { Telemetry } from '../../runtime/ports.ts';
import type { Topic } from '../../topology/topic.ts';
import { avroCodecs } from '../avro/codec.ts';
import { registrySchemas } from '../avro/registry.ts';
import { kafkaSource } from '../kafka/consumer.ts';
import type { Access } from './access.ts';
import { type ClickHouseOptions, openClickHouse } from './client.ts';
import { type Pages, serveClickHouse } from './endpoint.ts';
import type { Retention } from './layout.ts';
import { applyRetention, migrate } from './migrate.ts';
import { analyticsReader } from './reader.ts';
import { clickHouseStore } from './store.ts';

/** A block gathers for longer. */
const gatherMs = 250;

type Server = {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly cluster?: string;
};

export type AnalyticsRuntime = {
  readonly reader: RecordReader;
  readonly store: AnalyticsStore;
  /** Where questions are answered. */
  readonly url: string;
  /** Call it when the loading has ended. */
  readonly close: () => Promise<void>;
};

export async function analyticsRuntime(options: {
  readonly brokers: string;
  readonly registryUrl: string;
  /** What is loaded. */
  readonly topics: readonly Topic<never, never>[];
  /** Fetched schemas, and the tables of the embedded engine. */
  readonly stateDirectory: string;
  /** Gets `analytics.json`, the address for `stockline sql`. */
  readonly runDirectory: string;
  /** Absent: the embedded engine. */
  readonly server?: Server;
  /** Where questions are answered; absent: on this machine, at any port, for everybody on it. */
  readonly questions?: {
    readonly host: string;
    readonly port: number;
    readonly access: Access | undefined;
  };
  /** How long history is kept; absent: for ever. */
  readonly retention?: Retention;
  /** Pages beside the questions. */
  readonly pages?: Pages;
  readonly telemetry: Telemetry;
}): Promise<AnalyticsRuntime> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const clickHouse = await openClickHouse({ database: 'stockline', engine: engineOf(options) });
    closers.push(clickHouse.close);
    const applied = await migrate(clickHouse);
    if (applied.length > 0) options.telemetry.log('info', 'analytics migrated', { applied });
    const changes = await applyRetention(clickHouse, options.retention ?? {});
    if (changes.length > 0) options.telemetry.log('info', 'analytics retention set', { changes });
    const runFile = join(options.runDirectory, 'analytics.json');
    const { access, ...place } = options.questions ?? { access: undefined };
    const endpoint = await serveClickHouse({
      clickHouse,
      runFile,
      ...place,
      ...(access === undefined ? {} : { access }),
      ...(options.pages === undefined ? {} : { pages: options.pages }),
    });
    closers.push(endpoint.close);
    const { brokers, topics, telemetry } = options;
    const source = await kafkaSource({ brokers, group: 'analytics', gatherMs, telemetry });
    closers.push(() => source.close());
    const schemas = registrySchemas(options.registryUrl, join(options.stateDirectory, 'schemas'));
    const reader = analyticsReader({ source, codecs: avroCodecs(schemas), topics });
    return { reader, store: clickHouseStore(clickHouse), url: endpoint.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function engineOf(options: {
  readonly server?: Server;
  readonly stateDirectory: string;
}): ClickHouseOptions['engine'] {
  return options.server === undefined
    ? { kind: 'embedded', path: join(options.stateDirectory, 'clickhouse') }
    : { kind: 'server', ...options.server };
}
