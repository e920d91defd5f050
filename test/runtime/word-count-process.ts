/** The word count as a process of its own: `{ brokers, registryUrl, stateDirectory, prefix, slow? }` as JSON in argv[2]. */
import { kafkaRuntime } from '../../processors/adapters/kafka/runtime.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import { createProcessor, type RuntimeAdapters } from '../../processors/runtime/run.ts';
import { deadLetters } from '../../processors/topics.ts';
import { wordCount, wordTopics } from './word-count.ts';

export type WordCountSettings = {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly stateDirectory: string;
  readonly prefix: string;
  /** Waits this long in every transaction, between its records and its offsets, and says so: a good moment to die. */
  readonly pauseBeforeOffsetsMs?: number;
};

const settings = JSON.parse(String(process.argv[2])) as WordCountSettings;
const telemetry = processTelemetry({ logLevel: 'info' });
const adapters = kafkaRuntime({ ...settings, telemetry: telemetry.of(settings.prefix) });
const topology = wordCount(settings.prefix, wordTopics(settings.prefix));
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

const processor = createProcessor(topology, pausing(adapters), {
  application: 'test',
  deadLetters: { ...deadLetters, name: `${settings.prefix}.dead-letter` },
});
const report = setInterval(() => process.send?.({ status: processor.status() }), 20);
try {
  await processor.run(stop.signal);
} catch (error) {
  process.send?.({ failed: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
clearInterval(report);
process.send?.({ status: processor.status() });
process.disconnect?.();

function pausing(world: RuntimeAdapters): RuntimeAdapters {
  const pauseMs = settings.pauseBeforeOffsetsMs;
  if (pauseMs === undefined) return world;
  return {
    ...world,
    createProducer: async (transactionalId, source) => {
      const producer = await world.createProducer(transactionalId, source);
      return {
        ...producer,
        sendOffsets: async (offsets) => {
          process.send?.({ paused: true });
          await world.clock.sleep(pauseMs);
          await producer.sendOffsets(offsets);
        },
      };
    },
  };
}
