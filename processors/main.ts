/** The composition root: builds the adapters and runs the processors that the environment names, until told to stop. */

import { systems } from '../connectors/systems.ts';
import { freshnessRuntime } from './adapters/freshness-runtime.ts';
import { startHealthServer } from './adapters/health-server.ts';
import { kafkaRuntime } from './adapters/kafka-runtime.ts';
import { type ProcessTelemetry, processTelemetry } from './adapters/telemetry.ts';
import type { ProcessorStatus, ProcessStatus } from './cli/pipeline-status.ts';
import { watchedSources } from './cli/places.ts';
import { loadGuard, loadPolicies } from './cli/policies.ts';
import { loadRules } from './cli/rules.ts';
import { loadWebhookSources } from './cli/webhook-sources.ts';
import { type Config, parseConfig } from './config.ts';
import type { HopOfProcess } from './freshness/ports.ts';
import { runFreshness } from './freshness/run.ts';
import { heartbeatTopic } from './intake/topology.ts';
import { createProcessor, type Processor } from './runtime/run.ts';
import { deadLetters, freshness, inventoryPartitions } from './topics.ts';
import { topologiesOf } from './topologies.ts';

const statusEveryMs = 500;

type Running = {
  readonly name: string;
  readonly done: Promise<void>;
  readonly ready: () => boolean;
  /** Absent: it works beside the processors. */
  readonly status?: () => ProcessorStatus;
  readonly analyticsUrl?: string;
  readonly apiUrl?: string;
};

const config = parseConfig(process.env);
const telemetry = processTelemetry({ logLevel: config.logLevel });
const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort());
// Whoever started us has gone: nobody would stop us any more.
process.on('disconnect', () => stopping.abort());

const policies = loadPolicies(config.policiesFile);
const channels = policies.map((policy) => policy.channel);
const guard = loadGuard(config.policiesFile);
const webhooksIn = loadWebhookSources(config.webhooksFile);
const rules = {
  ...loadRules(config.rulesFile),
  ...(guard === undefined ? {} : { guard }),
  webhookSources: webhooksIn.sources,
};
const running: Running[] = [];
const hops: HopOfProcess[] = [];
// Each loads its modules itself: with those of all a process starts later and holds half as much memory again.
for (const name of config.processors) {
  if (name === 'analytics') running.push(await startLoading(config, telemetry, channels));
  else if (name === 'api') running.push(await startInventoryApi(config, telemetry, channels));
  else if (name === 'forecasts') running.push(await startForecasting(config, telemetry));
  else if (name === 'delivery') running.push(await startOutward(config, telemetry, channels));
  else if (name === 'serving') running.push(await startCopies(config, telemetry, channels));
  else {
    for (const topology of topologiesOf(name, policies, rules)) {
      running.push(startStream(topology, config, telemetry));
    }
  }
}
if (hops.length > 0) running.push(await startFreshness(config, telemetry));
if (hops.some(({ hop }) => hop === 'intake'))
  running.push(...(await startWatch(config, telemetry)));
