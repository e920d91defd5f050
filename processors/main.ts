/** The composition root: runs the processors that the environment names, until told to stop. */
import { join } from 'node:path';
import { startHealthServer } from './adapters/health-server.ts';
import { processTelemetry } from './adapters/telemetry.ts';
import {
  isStreamProcessor,
  type ProcessorName,
  parseConfig,
  type StreamProcessor,
} from './config.ts';
import type { Running, Start } from './processes/running.ts';
import type { ProcessStatus } from './processes/status.ts';
import { loadGuard, loadPolicies } from './settings/policies.ts';
import { loadRules } from './settings/rules.ts';
import { loadWebhookSources } from './settings/webhook-sources.ts';

const statusEveryMs = 500;

/** A process loads what it works alone: with the modules of all it starts later and holds half as much memory again. */
const besideStreams: Readonly<
  Record<Exclude<ProcessorName, StreamProcessor>, () => Promise<Start>>
> = {
  analytics: async () => (await import('./processes/analytics.ts')).startAnalytics,
  api: async () => (await import('./processes/api.ts')).startApi,
  delivery: async () => (await import('./processes/delivery.ts')).startDelivery,
  forecasts: async () => (await import('./processes/forecasts.ts')).startForecasts,
  serving: async () => (await import('./processes/serving.ts')).startServing,
};

const config = parseConfig(process.env);
const telemetry = processTelemetry({ logLevel: config.logLevel });
const stopping = new AbortController();
const { signal } = stopping;
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stopping.abort());
// Whoever started us has gone: nobody would stop us any more.
process.on('disconnect', () => stopping.abort());

const policies = loadPolicies(config.policiesFile);
const guard = loadGuard(config.policiesFile);
const webhookSources = loadWebhookSources(config.webhooksFile);
const rules = {
  ...loadRules(config.rulesFile),
  ...(guard === undefined ? {} : { guard }),
  webhookSources: webhookSources.sources,
};
const channels = policies.map((policy) => policy.channel);
const { brokers, registryUrl, stateDirectory } = config;
const places = { brokers, registryUrl, schemasDirectory: join(stateDirectory, 'schemas') };

const running: Running[] = [];
const run = (...begun: readonly Running[]): void => {
  running.push(...begun);
  // Another may still be starting: what has failed meanwhile is told below, and is no crash until then.
  for (const { done } of begun) done.catch(() => undefined);
};
const streamNames = config.processors.filter(isStreamProcessor);
if (streamNames.length > 0) {
  const { topologiesOf } = await import('./topologies.ts');
  const { startStreams, startBeside } = await import('./processes/streams.ts');
  const topologies = streamNames.flatMap((name) => topologiesOf(name, policies, rules));
  const setting = { config, places, telemetry, signal };
  const streams = startStreams(topologies, setting);
  run(...streams.running);
  run(...(await startBeside(streams.hops, setting)));
}
for (const name of config.processors) {
  if (isStreamProcessor(name)) continue;
  const start = await besideStreams[name]();
  const own = telemetry.of(name);
  run(await start(config, { places, channels, webhookSources, telemetry: own, signal }));
}
const health = await startHealthServer({
  port: config.healthPort,
  live: () => !signal.aborted,
  ready: () => running.every((one) => one.ready()),
  metrics: telemetry.metrics,
  contentType: telemetry.contentType,
});
telemetry.log.info({ processors: config.processors, healthPort: health.port }, 'processes started');
const reporting = setInterval(report, statusEveryMs);

try {
  await Promise.race([
    Promise.all(running.map((one) => one.done)),
    ...running.map(async (one) => {
      await one.done;
      if (!signal.aborted) throw new Error(`${one.name} ended without being told to`);
    }),
  ]);
} catch (error) {
  process.exitCode = 1;
  telemetry.log.error({ error: String(error), stack: (error as Error).stack }, 'processor failed');
} finally {
  stopping.abort();
  await Promise.allSettled(running.map((one) => one.done));
  clearInterval(reporting);
  await health.close();
  // What a client still has under way would keep the process: all that matters is committed or will be read again.
  process.exit();
}

function report(): void {
  if (process.send === undefined || !process.connected) return;
  const apiUrl = running.find((one) => one.apiUrl !== undefined)?.apiUrl;
  const analyticsUrl = running.find((one) => one.analyticsUrl !== undefined)?.analyticsUrl;
  const message: ProcessStatus = {
    memoryMb: Math.round(process.memoryUsage.rss() / 1_048_576),
    processors: Object.fromEntries(
      running.flatMap(({ name, status }) => (status === undefined ? [] : [[name, status()]])),
    ),
    ...(analyticsUrl === undefined ? {} : { analyticsUrl }),
    ...(apiUrl === undefined ? {} : { apiUrl }),
  };
  process.send(message);
}
