/** The processor under chaos as a process of its own: its settings as JSON in argv[2], orders and news by messages. */
import { kafkaRuntime } from '../../processors/adapters/kafka/runtime.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import { PipelineError } from '../../processors/runtime/errors.ts';
import type { Telemetry } from '../../processors/runtime/ports.ts';
import {
  type Assignment,
  createProcessor,
  type ProcessorStatus,
  type RuntimeAdapters,
} from '../../processors/runtime/run.ts';
import { type Arming, createFailpoints } from './failpoints.ts';
import { tally, tallyTopics } from './tally.ts';
import { tallyCodecs } from './tally-codecs.ts';

export type TallySettings = {
  readonly brokers: string;
  readonly prefix: string;
  readonly stateDirectory: string;
  readonly trace: string;
  readonly assignment: Assignment;
  /** The defence against zombies is switched off: each process has transactional ids of its own. */
  readonly unfenced?: boolean;
};

export type News =
  | { readonly kind: 'status'; readonly status: ProcessorStatus }
  | { readonly kind: 'owns'; readonly partitions: readonly number[] }
  | { readonly kind: 'restored'; readonly partition: number; readonly from: 'store' | 'changelog' }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'failed'; readonly reason: string };

const settings = JSON.parse(String(process.argv[2])) as TallySettings;
const points = createFailpoints(settings.trace);
process.on('message', (arming: Arming) => points.arm(arming));
const tell = (news: News): void => {
  if (process.connected) process.send?.(news);
};

const written = processTelemetry({ logLevel: 'info' }).of(settings.prefix);
const telemetry: Telemetry = {
  ...written,
  restored: (restore) => {
    written.restored(restore);
    tell({ kind: 'restored', partition: restore.partition, from: restore.from });
  },
  rebalanced: (partitions) => {
    written.rebalanced(partitions);
    tell({ kind: 'owns', partitions });
  },
};
const world: RuntimeAdapters = {
  ...kafkaRuntime({ ...settings, registryUrl: 'http://127.0.0.1:1', telemetry }),
  codecs: tallyCodecs(),
};
const topics = tallyTopics(settings.prefix);
const processor = createProcessor(
  tally(settings.prefix, topics),
  points.around(tellingOfFences(settings.unfenced ? unfenced(world) : world)),
  { application: 'chaos', deadLetters: topics.refused, assignment: settings.assignment },
);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
process.once('disconnect', () => process.exit(1));
const report = setInterval(() => tell({ kind: 'status', status: processor.status() }), 50);
try {
  await processor.run(stop.signal);
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  await new Promise((resolve) =>
    process.send?.({ kind: 'failed', reason } satisfies News, resolve),
  );
  process.exitCode = 1;
}
clearInterval(report);
process.exit();

function unfenced(fenced: RuntimeAdapters): RuntimeAdapters {
  return {
    ...fenced,
    createProducer: (id, source) => fenced.createProducer(`${id}-${process.pid}`, source),
  };
}

/** Says when the broker has told a producer of this process that it is a zombie's. */
function tellingOfFences(adapters: RuntimeAdapters): RuntimeAdapters {
  const watched = async (call: () => Promise<void>): Promise<void> => {
    try {
      await call();
    } catch (error) {
      if (error instanceof PipelineError && error.code === 'TRANSACTION_FENCED') {
        tell({ kind: 'fenced' });
      }
      throw error;
    }
  };
  return {
    ...adapters,
    createProducer: async (id, source) => {
      const producer = await adapters.createProducer(id, source);
      return {
        ...producer,
        sendOffsets: (offsets) => watched(() => producer.sendOffsets(offsets)),
        commit: () => watched(producer.commit),
        abort: () => watched(producer.abort),
      };
    },
  };
}
