/** The real world of a processor, put together: Kafka, the registry, stores on disk, the clock and chance. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, RecordSource, Telemetry, TraceIds } from '../../runtime/ports.ts';
import type { RuntimeAdapters } from '../../runtime/run.ts';
import { avroCodecs } from '../avro/codec.ts';
import { registrySchemas } from '../avro/registry.ts';
import { lmdbStateStore } from '../lmdb-state-store.ts';
import { partitionCounts } from './admin.ts';
import { type KafkaSource, kafkaSource } from './consumer.ts';
import { kafkaMembership } from './membership.ts';
import { kafkaProducer } from './producer.ts';

export function kafkaRuntime(options: {
  readonly brokers: string;
  readonly registryUrl: string;
  /** Local stores and fetched schemas. It may be lost at any time; no two processes share a partition's store. */
  readonly stateDirectory: string;
  readonly telemetry: Telemetry;
}): RuntimeAdapters {
  const { brokers, telemetry } = options;
  const sources = new WeakMap<RecordSource, KafkaSource>();
  return {
    createSource: async (group, gathering) => {
      const source = await kafkaSource({ brokers, group, telemetry, ...gathering });
      sources.set(source, source);
      return source;
    },
    createProducer: (transactionalId, source) => {
      const own = sources.get(source);
      if (own === undefined) throw new Error('a producer needs a source of the same runtime');
      return kafkaProducer({ brokers, transactionalId, source: own, telemetry });
    },
    join: (membership) => kafkaMembership({ brokers, telemetry, ...membership }),
    openStore: (name) => lmdbStateStore(join(options.stateDirectory, name)),
    partitionCounts: (topics) => partitionCounts(brokers, topics),
    codecs: avroCodecs(
      registrySchemas(options.registryUrl, join(options.stateDirectory, 'schemas')),
    ),
    clock: systemClock,
    telemetry,
    traceIds: randomTraceIds(),
    newLineage: () => randomBytes(8).toString('hex'),
  };
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
    } catch {
      // Woken by the signal: that is what it is for.
    }
  },
};

/** Random bytes are drawn in bulk: one system call serves hundreds of spans. */
function randomTraceIds(): TraceIds {
  const poolBytes = 8_192;
  let pool = Buffer.alloc(0);
  let at = 0;
  const next = (bytes: number): string => {
    if (at + bytes > pool.length) {
      pool = randomBytes(poolBytes);
      at = 0;
    }
    at += bytes;
    return pool.toString('hex', at - bytes, at);
  };
  return { traceId: () => next(16), spanId: () => next(8) };
}
