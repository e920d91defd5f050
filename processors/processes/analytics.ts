/** Puts the loading of ClickHouse together: the topics that it keeps, the store, and the pages that ask it. */
import { consolePage } from '../../dashboards/console.ts';
import { analyticsRuntime } from '../adapters/clickhouse/runtime.ts';
import { runAnalytics } from '../analytics/run.ts';
import { loadedTopics } from '../analytics/tables.ts';
import type { Start } from './running.ts';

export const startAnalytics: Start = async (config, { channels, telemetry, signal }) => {
  const { brokers, registryUrl, stateDirectory, runDirectory, questions, retention } = config;
  const runtime = await analyticsRuntime({
    ...{ brokers, registryUrl, stateDirectory, runDirectory, questions, retention },
    topics: loadedTopics(channels),
    pages: consolePage,
    telemetry,
    ...(config.clickhouse === undefined ? {} : { server: config.clickhouse }),
  });
  const { reader, store, url } = runtime;
  const { done, status } = runAnalytics({
    ...{ reader, store, channels, signal },
    report: (sentence) => telemetry.log('info', sentence),
  });
  return {
    name: 'analytics',
    done: done.finally(runtime.close),
    ready: () => status().state === 'running',
    status: () => {
      const { records, rows, blocks, lagMs } = status();
      return {
        records,
        lagRecords: 0,
        lagSeconds: lagMs / 1000,
        transactions: blocks,
        lastCommitMs: 0,
        deadLetters: 0,
        counted: { rows },
      };
    },
    analyticsUrl: url,
  };
};
