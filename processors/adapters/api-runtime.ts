/** What an instance of the API needs of Kafka: followers of the topics, and a writer of requests. */
import type { Proposal, Request, StockKey, Webhook } from '../../schemas/types.ts';
import type { Telemetry } from '../runtime/ports.ts';
import type { Topic } from '../topology/topic.ts';
import { recordWriter } from './kafka/record-writer.ts';
import { type Followed, type FollowerEvents, followTopics } from './kafka/topic-follower.ts';
import type { KafkaPlaces } from './kafka/topic-reader.ts';

export type ApiRuntime = {
  readonly follow: (events: FollowerEvents) => Promise<void>;
  readonly write: (request: Request) => Promise<void>;
  readonly writeWebhook: (webhook: Webhook) => Promise<void>;
  readonly writeProposal: (proposal: Proposal) => Promise<void>;
  readonly close: () => Promise<void>;
};

export async function apiRuntime(options: {
  readonly places: KafkaPlaces;
  /** Read whole: stock levels, channel figures, freshness; and of the outcomes the last ones. */
  readonly followed: readonly Followed[];
  readonly requests: Topic<string, Request>;
  readonly webhooks: Topic<string, Webhook>;
  readonly proposals: Topic<StockKey, Proposal>;
  readonly keyOf: (request: Request) => string;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
}): Promise<ApiRuntime> {
  const { places, followed, telemetry, signal } = options;
  const writer = await recordWriter(places, options.requests);
  const proposalWriter = await recordWriter(places, options.proposals);
  const webhookWriter = await recordWriter(places, options.webhooks);
  return {
    follow: (events) => followTopics(places, { name: 'api' }, followed, events, telemetry, signal),
    write: (request) => writer.write(options.keyOf(request), request),
    writeWebhook: (webhook) => webhookWriter.write(webhook.source, webhook),
    writeProposal: (proposal) => {
      const { sku, location } = proposal;
      return proposalWriter.write({ sku, location }, proposal);
    },
    close: async () => {
      await Promise.all([writer, webhookWriter, proposalWriter].map((one) => one.close()));
    },
  };
}
