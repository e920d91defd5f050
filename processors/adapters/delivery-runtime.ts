/** What the delivery worker needs of Kafka and of the disk: followers of its topics, writers, its store. */
import type { ChannelStock, DeliveryAttempt, Subscription } from '../../schemas/types.ts';
import type { DeliveryPorts } from '../delivery/ports.ts';
import type { Telemetry } from '../runtime/ports.ts';
import type { Topic } from '../topology/topic.ts';
import { deliveryStore } from './delivery-store.ts';
import { recordWriter } from './kafka/record-writer.ts';
import { followTopics } from './kafka/topic-follower.ts';
import type { KafkaPlaces } from './kafka/topic-reader.ts';
import type { WebhookSender } from './webhooks/sender.ts';

/** Who takes what is read. */
export type DeliveryReader = {
  readonly takeFigure: (stock: ChannelStock, publishedAtMs: number) => void;
  readonly takeSubscription: (id: string, subscription: Subscription | undefined) => void;
  readonly begin: () => void;
  readonly isWanted: () => boolean;
};

export type DeliveryRuntime = {
  readonly ports: DeliveryPorts;
  /** Reads until the end of `signal`; figures only from when somebody wants them. */
  readonly follow: (reader: DeliveryReader) => Promise<void>;
  /** Everything that was committed so long ago has been read. */
  readonly lagMs: () => number;
  readonly close: () => Promise<void>;
};

/** Whoever is told may be told so much later than the topics have it. */
const gatherMs = 50;
const wantedEveryMs = 500;
const writeAgainMs = 1_000;
const quiet = {
  onOpen: () => undefined,
  onPosition: () => undefined,
  onAsk: () => undefined,
};

export async function deliveryRuntime(options: {
  readonly places: KafkaPlaces;
  readonly channels: readonly Topic<string, ChannelStock>[];
  readonly subscriptions: Topic<string, Subscription>;
  readonly attempts: Topic<string, DeliveryAttempt>;
  readonly directory: string;
  readonly sender: WebhookSender;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
}): Promise<DeliveryRuntime> {
  const { places, telemetry, signal, sender } = options;
  const store = deliveryStore(options.directory);
  const attempts = await recordWriter(places, options.attempts);
  const changed = await recordWriter(places, options.subscriptions);
  let currentMs = Date.now();
  const untilWritten = (write: () => Promise<unknown>) => writtenAtLast(write, options);

  const followFigures = async (reader: DeliveryReader): Promise<void> => {
    while (!reader.isWanted() && !signal.aborted) {
      currentMs = Date.now();
      await new Promise((done) => setTimeout(done, wantedEveryMs));
    }
    if (signal.aborted) return;
    const followed = options.channels.map((topic) => ({
      topic: topic as unknown as Topic<never, never>,
    }));
    const events = {
      ...quiet,
      onRecord: ({ value, timestampMs }: { value: unknown; timestampMs: number }) => {
        if (value !== undefined) reader.takeFigure(value as ChannelStock, timestampMs);
      },
      onCurrent: (askedAtMs: number) => {
        currentMs = askedAtMs;
        reader.begin();
      },
    };
    await followTopics(places, { name: 'delivery', gatherMs }, followed, events, telemetry, signal);
  };
  const followSubscriptions = (reader: DeliveryReader): Promise<void> => {
    const topic = options.subscriptions as unknown as Topic<never, never>;
    const events = {
      ...quiet,
      onRecord: ({ key, value }: { key: unknown; value: unknown }) =>
        reader.takeSubscription(String(key), value as Subscription | undefined),
      onCurrent: () => undefined,
    };
    return followTopics(
      places,
      { name: 'delivery-subscriptions', gatherMs },
      [{ topic }],
      events,
      telemetry,
      signal,
    );
  };
  return {
    ports: {
      store,
      sendWebhook: sender.send,
      record: (told) =>
        untilWritten(() => Promise.all(told.map((one) => attempts.write(one.sku, one)))),
      saveSubscription: (subscription) =>
        untilWritten(() => changed.write(subscription.id, subscription)),
      nowMs: Date.now,
      log: (level, event, fields) => telemetry.log(level, event, fields),
    },
    follow: async (reader) => {
      await Promise.all([followSubscriptions(reader), followFigures(reader)]);
    },
    lagMs: () => Math.max(0, Date.now() - currentMs),
    close: async () => {
      await Promise.allSettled([attempts.close(), changed.close(), sender.close()]);
      await store.close();
    },
  };
}

/** While the broker is away there is time: nothing that is told depends on when. */
async function writtenAtLast(
  write: () => Promise<unknown>,
  { telemetry, signal }: { readonly telemetry: Telemetry; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await write();
      return;
    } catch (error) {
      telemetry.log('warn', 'the broker does not take it yet', { error: String(error) });
      await new Promise((done) => setTimeout(done, writeAgainMs));
    }
  }
}