const health = await startHealthServer({
  port: config.healthPort,
  live: () => !stopping.signal.aborted,
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
      if (!stopping.signal.aborted) throw new Error(`${one.name} ended without being told to`);
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

function startStream(
  topology: ReturnType<typeof topologiesOf>[number],
  settings: Config,
  telemetries: ProcessTelemetry,
): Running {
  const adapters = kafkaRuntime({
    brokers: settings.brokers,
    registryUrl: settings.registryUrl,
    stateDirectory: settings.stateDirectory,
    telemetry: telemetries.of(topology.name),
  });
  const processor: Processor = createProcessor(topology, adapters, {
    application: 'stockline',
    deadLetters,
    assignment: settings.assignment,
  });
  const hop = hopOf(topology.name);
  if (hop !== undefined) {
    const waitsFor = (): string => {
      const { phase, cause } = processor.status();
      return phase === 'running' ? '' : `${topology.name} is ${phase}${cause && `: ${cause}`}`;
    };
    hops.push({ ...hop, committed: processor.committed, waitsFor });
  }
  return {
    name: topology.name,
    done: processor.run(stopping.signal),
    ready: processor.ready,
    status: () => {
      const status = processor.status();
      return { ...status, counted: status.counts };
    },
  };
}

/** The processors on the way from a source to a channel. */
function hopOf(name: string): Pick<HopOfProcess, 'hop' | 'source'> | undefined {
  if (name === 'stock') return { hop: name, source: undefined };
  const source = systems.find(({ system }) => name === `intake-${system}`)?.system;
  return source === undefined ? undefined : { hop: 'intake', source };
}

async function startFreshness(settings: Config, telemetries: ProcessTelemetry): Promise<Running> {
  const sources = systems.map(({ system }) => system);
  const runtime = await freshnessRuntime({
    places: { brokers: settings.brokers, registryUrl: settings.registryUrl },
    topic: freshness,
    heartbeats: new Map(sources.map((system) => [system, heartbeatTopic(system)])),
    connectUrl: settings.connectUrl,
    telemetry: telemetries.of('freshness'),
    signal: stopping.signal,
  });
  const done = runFreshness({
    hops,
    sources,
    partitions: inventoryPartitions,
    ports: runtime.ports,
    signal: stopping.signal,
  });
  return { name: 'freshness', done: done.finally(runtime.close), ready: () => true };
}

/** Whoever works the intake of the sources watches over their logs too. */
async function startWatch(
  settings: Config,
  telemetries: ProcessTelemetry,
): Promise<readonly Running[]> {
  const { connectUrl, brokers, registryUrl, logBudgetBytes: budgetBytes } = settings;
  const watched = connectUrl === undefined ? [] : watchedSources(process.env);
  const log = telemetries.of('protection');
  if (watched.length < systems.length) {
    log.log('warn', 'logs of sources are not watched: see STOCKLINE_SECRETS', {
      watched: watched.map(({ mapping }) => mapping.system),
    });
  }
  if (connectUrl === undefined || watched.length === 0) return [];
  const { startProtection } = await import('./cli/protection-process.ts');
  const { done } = await startProtection({
    places: { brokers, registryUrl },
    connectUrl,
    watched,
    budgetBytes,
    telemetry: log,
    signal: stopping.signal,
  });
  return [{ name: 'protection', done, ready: () => true }];
}

async function startLoading(
  settings: Config,
  telemetries: ProcessTelemetry,
  channels: readonly string[],
): Promise<Running> {
  const { startAnalytics } = await import('./cli/analytics-process.ts');
  const own = telemetries.of('analytics');
  const analytics = await startAnalytics(settings, channels, own, stopping.signal);
  return {
    name: 'analytics',
    done: analytics.done,
    ready: () => analytics.status().state === 'running',
    analyticsUrl: analytics.url,
    status: () => {
      const status = analytics.status();
      return {
        records: status.records,
        lagRecords: 0,
        lagSeconds: status.lagMs / 1000,
        transactions: status.blocks,
        lastCommitMs: 0,
        deadLetters: 0,
        counted: { rows: status.rows },
      };
    },
  };
}

async function startForecasting(settings: Config, telemetries: ProcessTelemetry): Promise<Running> {
  const { startForecasts } = await import('./cli/forecast-process.ts');
  const forecasting = startForecasts(settings, telemetries.of('forecasts'), stopping.signal);
  return { name: 'forecasts', done: forecasting.done, ready: () => true };
}

async function startInventoryApi(
  settings: Config,
  telemetries: ProcessTelemetry,
  channels: readonly string[],
): Promise<Running> {
  const { startApi } = await import('./cli/api-process.ts');
  const own = telemetries.of('api');
  const api = await startApi(settings, channels, webhooksIn, own, stopping.signal);
  return {
    name: 'api',
    done: api.done,
    ready: api.ready,
    apiUrl: api.url,
    status: () => ({
      records: api.cells(),
      lagRecords: 0,
      lagSeconds: api.lagMs() / 1000,
      transactions: 0,
      lastCommitMs: 0,
      deadLetters: 0,
      counted: { cells: api.cells() },
    }),
  };
}

async function startOutward(
  settings: Config,
  telemetries: ProcessTelemetry,
  channels: readonly string[],
): Promise<Running> {
  const { startDelivery } = await import('./cli/delivery-process.ts');
  const own = telemetries.of('delivery');
  const delivery = await startDelivery(settings, channels, own, stopping.signal);
  return {
    name: 'delivery',
    done: delivery.done,
    ready: delivery.ready,
    status: () => {
      const { figures, attempts, pending, underWay, outcomes } = delivery.status();
      return {
        records: figures,
        lagRecords: pending,
        lagSeconds: delivery.lagMs() / 1000,
        transactions: attempts,
        lastCommitMs: 0,
        deadLetters: outcomes.exhausted ?? 0,
        counted: { ...outcomes, underWay },
      };
    },
  };
}

async function startCopies(
  settings: Config,
  telemetries: ProcessTelemetry,
  channels: readonly string[],
): Promise<Running> {
  const { startServing } = await import('./cli/serving-process.ts');
  const serving = startServing(settings, channels, telemetries.of('serving'), stopping.signal);
  return { name: 'serving', done: serving.done, ready: () => true };
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
