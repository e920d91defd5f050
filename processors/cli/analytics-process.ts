/** Puts the loading of ClickHouse together: the topics that it keeps, the store, and the pages that ask it. */
import { consolePage } from '../../dashboards/console.ts';
import { analyticsRuntime } from '../adapters/clickhouse-runtime.ts';
import { type Analytics, runAnalytics } from '../analytics/run.ts';
import { loadedTopics } from '../analytics/tables.ts';
import type { Config } from '../config.ts';
import type { Telemetry } from '../runtime/ports.ts';

/** `done` settles when all of it has ended. */
export async function startAnalytics(
  config: Config,
  channels: readonly string[],
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<Analytics & { readonly url: string }> {
  const { brokers, registryUrl, stateDirectory, runDirectory, questions, retention } = config;
  const runtime = await analyticsRuntime({
    ...{ brokers, registryUrl, stateDirectory, runDirectory, questions, retention },
    topics: loadedTopics(channels),
    pages: consolePage,
    telemetry,
    ...(config.clickhouse === undefined ? {} : { server: config.clickhouse }),
  });
  const { reader, store, url } = runtime;
  const analytics = runAnalytics({
    ...{ reader, store, channels, signal },
    report: (sentence) => telemetry.log('info', sentence),
  });
  return { ...analytics, done: analytics.done.finally(runtime.close), url };
}
