/** Puts the stream processors of a process together, and whoever tells how far they are and watches over their sources. */
import { systems } from '../../connectors/systems.ts';
import { freshnessRuntime } from '../adapters/freshness-runtime.ts';
import { kafkaRuntime } from '../adapters/kafka/runtime.ts';
import type { KafkaPlaces } from '../adapters/kafka/topic-reader.ts';
import type { ProcessTelemetry } from '../adapters/telemetry.ts';
import type { Config } from '../config.ts';
import type { HopOfProcess } from '../freshness/ports.ts';
import { runFreshness } from '../freshness/run.ts';
import { heartbeatTopic } from '../intake/topology.ts';
import { createProcessor, type Processor } from '../runtime/run.ts';
import { watchedSources } from '../settings/places.ts';
import { deadLetters, freshness, inventoryPartitions } from '../topics.ts';
import type { Topology } from '../topology/topology.ts';
import type { Running } from './running.ts';

type Streams = {
  readonly config: Config;
  readonly places: KafkaPlaces;
  readonly telemetry: ProcessTelemetry;
  readonly signal: AbortSignal;
};

export function startStreams(topologies: readonly Topology<unknown>[], streams: Streams) {
  const processors = topologies.map((topology) => ({
    name: topology.name,
    processor: processorOf(topology, streams),
  }));
  const running: readonly Running[] = processors.map(({ name, processor }) => ({
    name,
    done: processor.run(streams.signal),
    ready: processor.ready,
    status: () => {
      const status = processor.status();
      return { ...status, counted: status.counts };
    },
  }));
  return { running, hops: processors.flatMap(({ name, processor }) => hopOf(name, processor)) };
}

/** Whoever works a hop tells how far it is, and whoever works the intake of the sources watches over their logs too. */
export async function startBeside(
  hops: readonly HopOfProcess[],
  streams: Streams,
): Promise<readonly Running[]> {
  const told = hops.length > 0 ? [await startFreshness(hops, streams)] : [];
  const isIntake = hops.some(({ hop }) => hop === 'intake');
  return isIntake ? [...told, ...(await startWatch(streams))] : told;
}

function processorOf(
  topology: Topology<unknown>,
  { config, places, telemetry }: Streams,
): Processor {
  const { stateDirectory, assignment } = config;
  const adapters = kafkaRuntime({
    ...places,
    stateDirectory,
    telemetry: telemetry.of(topology.name),
  });
  return createProcessor(topology, adapters, { application: 'stockline', deadLetters, assignment });
}

/** The processors on the way from a source to a channel. */
function hopOf(name: string, { status, committed }: Processor): readonly HopOfProcess[] {
  const waitsFor = (): string => {
    const { phase, cause } = status();
    return phase === 'running' ? '' : `${name} is ${phase}${cause && `: ${cause}`}`;
  };
  if (name === 'stock') return [{ hop: name, source: undefined, committed, waitsFor }];
  const source = systems.find(({ system }) => name === `intake-${system}`)?.system;
  return source === undefined ? [] : [{ hop: 'intake', source, committed, waitsFor }];
}

async function startFreshness(
  hops: readonly HopOfProcess[],
  { config, places, telemetry, signal }: Streams,
): Promise<Running> {
  const sources = systems.map(({ system }) => system);
  const { ports, close } = await freshnessRuntime({
    places,
    topic: freshness,
    heartbeats: new Map(sources.map((system) => [system, heartbeatTopic(system)])),
    connectUrl: config.connectUrl,
    telemetry: telemetry.of('freshness'),
    signal,
  });
  const done = runFreshness({ hops, sources, partitions: inventoryPartitions, ports, signal });
  return { name: 'freshness', done: done.finally(close), ready: () => true };
}

async function startWatch({
  config,
  places,
  telemetry,
  signal,
}: Streams): Promise<readonly Running[]> {
  const { connectUrl, logBudgetBytes: budgetBytes } = config;
  const watched = connectUrl === undefined ? [] : watchedSources(process.env);
  const own = telemetry.of('protection');
  if (watched.length < systems.length) {
    own.log('warn', 'logs of sources are not watched: see STOCKLINE_SECRETS', {
      watched: watched.map(({ mapping }) => mapping.system),
    });
  }
  if (connectUrl === undefined || watched.length === 0) return [];
  const { startProtection } = await import('./protection.ts');
  const { done } = await startProtection({
    ...{ places, connectUrl, watched, budgetBytes, signal },
    telemetry: own,
  });
  return [{ name: 'protection', done, ready: () => true }];
}
