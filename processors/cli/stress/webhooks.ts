/**
 * `stockline stress webhooks`: figures through a broker and the delivery process to a receiver that loses, delays, doubles
 * and reorders, and restarts, while the sender is killed; judged by what the receiver has in the end.
 */
import { writeFileSync } from 'node:fs';
import { simulatedReceiver } from '../../../connectors/destinations/simulated-receiver.ts';
import { integer, seededRandom } from '../../../connectors/simulator/random.ts';
import type { Subscription } from '../../../schemas/types.ts';
import { type RecordWriter, recordWriter } from '../../adapters/kafka/record-writer.ts';
import { newWebhookSecret, webhookFault } from '../../adapters/webhooks/signature.ts';
import { keyIn } from '../../api/local-key.ts';
import { channelStock, subscriptions } from '../../topics.ts';
import { newSubscription, requested } from '../webhook.ts';
import { publishing } from './figures.ts';
import { onStage, type Stage, tellResult } from './stage.ts';

export type WebhooksStressOptions = {
  readonly skus: number;
  readonly changes: number;
  readonly seconds: number;
  readonly kill: boolean;
  readonly seed: number;
  readonly json?: string;
};

type Receiver = Awaited<ReturnType<typeof simulatedReceiver>>;

const channel = 'web';
const mishapPercent = 10;
const killEveryMs = 7_000;
const settleMs = 180_000;

/** Prints the result; resolves with 0 when the receiver ends with our figures and nothing is lost, else 1. */
export async function stressWebhooks(options: WebhooksStressOptions): Promise<number> {
  const secret = newWebhookSecret();
  let subscription: Subscription | undefined;
  let writer: RecordWriter<string, Subscription> | undefined;
  const asks: number[] = [];
  const receiver = await simulatedReceiver({
    seed: options.seed,
    percent: mishapPercent,
    faultOf: (headers, body) => webhookFault([secret], headers, body, Date.now()),
    askFor: async (ranges) => {
      if (subscription === undefined) return;
      asks.push(ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0));
      subscription = { ...subscription, request: requested('replay', ranges) };
      await writer?.write(subscription.id, subscription);
    },
  });
  try {
    return await onStage(
      {
        processes: ['delivery'],
        environment: (directory) => ({ STOCKLINE_DELIVERY: settingsIn(directory, receiver.port) }),
      },
      async (stage) => {
        writer = await recordWriter(stage.places, subscriptions);
        const none = { skus: [], events: [], description: '', channels: [channel] };
        const key = keyIn(`${stage.directory}/run/secret.key`);
        subscription = newSubscription(key, secret, { url: receiver.url, ...none });
        await writer.write(subscription.id, subscription);
        try {
          const result = await stress(options, stage, receiver, asks);
          tellResult(result, options.json);
          const { lost, differences, fullResyncs, notBelieved } = result;
          return lost + differences + fullResyncs + notBelieved === 0 ? 0 : 1;
        } finally {
          // The receiver goes on asking: nobody is there to answer any more.
          subscription = undefined;
          await writer.close();
        }
      },
    );
  } finally {
    await receiver.close();
  }
}

/** Short pauses, so that a run is short; addresses of this machine are allowed. */
function settingsIn(directory: string, port: number): string {
  const file = `${directory}/delivery.json`;
  const attemptsSeconds = [
    0,
    ...Array.from({ length: 30 }, (_, index) => Math.min(5, 0.5 * (index + 1))),
  ];
  const webhooks = {
    attemptsSeconds,
    checkpointsSeconds: [1, 3, 5],
    timeoutSeconds: 5,
    concurrent: 64,
    openSeconds: 1,
    ports: [port],
    allow: ['127.0.0.1'],
    allowHttp: true,
  };
  writeFileSync(file, JSON.stringify({ webhooks }));
  return file;
}

async function stress(
  options: WebhooksStressOptions,
  stage: Stage,
  receiver: Receiver,
  asks: readonly number[],
) {
  const random = seededRandom(options.seed);
  const published = await publishing(stage.places, channelStock(channel));
  const endMs = Date.now() + options.seconds * 1000;
  let kills = 0;
  const killing = options.kill
    ? setInterval(() => {
        kills += 1;
        stage.processors.signal('delivery', 'SIGKILL');
      }, killEveryMs)
    : undefined;
  const restarts = restarting(receiver, endMs);
  stage.report(`${options.changes} changes in ${options.seconds} s`);
  for (let made = 0; made < options.changes; ) {
    const leftMs = endMs - Date.now();
    const due = options.changes - Math.floor((options.changes * leftMs) / (options.seconds * 1000));
    for (; made < Math.min(due, options.changes); made += 1) {
      published.tell(`S${integer(random, 1, options.skus)}`, integer(random, 0, 99));
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  clearInterval(killing);
  await published.flush();
  await restarts;
  const beganMs = Date.now();
  while (unequal(published.newest, receiver).length > 0 && Date.now() - beganMs < settleMs) {
    await new Promise((done) => setTimeout(done, 200));
  }
  const settledMs = Date.now() - beganMs;
  const different = unequal(published.newest, receiver);
  await published.close();
  return {
    skus: published.newest.size,
    changes: options.changes,
    kills,
    lost: different.filter((sku) => !receiver.state.has(`${channel}|${sku}`)).length,
    differences: different.length,
    // Whoever asks for half of all it was ever told begins anew.
    fullResyncs: asks.filter((count) => count > (receiver.counts.get('arrived') ?? 0) / 2).length,
    replays: asks.length,
    replayed: asks.reduce((sum, count) => sum + count, 0),
    notBelieved: receiver.counts.get('notBelieved') ?? 0,
    stale: receiver.stale(),
    settledMs,
    mishaps: Object.fromEntries(receiver.counts),
  };
}

/** The receiver restarts twice: at a third and at two thirds. */
async function restarting(receiver: Receiver, endMs: number): Promise<void> {
  const leftMs = endMs - Date.now();
  for (const _ of [1, 2]) {
    await new Promise((done) => setTimeout(done, leftMs / 3));
    await receiver.restart(1_000);
  }
}

function unequal(
  newest: ReadonlyMap<string, { readonly units: number }>,
  receiver: Receiver,
): readonly string[] {
  return [...newest]
    .filter(([sku, { units }]) => receiver.state.get(`${channel}|${sku}`)?.sellable !== units)
    .map(([sku]) => sku);
}
